// SPDX-License-Identifier: MIT
/*
 * One's own exports: files of an event that the server makes while nobody waits, and keeps for a
 * quarter of an hour. They are looked at often while one is being made, and seldom otherwise.
 */
import { get, post, remove } from './api.js';
import { t } from './i18n.js';
import { button, complain, linkButton } from './parts.js';
import { bytes, clock, count } from './time.js';

const BUSY_MS = 500, IDLE_MS = 15000;
export const FORMATS = ['mp4', 'zip', 'manifest', 'signature'];
const KIND = { running: 'accent', ready: 'good', failed: 'lost', cancelled: '' };

/* show(exports) at once and whenever they were looked at; failed(error) if it is the first look that fails. Returns what looks now. */
export function watchExports(signal, show, failed) {
	let timer = 0, seen = false;
	async function look() {
		clearTimeout(timer);
		let list = null;
		try {
			list = (await get('/v1/exports', null, signal)).exports;
		} catch (error) {
			if (!signal.aborted && !seen && failed)
				failed(error);
		}
		if (signal.aborted)
			return;
		seen = seen || Boolean(list);
		if (list)
			show(list);
		timer = setTimeout(look, list && list.some((e) => e.state === 'running') ? BUSY_MS : IDLE_MS);
	}
	signal.addEventListener('abort', () => clearTimeout(timer));
	look();
	return look;
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
