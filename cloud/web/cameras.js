// SPDX-License-Identifier: MIT
/*
 * Cameras and how they are. "Nothing moves" is said only of a camera whose device is connected and
 * whose frames come (one does every minute also where nothing moves); whatever keeps us from knowing
 * is "we lost it", with the reason; so is a camera that nobody looks at for want of room.
 */
import { get } from './api.js';
import { t } from './i18n.js';
import { sum } from './reasons.js';
import { has } from './session.js';
import { ago, count } from './time.js';

/* With `moving` for those that have an event under way, and what their device said of them last. */
export async function cameras(signal) {
	const [{ cameras: list }, open, { devices }] = await Promise.all([get('/v1/cameras', null, signal),
		has('GET /v1/events/open') ? get('/v1/events/open', null, signal) : { events: [] }, get('/v1/devices', null, signal)]);
	for (const c of list) {
		const device = devices.find((d) => d.name === c.device) || {}, told = (device.cameras || []).find((k) => k.id === c.id) || {};
		c.moving = open.events.some((e) => e.camera_id === c.id);
		c.paused = Boolean(told.paused);
		c.differs = told.drift || {};
		c.drift = Object.keys(c.differs).length > 0;
		c.allows = device.allows; // undefined: this server does not know
	}
	return list;
}

const STALE_MS = 150000; // one frame a minute comes also where nothing moves

export const STATES = ['lost', 'moving', 'paused', 'still', 'new'];

/* {state: one of STATES, text, detail} */
export function health(c) {
	const last = c.last_frame ? ago(Date.parse(c.last_frame)) : '', lost = sum(c.ledger && c.ledger.lost);
	const say = (state, detail) => ({ state, text: t(`health.${state}`), detail });
	if (c.state === 'never' || (!c.last_frame && c.state !== 'live'))
		return say('new', t('health.new_text'));
	if (c.paused)
		return say('paused', t('health.paused_text'));
	if (c.state === 'offline')
		return say('lost', t('health.away', { ago: last }));
	if (c.state === 'silent' || (!c.state && Date.now() - Date.parse(c.last_frame) > STALE_MS))
		return say('lost', t('health.silent', { ago: last }));
	if (c.state === 'closed')
		return say('lost', t('health.closed', { ago: last }));
	if (c.analysed === false)
		return say('lost', t('health.unseen'));
	if (c.moving)
		return say('moving', t('health.moving_text'));
	return say('still', lost ? t('health.still_lost', { n: count(lost) }) : t('health.still_text'));
}

/* For a <select>: by id, since two devices may have a camera of the same name. */
export function cameraOptions(list) {
	const twice = (c) => list.some((k) => k !== c && k.name === c.name);
	return [['', t('word.all')], ...list.map((c) => [c.id, twice(c) ? `${c.name} (${c.device})` : c.name])];
}

/* The one of that id or, in an address that a person typed, of that name. */
export function findCamera(list, asked) {
	return list.find((c) => c.id === asked) || list.find((c) => c.name === asked);
}

export function stillUrl(c, at_ns) {
	return `/v1/cameras/${encodeURIComponent(c.id)}/still${at_ns ? `?t=${at_ns}` : ''}`;
}
