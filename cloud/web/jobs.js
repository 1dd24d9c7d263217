// SPDX-License-Identifier: MIT
/*
 * Jobs: work over what is stored that outlives page and server, as the summary of an hour or a day. The
 * stream tells how far they have come; the list is looked at as well, should it have missed something.
 */
import { get, post, remove } from './api.js';
import { language, t } from './i18n.js';
import * as live from './live.js';
import { button, complain, form, linkButton, toast } from './parts.js';
import { link } from './router.js';
import { can } from './session.js';
import { watchList } from './tasks.js';
import { moment } from './time.js';

const HOUR = 3600000, DAY = 24 * HOUR;
const KIND = { queued: '', running: 'accent', done: 'good', failed: 'lost', cancelled: '' };
const goesOn = (j) => j.state === 'queued' || j.state === 'running';

export function watchJobs(signal, show, failed) {
	const look = watchList({ path: '/v1/jobs?limit=50', name: 'jobs', busy: goesOn, busyMs: 3000 }, signal, show, failed);
	for (const what of ['job', 'again'])
		live.listen(what, look, signal);
	return look;
}

/* One as a task (tasks.js); again: looks at them anew. */
export function jobTask(j, again) {
	const cancel = () => remove(`/v1/jobs/${j.id}`).then(again, complain);
	const span = [j.from, j.to].map((time) => moment(Date.parse(time))).join(' – ');
	return { id: j.id, state: j.ending ? 'ending' : j.state, title: t('jobs.period', { camera: j.camera }), label: t('jobs.progress', { camera: j.camera }),
		badge: [j.ending && goesOn(j) ? t('jobs.ending') : t(`jobs.${j.state}`), KIND[j.state]], progress: j.state === 'running' ? j.progress : undefined, detail: span, reason: j.error || '',
		actions: () => [goesOn(j) && can('operator') ? button(t('word.cancel'), cancel) : null,
			j.state === 'done' && j.result && j.result.summary ? linkButton(t('jobs.open'), link(`/summaries/${j.result.summary}`), { kind: 'primary' }) : null] };
}

/* A moment as an input of type datetime-local has it. */
const local = (ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60000).toISOString().slice(0, 16);
const ns = (ms) => String(BigInt(ms) * 1000000n);

/* Asks which camera and what time is to be summed up, and queues it. */
export async function askPeriod(again) {
	const now = Math.floor(Date.now() / 60000) * 60000;
	let cameras;
	try {
		({ cameras } = await get('/v1/cameras'));
	} catch (error) {
		complain(error);
		return;
	}
	const made = await form(t('jobs.ask'), [{ name: 'camera', label: t('word.camera'), options: cameras.map((c) => [c.id, c.name]) },
		{ name: 'from', label: t('jobs.from'), type: 'datetime-local', required: true, value: local(now - HOUR) },
		{ name: 'to', label: t('jobs.to'), type: 'datetime-local', required: true, value: local(now) },
		{ name: 'seconds', label: t('jobs.seconds'), type: 'number', required: true, min: 5, max: 600, value: 60, hint: t('jobs.seconds_hint') }], t('jobs.begin'), (v) => {
		const from = Date.parse(v.from), to = Date.parse(v.to), span = { [HOUR]: 'hour', [DAY]: 'day' }[to - from] || 'other';
		return post('/v1/jobs', { camera: v.camera, kind: 'period', from_ns: ns(from), to_ns: ns(to), settings: { seconds: Number(v.seconds), language: language(), span } });
	});
	if (made) {
		toast(t('jobs.begun'));
		again();
	}
}
