// SPDX-License-Identifier: MIT
/*
 * Jobs: work over what is stored that outlives page and server, as the summary of an hour or a day, or an
 * analysis with other settings. The
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
	return { id: j.id, state: j.ending ? 'ending' : j.state, title: t(`jobs.${j.kind}`, { camera: j.camera }), label: t('jobs.progress', { camera: j.camera }),
		badge: [j.ending && goesOn(j) ? t('jobs.ending') : t(`jobs.${j.state}`), KIND[j.state]], progress: j.state === 'running' ? j.progress : undefined, detail: span, reason: j.error || '',
		actions: () => [goesOn(j) && can('operator') ? button(t('word.cancel'), cancel) : null,
			j.state === 'done' && j.result && j.result.summary ? linkButton(t('jobs.open'), link(`/summaries/${j.result.summary}`), { kind: 'primary' }) : null] };
}

/* A moment as an input of type datetime-local has it. */
const local = (ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60000).toISOString().slice(0, 16);
const ns = (ms) => String(BigInt(ms) * 1000000n);

/* Asks which camera and what time it is about, and what else there is to say, and queues it. */
async function askJob(again, title, fields, toJob) {
	const now = Math.floor(Date.now() / 60000) * 60000;
	let cameras;
	try {
		({ cameras } = await get('/v1/cameras'));
	} catch (error) {
		complain(error);
		return;
	}
	const made = await form(title, [{ name: 'camera', label: t('word.camera'), options: cameras.map((c) => [c.id, c.name]) },
		{ name: 'from', label: t('jobs.from'), type: 'datetime-local', required: true, value: local(now - HOUR) },
		{ name: 'to', label: t('jobs.to'), type: 'datetime-local', required: true, value: local(now) }, ...fields], t('jobs.begin'), (v) => {
		const from = Date.parse(v.from), to = Date.parse(v.to);
		return post('/v1/jobs', { camera: v.camera, from_ns: ns(from), to_ns: ns(to), ...toJob(v, to - from) });
	});
	if (made) {
		toast(t('jobs.begun'));
		again();
	}
}

export function askPeriod(again) {
	return askJob(again, t('jobs.ask'), [{ name: 'seconds', label: t('jobs.seconds'), type: 'number', required: true, min: 5, max: 600, value: 60, hint: t('jobs.seconds_hint') }],
		(v, ms) => ({ kind: 'period', settings: { seconds: Number(v.seconds), language: language(), span: { [HOUR]: 'hour', [DAY]: 'day' }[ms] || 'other' } }));
}

export function askAnalysis(again) {
	const models = ['mean', 'mixture', 'sigma-delta', 'median'];
	return askJob(again, t('jobs.again'), [{ name: 'model', label: t('jobs.model'), options: [['', t('jobs.usual')], ...models.map((m) => [m, m])] },
		{ name: 'sensitivity', label: t('jobs.sensitivity'), type: 'number', required: true, min: 0.5, max: 4, step: 0.1, value: 1, hint: t('jobs.sensitivity_hint') }],
	(v) => ({ kind: 'reanalyse', settings: { ...(v.model ? { model: v.model } : {}), sensitivity: Number(v.sensitivity) } }));
}
