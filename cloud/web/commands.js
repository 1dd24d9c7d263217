// SPDX-License-Identifier: MIT
/* Something asked of a device now, and its answer awaited: the device may be slow, or away. */
import { call, get, post } from './api.js';
import { t } from './i18n.js';

const OVER = ['done', 'refused', 'failed', 'no_answer'];

/* Resolves with the result; throws an Error with a sentence for people. */
export async function command(device, body, signal, wait_s = 15) {
	const { request } = await post(`/v1/devices/${encodeURIComponent(device)}/commands`, { deadline_s: wait_s, ...body });
	const until = Date.now() + (wait_s + 5) * 1000;
	for (let ms = 150; Date.now() < until && !signal.aborted; ms = Math.min(ms * 1.5, 2000)) {
		const answer = await get(`/v1/commands/${request}`, null, signal);
		if (answer.state === 'done')
			return answer.result || {};
		if (OVER.includes(answer.state))
			throw new Error(answer.reason || t(`command.${answer.state}`, { device }));
		await new Promise((resolve) => setTimeout(resolve, ms));
	}
	throw new Error(t('command.no_answer', { device }));
}

/* A snapshot is answered when the gate has let it through; it is stored a moment later. */
async function stored(src, signal) {
	for (let tries = 0; ; tries++) {
		try {
			return await call('HEAD', src, { signal });
		} catch (error) {
			if (error.status !== 404 || tries === 40)
				throw error;
		}
		await new Promise((resume) => { setTimeout(resume, 250); });
	}
}

/* A picture of the camera as it is now, stored: its address. */
export async function snapshot(c, signal) {
	const r = await command(c.device, { command: 'snapshot', camera: c.name }, signal);
	const src = `/v1/cameras/${c.id}/frames/${r.epoch}/${r.sequence}`;
	await stored(src, signal);
	return src;
}
