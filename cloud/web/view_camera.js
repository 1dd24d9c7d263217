// SPDX-License-Identifier: MIT
/* One camera: its picture, how it is, what was lost, what is asked of it, and its latest events. */
import { get } from './api.js';
import { cameraActions } from './camera_actions.js';
import { cameras } from './cameras.js';
import { ledgerBar } from './chart.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { summaryRow } from './summaries.js';
import { listen } from './live.js';
import { badge, facts, head, linkButton, load, skeleton } from './parts.js';
import { picture } from './picture.js';
import { CLASSES, sum } from './reasons.js';
import { retuneCard } from './retune_card.js';
import { link } from './router.js';
import { has } from './session.js';
import { ago, count, moment } from './time.js';
import { drift, healthLine, stillOf } from './view_cameras.js';

export function cameraView(place, { id }, query, signal) {
	const show = async () => {
		const c = (await cameras(signal)).find((k) => k.id === id);
		if (!c)
			throw Object.assign(new Error(t('camera.unknown')), { status: 404 });
		const events = await get('/v1/summaries', { camera: c.id, kind: 'event', limit: 12 }, signal);
		return page(c, events.summaries, () => load(place, signal, null, show), signal);
	};
	load(place, signal, () => [skeleton(34, '40%'), el('div', { class: 'split' }, skeleton(420), skeleton(300))], show);
	for (const type of ['summary', 'camera', 'again'])
		listen(type, () => show().then((made) => !signal.aborted && !place.contains(document.activeElement) && fill(place, made)).catch(() => {}), signal);
}

function page(c, events, again, signal) {
	const still = el('div', null, stillOf(c, false));
	return [head(c.name, cameraActions(c, (src) => fill(still, picture({ src, alt: t('camera.snapshot_alt', { camera: c.name }), width: c.width, height: c.height, lazy: false })), again, signal), has('GET /v1/cameras/{}/desired') ? linkButton(t('camera.edit'), link(`/cameras/${c.id}/edit`), { icon: 'edit' }) : null),
		el('div', { class: 'split' }, el('div', { class: 'stack' }, el('section', { class: 'card stack tight' }, still, healthLine(c)),
			el('section', { class: 'stack tight' }, el('div', { class: 'row spread' }, el('h2', { text: t('camera.latest') }), el('a', { href: link('/events', { camera: c.id }), text: t('camera.all_events') })),
				events.length ? el('ul', { class: 'event-list' }, events.map(summaryRow)) : el('p', { class: 'soft', text: t('camera.no_events') }))),
		el('aside', { class: 'stack', 'aria-label': t('event.about') }, about(c), account(c), settings(c), retuneCard(c, signal)))];
}

function about(c) {
	return el('section', { class: 'card' }, el('h2', { text: t('event.about') }), facts([
		[t('word.device'), el('a', { href: link(`/devices/${c.device}`), text: c.device })], [t('camera.size'), c.width ? `${c.width} × ${c.height}` : null],
		[t('camera.last'), c.last_frame ? `${moment(Date.parse(c.last_frame))} (${ago(Date.parse(c.last_frame))})` : t('word.never')], [t('event.id'), el('code', { class: 'wrap', text: c.id })]]));
}

function account(c) {
	if (!c.ledger)
		return null;
	const lost = sum(c.ledger.lost);
	return el('section', { class: 'card stack tight' }, el('div', { class: 'row spread' }, el('h2', { text: t('nav.ledger') }), badge(lost ? t('ledger.some_lost', { n: count(lost) }) : t('ledger.lost_none'), lost ? 'lost' : 'good')),
		ledgerBar(c.ledger), facts(CLASSES.map((k) => [t(`ledger.${k}`), count(sum(c.ledger[k]))])), el('a', { class: 'small', href: link('/ledger', { camera: c.id }), text: t('camera.ledger_more') }));
}

function settings(c) {
	const s = c.settings;
	if (!s)
		return null;
	return el('section', { class: 'card stack tight' }, el('div', { class: 'row spread' }, el('h2', { text: t('settings.title') }), drift(c) ? badge(t('settings.drift'), 'warn') : badge(t(`desired.${s.state}`, {}, s.state || ''))),
		s.reason ? el('p', { class: 'note warn', text: s.reason }) : null, s.version !== undefined ? el('p', { class: 'small soft', text: t('settings.version', { version: s.version }) }) : null);
}
