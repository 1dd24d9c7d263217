// SPDX-License-Identifier: MIT
/*
 * The ledger over time. Above: frames that passed (blue) on those held back because nothing moved
 * (grey). Below, with a scale of its own so that a few among millions are seen: frames that were lost
 * (red). Arrows go from one piece of time to the next; what it holds is said below.
 */
import { el, fill, svg } from './dom.js';
import { t } from './i18n.js';
import { CLASSES, reasonText, shade, sum } from './reasons.js';
import { ticks } from './scale.js';
import { count, moment } from './time.js';

const HIGH = 150, LOW = 54, GAP = 22, FOOT = 20;

/* pieces: [{start, end, passed: {reason: n}, dropped: {…}, lost: {…}}], milliseconds, oldest first. */
export function ledgerChart(pieces, from, to) {
	const said = el('p', { class: 'chart-said small number', role: 'status', 'aria-live': 'polite', text: t('ledger.chart_hint') });
	const picture = svg('svg', { class: 'chart-svg', 'aria-hidden': 'true' });
	const field = el('div', { class: 'chart-field', tabindex: 0, role: 'group', 'aria-label': t('ledger.chart_label'), on: {
		keydown: (e) => {
			const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
			if (by && pieces.length) {
				e.preventDefault();
				choose(Math.min(Math.max((chosen < 0 ? (by > 0 ? -1 : pieces.length) : chosen) + by, 0), pieces.length - 1));
			}
		},
		pointermove: (e) => {
			const box = field.getBoundingClientRect(), at = from + (e.clientX - box.left) / box.width * (to - from);
			choose(pieces.findIndex((p) => at >= p.start && at < p.end));
		} } }, picture);
	let chosen = -1;

	function choose(i) {
		if (i === chosen)
			return;
		chosen = i;
		const p = pieces[i];
		said.textContent = p ? `${moment(p.start)}: ${CLASSES.map((k) => `${count(sum(p[k]))} ${t(`ledger.${k}`)}`).join(', ')}` +
			`${sum(p.lost) ? ` (${Object.keys(p.lost).map(reasonText).join(', ')})` : ''}` : t('ledger.chart_hint');
		draw();
	}

	function stack(x, w, base, height, most, piece, kinds) {
		const parts = [];
		let y = base;
		for (const kind of kinds)
			for (const [reason, n] of Object.entries(piece[kind] || {}))
				if (n) {
					const h = n / most * height;
					y -= h;
					parts.push(svg('rect', { x: x.toFixed(1), y: y.toFixed(2), width: w.toFixed(1), height: Math.max(h, 0.6).toFixed(2), style: { fill: shade(kind, reason) } }));
				}
		return parts;
	}

	function draw() {
		const width = Math.max(field.clientWidth, 200), x = (at) => (at - from) / (to - from) * width;
		const most = Math.max(1, ...pieces.map((p) => sum(p.passed) + sum(p.dropped))), mostLost = Math.max(1, ...pieces.map((p) => sum(p.lost)));
		const lowBase = HIGH + GAP + LOW, parts = [];
		for (const tick of ticks(from, to, Math.max(Math.floor(width / 84), 2)))
			parts.push(svg('path', { class: 'tick', d: `M${x(tick.at).toFixed(1)} 0V${lowBase}` }), x(tick.at) > 24 && x(tick.at) < width - 24 ?
				svg('text', { class: 'tick-text', x: x(tick.at), y: lowBase + 15, 'text-anchor': 'middle', text: tick.text }) : '');
		pieces.forEach((p, i) => {
			const w = Math.max(x(p.end) - x(p.start) - 1, 1.5);
			if (i === chosen)
				parts.push(svg('rect', { class: 'chart-chosen', x: x(p.start) - 1, y: 0, width: w + 2, height: lowBase }));
			parts.push(stack(x(p.start), w, HIGH, HIGH - 14, most, p, ['dropped', 'passed']), stack(x(p.start), w, lowBase, LOW - 12, mostLost, p, ['lost']));
		});
		parts.push(svg('path', { class: 'axis', d: `M0 ${HIGH}H${width}M0 ${lowBase}H${width}` }),
			svg('text', { class: 'chart-title', x: 4, y: 11, text: t('ledger.chart_frames', { n: count(most) }) }),
			svg('text', { class: 'chart-title', x: 4, y: HIGH + GAP - 4, text: pieces.some((p) => sum(p.lost)) ? t('ledger.chart_lost', { n: count(mostLost) }) : t('ledger.chart_none_lost') }));
		picture.setAttribute('width', width);
		picture.setAttribute('height', lowBase + FOOT);
		fill(picture, parts);
	}

	const watch = new ResizeObserver(draw);
	watch.observe(field);
	return el('div', { class: 'chart' }, field, said);
}

/* One camera's whole account as a bar: what passed, what was held back, what was lost. */
export function ledgerBar(totals) {
	const all = CLASSES.reduce((n, k) => n + sum(totals[k]), 0) || 1;
	return el('div', { class: 'ledger-bar', role: 'img', 'aria-label': CLASSES.map((k) => `${count(sum(totals[k]))} ${t(`ledger.${k}`)}`).join(', ') },
		CLASSES.flatMap((kind) => Object.entries(totals[kind] || {}).filter(([, n]) => n).map(([reason, n]) =>
			el('i', { title: `${reasonText(reason)}: ${count(n)}`, style: { 'flex-grow': n / all * 1000, background: shade(kind, reason) } }))));
}
