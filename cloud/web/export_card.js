// SPDX-License-Identifier: MIT
/* An event taken along as evidence: asked for, awaited, downloaded, where one looks at it. */
import { el } from './dom.js';
import { beginExport, exportTask, FORMATS, watchExports } from './exports.js';
import { t } from './i18n.js';
import { button, complain, field, select } from './parts.js';
import { link } from './router.js';
import { has } from './session.js';
import { taskList } from './tasks.js';

export function exportCard(id, signal) {
	if (!has('POST /v1/events/{}/exports'))
		return null;
	const list = taskList(t('exports.title'), () => null), format = select(FORMATS.map((f) => [f, t(`format.${f}`)]), 'mp4');
	let look = () => {};
	const go = button(t('exports.make'), async () => {
		go.disabled = true;
		try {
			await beginExport(id, format.value);
			await look();
		} catch (error) {
			complain(error);
		}
		go.disabled = false;
	}, { icon: 'save' });
	look = watchExports(signal, (all) => list.show(all.filter((e) => e.event === id).map((e) => exportTask(e, t(`format.${e.format}`), () => look()))));
	return el('section', { class: 'card stack tight' }, el('div', { class: 'row spread' }, el('h2', { text: t('event.export') }), el('a', { class: 'small', href: link('/work'), text: t('exports.all') })),
		el('div', { class: 'export-ask' }, field(t('exports.format'), format), go), el('p', { class: 'small soft', text: t('exports.signed') }), list.node);
}
