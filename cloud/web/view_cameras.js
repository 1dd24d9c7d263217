// SPDX-License-Identifier: MIT
/* Every camera with its last picture and how it is; those that are lost come first. */
import { cameras, health, STATES, stillUrl } from './cameras.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { listen } from './live.js';
import { badge, empty, head, linkButton, load, skeleton } from './parts.js';
import { noPicture, picture } from './picture.js';
import { link } from './router.js';
import { can, has } from './session.js';
import { ago } from './time.js';


export const KIND = { lost: 'lost', moving: 'accent', still: '', paused: 'warn', new: 'outline' };

export function healthLine(c) {
	const h = health(c);
	return el('div', { class: 'health' }, badge(h.text, KIND[h.state]), el('span', { class: 'small soft', text: h.detail }));
}

export function stillOf(c, lazy = true) {
	if (!c.last_frame || !has('GET /v1/cameras/{}/still'))
		return noPicture(t(c.last_frame ? 'camera.no_still' : 'camera.no_frame'), c.width, c.height);
	return picture({ src: stillUrl(c), alt: t('camera.still', { camera: c.name, ago: ago(Date.parse(c.last_frame)) }), width: c.width, height: c.height, lazy });
}

function card(c) {
	return el('li', { class: `camera-card ${health(c).state}` }, el('a', { class: 'camera-link', href: link(`/cameras/${c.id}`), tabindex: -1, 'aria-hidden': 'true' }, stillOf(c)),
		el('div', { class: 'camera-body' }, el('div', { class: 'row spread' }, el('h2', { class: 'clip' }, el('a', { href: link(`/cameras/${c.id}`), text: c.name })),
			el('span', { class: 'small soft number', text: c.last_frame ? ago(Date.parse(c.last_frame)) : '' })), healthLine(c),
		el('div', { class: 'row tight small' }, badge(c.device, 'outline'), drift(c) ? badge(t('settings.drift'), 'warn') : null)));
}

export function drift(c) {
	const s = c.settings;
	return c.drift || Boolean(s && s.state === 'refused');
}

export function camerasView(place, params, query, signal) {
	const counts = el('div', { class: 'row tight' }), body = el('div');
	fill(place, head(t('nav.cameras'), counts), body);

	function show(list) {
		list.sort((a, b) => STATES.indexOf(health(a).state) - STATES.indexOf(health(b).state) || a.name.localeCompare(b.name));
		fill(counts, STATES.map((state) => [state, list.filter((c) => health(c).state === state).length]).filter(([, n]) => n)
			.map(([state, n]) => badge(`${n} ${t(`health.${state}`)}`, KIND[state])));
		return list.length ? el('ul', { class: 'camera-grid' }, list.map(card)) :
			empty(t('cameras.none'), t('cameras.none_text'), can('operator') ? linkButton(t('devices.enrol'), '#/devices?enrol=1', { kind: 'primary', icon: 'plus' }) : null);
	}

	load(body, signal, () => el('ul', { class: 'camera-grid' }, [1, 2, 3].map(() => el('li', null, skeleton(250)))), async () => show(await cameras(signal)));
	let asking = false;
	const again = async () => {
		if (asking || signal.aborted || document.hidden)
			return;
		asking = true;
		try {
			const list = await cameras(signal);
			if (!signal.aborted)
				fill(body, show(list));
		} catch { /* the banner says that nothing is live */ }
		asking = false;
	};
	for (const type of ['again', 'event', 'summary', 'camera', 'device'])
		listen(type, again, signal);
	const timer = setInterval(again, 15000);
	signal.addEventListener('abort', () => clearInterval(timer));
}
