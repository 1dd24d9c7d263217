// SPDX-License-Identifier: MIT
/* All events, newest first. New ones are announced and shown when asked for: a list that is read does not move. */
import { cameraOptions, cameras, findCamera } from './cameras.js';
import { el, fill } from './dom.js';
import { className, t } from './i18n.js';
import { listen } from './live.js';
import { button, empty, field, head, linkButton, select } from './parts.js';
import { link, setQuery } from './router.js';
import { summaryList } from './list.js';

export const CLASSES = ['person-like', 'vehicle-like', 'animal-like', 'small', 'unknown'];
const KINDS = ['event', 'digest', 'period', 'analysis'];

export function eventsView(place, params, query, signal) {
	const chosen = { camera: query.get('camera') || '', kind: query.get('kind') || 'event', class: query.get('class') || '' };
	const results = el('div'), fresh = el('div', { role: 'status', 'aria-live': 'polite' });
	let round = null, waiting = 0;

	function show() {
		if (round)
			round.abort();
		round = new AbortController();
		signal.addEventListener('abort', () => round.abort());
		waiting = 0;
		fill(fresh);
		setQuery({ ...chosen, kind: chosen.kind === 'event' ? '' : chosen.kind });
		fill(results, summaryList(chosen, round.signal, chosen.camera || chosen.class ? empty(t('events.none_here'), t('events.none_here_text'), button(t('events.clear'), clear)) :
			empty(t('events.none'), t('events.none_text'), linkButton(t('nav.devices'), '#/devices', { icon: 'devices' }))));
	}

	function clear() {
		chosen.camera = chosen.class = '';
		fields(known);
		show();
	}

	let known = [];
	const filters = el('div', { class: 'filters' });
	function fields(list) {
		known = list;
		const set = (name) => (v) => { chosen[name] = v; show(); };
		fill(filters, field(t('word.camera'), select(cameraOptions(list), (findCamera(list, chosen.camera) || { id: '' }).id, set('camera'))),
			field(t('events.kind'), select([...KINDS.map((k) => [k, t(`kind.${k}`)])], chosen.kind, set('kind'))),
			field(t('track.what'), select([['', t('word.all')], ...CLASSES.map((c) => [c, className(c)])], chosen.class, set('class'))));
	}

	listen('summary', (s) => {
		if (s.kind && s.kind !== chosen.kind)
			return;
		waiting++;
		fill(fresh, button(t('events.fresh', { n: waiting }), show, { kind: 'primary' }));
	}, signal);
	listen('again', () => { waiting = Math.max(waiting, 1); fill(fresh, button(t('events.refresh'), show)); }, signal);
	fill(place, head(t('nav.events'), fresh, linkButton(t('nav.search'), link('/search'), { icon: 'search' })), filters, results);
	fields([]);
	cameras(signal).then(fields).catch(() => {});
	show();
}
