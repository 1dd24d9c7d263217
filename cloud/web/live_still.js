// SPDX-License-Identifier: MIT
/*
 * A camera's newest picture that stays the newest: looked after while the page is seen, and asked for
 * anew from the device where it lets us.
 */
import { get } from './api.js';
import { snapshot } from './commands.js';
import { stillUrl } from './cameras.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { button, complain } from './parts.js';
import { picture } from './picture.js';
import { can, has } from './session.js';
import { ago } from './time.js';
import { stillOf } from './view_cameras.js';

const EVERY_MS = 10000; // each new picture is a line of the audit log

export function liveStill(c, signal) {
	const place = el('div', null, stillOf(c, false)), said = el('span', { class: 'small soft number' });
	let taken = c.last_frame;
	const say = () => { said.textContent = taken ? t('still.taken', { ago: ago(Date.parse(taken)) }) : ''; };
	const put = (src, when) => {
		taken = when;
		fill(place, picture({ src, alt: t('camera.still', { camera: c.name, ago: ago(Date.parse(when)) }), width: c.width, height: c.height, lazy: false }));
		say();
	};
	const look = async () => {
		const fresh = document.hidden ? null : await get(`/v1/cameras/${encodeURIComponent(c.id)}`, null, signal);
		if (fresh && fresh.last_frame && fresh.last_frame !== taken && !signal.aborted && has('GET /v1/cameras/{}/still'))
			put(stillUrl(c, `${Date.parse(fresh.last_frame)}000000`), fresh.last_frame);
		say();
	};
	const fresh = can('operator') && has('POST /v1/devices/{}/commands') && (!c.allows || c.allows.includes('snapshot')) ? button(t('still.fresh'), async () => {
		fresh.disabled = true;
		try {
			put(await snapshot(c, signal), new Date().toISOString());
		} catch (error) {
			complain(error);
		}
		fresh.disabled = false;
	}, { icon: 'shot' }) : null;
	const timer = setInterval(() => look().catch(() => {}), EVERY_MS);
	signal.addEventListener('abort', () => clearInterval(timer));
	say();
	return { node: place, foot: el('div', { class: 'row spread' }, said, fresh) };
}
