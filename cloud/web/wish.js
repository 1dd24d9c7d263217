// SPDX-License-Identifier: MIT
/* What is asked of a camera's gate, and how its device stands to it: applied, refused and why, or different. */
import { el } from './dom.js';
import { t } from './i18n.js';
import { badge, table } from './parts.js';
import { ago } from './time.js';

const KIND = { none: 'outline', waiting: 'warn', asked: 'accent', applied: 'good', in_sync: 'good', refused: 'lost', conflict: 'lost' };

export function wishBadge(state) {
	return badge(t(`desired.${state}`, {}, state), KIND[state] || '');
}

/* Of a map only its name is told, so that only one can be known: that there is none. */
function say(name, value) {
	if (name === 'map')
		return t(value === 'none' || value === null ? 'settings.map_none' : 'settings.map_some');
	return value === null ? t('settings.not_known') : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/* drift: {name: {desired, actual}} */
export function driftTable(drift) {
	const rows = Object.entries(drift || {});
	return rows.length ? [el('h3', { text: t('settings.drift') }), table(t('settings.drift'), [{ title: t('settings.name'), cell: ([name]) => t(`setting.${name}`, {}, name) },
		{ title: t('settings.desired'), cell: ([name, d]) => say(name, d.desired) }, { title: t('settings.actual'), cell: ([name, d]) => (name === 'map' && d.actual !== 'none' ? t('settings.map_other') : say(name, d.actual)) }], rows)] : null;
}

/* What stands in the card of a camera: wish is the answer of GET /v1/cameras/{}/desired. */
export function wishStatus(wish, device) {
	return [el('div', { class: 'row spread' }, el('h2', { text: t('settings.state') }), wishBadge(wish.state)),
		el('p', { class: 'small soft', text: t(wish.state === 'waiting' && wish.connected ? 'desired.waiting_busy' : `desired.${wish.state}_text`, { device, version: wish.version ?? '', ago: wish.state_at ? ago(Date.parse(wish.state_at)) : '' }, '') }),
		wish.reason ? el('p', { class: 'note warn', text: wish.reason }) : null,
		(wish.from || []).length ? el('p', { class: 'small soft', text: t('settings.from', { groups: wish.from.join(', ') }) }) : null, driftTable(wish.drift)];
}
