// SPDX-License-Identifier: MIT
/* Long work and how far it has come: what one has asked for, wherever one was when one did. */
import { el, fill } from './dom.js';
import { exportTask, watchExports } from './exports.js';
import { t } from './i18n.js';
import { empty, failure, head, skeleton } from './parts.js';
import { link } from './router.js';
import { taskList } from './tasks.js';

export function workView(place, params, query, signal) {
	const list = taskList(t('exports.title'), () => empty(t('exports.none'), t('exports.none_text'))), body = el('div', null, skeleton(120));
	fill(place, head(t('nav.work')), el('div', { class: 'stack' }, el('section', { class: 'stack tight' }, el('h2', { text: t('exports.title') }), el('p', { class: 'soft', text: t('exports.text') }), body)));
	const look = watchExports(signal, (all) => {
		list.show(all.map((e) => exportTask(e, [t(`format.${e.format}`), ' · ', el('a', { href: link(`/events/${e.event}`), text: t('exports.event') })], () => look())));
		if (!body.contains(list.node))
			fill(body, list.node);
	}, (error) => fill(body, failure(error, () => look())));
}
