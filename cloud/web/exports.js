// SPDX-License-Identifier: MIT
/*
 * One's own exports: files of an event that the server makes while nobody waits, and keeps for a
 * quarter of an hour. They are looked at often while one is being made, and seldom otherwise.
 */
import { post, remove } from './api.js';
import { t } from './i18n.js';
import { button, complain, linkButton } from './parts.js';
import { watchList } from './tasks.js';
import { bytes, clock, count } from './time.js';

export const FORMATS = ['mp4', 'zip', 'manifest', 'signature'];
const KIND = { running: 'accent', ready: 'good', failed: 'lost', cancelled: '' };

export function watchExports(signal, show, failed) {
	return watchList({ path: '/v1/exports', name: 'exports', busy: (e) => e.state === 'running', busyMs: 500 }, signal, show, failed);
}

export function beginExport(event, format) {
	return post(`/v1/events/${encodeURIComponent(event)}/exports`, { format });
}

function detailOf(e) {
	const parts = [t('exports.frames', { n: count(e.frames) })];
	if (e.missing)
		parts.push(t('exports.missing', { n: count(e.missing) }));
	if (e.size !== null)
		parts.push(bytes(e.size));
	if (e.kept_until && e.state === 'ready')
		parts.push(t('exports.until', { time: clock(Date.parse(e.kept_until)) }));
	return parts.join(', ');
}

/* One as a task (tasks.js). title: a node or text; again: looks at them anew. */
export function exportTask(e, title, again) {
	const drop = () => remove(`/v1/exports/${e.id}`).then(again, complain);
	return { id: e.id, state: e.state, title, label: t('exports.progress', { format: t(`format.${e.format}`) }), badge: [t(`exports.${e.state}`), KIND[e.state]], progress: e.state === 'running' ? e.progress : undefined,
		detail: detailOf(e), reason: e.reason || (e.state === 'ready' && !e.complete ? t('exports.incomplete') : ''),
		actions: () => (e.state === 'running' ? [button(t('word.cancel'), drop)] : [e.state === 'ready' ? linkButton(t('exports.download'), `/v1/exports/${e.id}/file`, { icon: 'save', kind: 'primary', download: '' }) : null,
			button(t('exports.forget'), drop, { kind: 'plain danger' })]) };
}
