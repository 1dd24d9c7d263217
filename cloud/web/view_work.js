// SPDX-License-Identifier: MIT
/* Long work and how far it has come: what one has asked for, wherever one was when one did. */
import { el, fill } from './dom.js';
import { exportTask, watchExports } from './exports.js';
import { t } from './i18n.js';
import { askAnalysis, askPeriod, jobTask, watchJobs } from './jobs.js';
import { button, empty, failure, head, skeleton } from './parts.js';
import { link } from './router.js';
import { can, has } from './session.js';
import { taskList } from './tasks.js';

/* words: title, text, and what is said of none; watch: (signal, show, failed) => look; toTask: (one, look) => task. */
function section([title, text, none, noneText], signal, watch, toTask) {
	const list = taskList(title, () => empty(none, noneText)), body = el('div', null, skeleton(120));
	const look = watch(signal, (all) => {
		list.show(all.map((one) => toTask(one, () => look())));
		if (!body.contains(list.node))
			fill(body, list.node);
	}, (error) => fill(body, failure(error, () => look())));
	return { look: () => look(), node: el('section', { class: 'stack tight' }, el('h2', { text: title }), el('p', { class: 'soft', text }), body) };
}

export function workView(place, params, query, signal) {
	const files = section([t('exports.title'), t('exports.text'), t('exports.none'), t('exports.none_text')], signal, watchExports, (e, look) => exportTask(e, [t(`format.${e.format}`), ' · ', el('a', { href: link(`/events/${e.event}`), text: t('exports.event') })], look));
	const jobs = has('GET /v1/jobs') ? section([t('jobs.title'), t('jobs.text'), t('jobs.none'), t('jobs.none_text')], signal, watchJobs, jobTask) : null;
	fill(place, head(t('nav.work'), jobs && can('operator') ? [button(t('jobs.ask'), () => askPeriod(jobs.look)), button(t('jobs.again'), () => askAnalysis(jobs.look))] : null),
		el('div', { class: 'stack' }, jobs ? jobs.node : null, files.node));
}
