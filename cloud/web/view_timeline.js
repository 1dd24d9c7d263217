// SPDX-License-Identifier: MIT
/* All cameras over time, and under it the events of the stretch that is shown. */
import { get } from './api.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { listen } from './live.js';
import { button, complain, field, head, iconButton } from './parts.js';
import { go, setQuery } from './router.js';
import { clampRange } from './scale.js';
import { summaryRow } from './summaries.js';
import { count, fromInput, moment, span, toInput, toNs } from './time.js';
import { Timeline } from './timeline.js';
import { lanesOf } from './lanes.js';

const MIN = 60000, H = 60 * MIN, D = 24 * H;
const PRESETS = [[15 * MIN, '15 min'], [H, '1 h'], [6 * H, '6 h'], [D, '1 d'], [7 * D, '7 d'], [30 * D, '30 d']];
const SHOWN = 60; // events below the line

export function timelineView(place, params, query, signal) {
	const now = Date.now(), at = Number(query.get('at')) || 0;
	let [from, to] = clampRange(Number(query.get('from')) || (at ? at - 10 * MIN : now - D), Number(query.get('to')) || (at ? at + 10 * MIN : now + H / 2));
	let round = null, timer = 0;
	const line = new Timeline({ from, to, onOpen: (id) => go(`/events/${id}`), onRange: (a, b) => { [from, to] = [a, b]; label(); clearTimeout(timer); timer = setTimeout(ask, 180); } });
	const range = el('p', { class: 'number timeline-range', role: 'status' }), list = el('section', { class: 'stack tight below' });
	const when = el('input', { type: 'datetime-local', on: { change: () => {
		const wanted = fromInput(when.value);
		if (wanted)
			line.go(wanted - (to - from) / 2, wanted + (to - from) / 2);
	} } });
	const presets = PRESETS.map(([length, text]) => button(text, () => line.go(Date.now() - length * 0.98, Date.now() + length * 0.02), { 'data-length': length }));

	function label() {
		range.textContent = `${moment(from)} – ${moment(to)} (${span((to - from) / 1000)})`;
		presets.forEach((b) => b.setAttribute('aria-pressed', String(Math.abs(Number(b.getAttribute('data-length')) - (to - from)) < 1000)));
		when.value = toInput((from + to) / 2);
	}

	async function ask() {
		if (round)
			round.abort();
		const mine = round = new AbortController();
		setQuery({ from: Math.floor(from), to: Math.ceil(to) });
		line.node.setAttribute('aria-busy', 'true');
		try {
			const width = to - from; // a little more on both sides, so that moving shows something at once
			const [lanes, found] = await Promise.all([lanesOf(from - width / 2, to + width / 2, mine.signal),
				get('/v1/summaries', { kind: 'event', from: toNs(from), to: toNs(to), limit: SHOWN }, mine.signal)]);
			if (signal.aborted || mine.signal.aborted)
				return;
			line.set(lanes);
			fill(list, el('h2', { text: found.next ? t('timeline.first', { n: SHOWN }) : t('timeline.events', { n: count(found.summaries.length) }) }),
				found.summaries.length ? el('ul', { class: 'event-list' }, found.summaries.map(summaryRow)) : el('p', { class: 'soft', text: t('timeline.none') }));
		} catch (error) {
			if (error.name !== 'AbortError')
				complain(error);
		}
		if (round === mine)
			line.node.removeAttribute('aria-busy');
	}

	fill(place, head(t('nav.timeline'), el('div', { class: 'row tight' }, presets)),
		el('div', { class: 'card stack tight' }, el('div', { class: 'row spread' }, range, el('div', { class: 'row tight' },
			iconButton(t('timeline.back'), 'left', () => line.pan(-0.5)), iconButton(t('timeline.on'), 'right', () => line.pan(0.5)),
			iconButton(t('timeline.closer'), 'plus', () => line.zoom(0.5)), iconButton(t('timeline.farther'), 'minus', () => line.zoom(2)),
			button(t('timeline.previous'), () => line.step(-1)), button(t('timeline.next'), () => line.step(1)), button(t('timeline.now'), () => line.now()))),
		line.node, el('div', { class: 'row spread' }, legend(), field(t('timeline.when'), when))), list);
	label();
	signal.addEventListener('abort', () => { line.end(); clearTimeout(timer); if (round) round.abort(); });
	for (const type of ['summary', 'event', 'again'])
		listen(type, () => { if (to > Date.now() - D) { clearTimeout(timer); timer = setTimeout(ask, 500); } }, signal);
	ask();
}

function legend() {
	return el('ul', { class: 'legend small' }, [['span event', 'timeline.key_event'], ['lane-ground', 'timeline.key_still'], ['gap lost', 'timeline.key_lost']].map(([c, key]) =>
		el('li', null, el('i', { class: `key ${c.replace(' ', '-')}` }), t(key))));
}
