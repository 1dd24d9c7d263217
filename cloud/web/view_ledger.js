// SPDX-License-Identifier: MIT
/* The account of every frame that a driver delivered: "nothing moved" against "we lost it". */
import { cameraOptions, cameras, findCamera } from './cameras.js';
import { ledgerBar, ledgerChart } from './chart.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { badge, button, empty, field, head, load, select, skeleton, table } from './parts.js';
import { addCounts, CLASSES, reasonText, shade, sum } from './reasons.js';
import { inPieces, ledgerOf } from './ledger.js';
import { setQuery } from './router.js';
import { bytes, count, percent, span } from './time.js';

const H = 3600000;
const SPANS = [H, 6 * H, 24 * H, 7 * 24 * H];
const PIECES = 96;
const CAMERAS = 32; // that are looked up at once

export function ledgerView(place, params, query, signal) {
	let length = Number(query.get('span')) || 24 * H, camera = query.get('camera') || '';
	const body = el('div', { class: 'stack' }), cameraPlace = el('div');
	const presets = SPANS.map((s) => button(span(s / 1000), () => { length = s; show(); }));

	function show() {
		presets.forEach((b, i) => b.setAttribute('aria-pressed', String(SPANS[i] === length)));
		setQuery({ span: length === 24 * H ? '' : length, camera });
		load(body, signal, () => [skeleton(290), skeleton(220)], async () => {
			const list = await cameras(signal), to = Date.now(), from = to - length;
			const only = findCamera(list, camera);
			fill(cameraPlace, field(t('word.camera'), select(cameraOptions(list), only ? only.id : '', (v) => { camera = v; show(); })));
			const shown = list.filter((c) => !only || c === only);
			const histories = await Promise.all(shown.slice(0, CAMERAS).map((c) => ledgerOf(c, from, to, signal)));
			const known = histories.filter(Boolean), pieces = inPieces(known, from, to, PIECES);
			if (!shown.length)
				return empty(t('ledger.none'), t('ledger.none_text'));
			return [known.some((h) => h.length) ? overTime(pieces, from, to) : null, accounts(shown)];
		});
	}

	fill(place, head(t('nav.ledger'), el('div', { class: 'row tight' }, presets)), el('p', { class: 'soft lead', text: t('ledger.lead') }), el('div', { class: 'filters' }, cameraPlace), body);
	show();
}

function overTime(list, from, to) {
	const total = { passed: {}, dropped: {}, lost: {} };
	list.forEach((p) => CLASSES.forEach((k) => addCounts(total[k], p[k])));
	return el('section', { class: 'card stack' }, el('h2', { text: t('ledger.over_time') }), verdict(total), ledgerChart(list, from, to), legend(total));
}

function verdict(total) {
	const all = CLASSES.reduce((n, k) => n + sum(total[k]), 0), lost = sum(total.lost);
	const figure = (kind, key) => el('div', { class: `figure ${kind}` }, el('span', { class: 'big number', text: count(sum(total[kind])) }), el('span', { class: 'small soft', text: t(key) }),
		el('span', { class: 'small number soft', text: all ? percent(sum(total[kind]) / all, 1) : '' }));
	return el('div', { class: 'figures' }, figure('passed', 'ledger.passed_text'), figure('dropped', 'ledger.dropped_text'), figure('lost', lost ? 'ledger.lost_text' : 'ledger.lost_none'));
}

function legend(total) {
	return el('ul', { class: 'legend small' }, CLASSES.flatMap((kind) => Object.entries(total[kind]).filter(([, n]) => n).map(([reason, n]) =>
		el('li', { title: t(`ledger.${kind}`) }, el('i', { class: 'key', style: { background: shade(kind, reason) } }), `${reasonText(reason)} `, el('span', { class: 'number soft', text: count(n) })))));
}

function accounts(list) {
	return el('section', { class: 'stack' }, el('h2', { text: t('ledger.accounts') }), el('div', { class: 'grid-2' }, list.map(account)));
}

function account(c) {
	const l = c.ledger;
	if (!l)
		return el('section', { class: 'card' }, el('h3', { text: c.name }), el('p', { class: 'soft', text: t('ledger.no_account') }));
	const parts = CLASSES.reduce((n, k) => n + sum(l[k]), 0) + (l.pending || 0), whole = parts === l.delivered;
	const rows = CLASSES.flatMap((kind) => Object.entries(l[kind] || {}).filter(([, n]) => n).map(([reason, n]) => ({ kind, reason, n })));
	if (l.pending)
		rows.push({ kind: 'pending', reason: 'pending', n: l.pending });
	return el('section', { class: 'card stack tight flush' }, el('div', { class: 'row spread' }, el('h3', { text: c.name }), badge(t(whole ? 'ledger.whole' : 'ledger.broken'), whole ? 'good' : 'lost')),
		ledgerBar(l), table(t('ledger.account_of', { camera: c.name }), [
			{ title: t('ledger.became'), cell: (r) => el('span', { class: 'row tight' }, r.kind === 'pending' ? null : el('i', { class: 'dot', style: { background: shade(r.kind, r.reason) } }), t(`ledger.${r.kind}`)) },
			{ title: t('ledger.why'), cell: (r) => reasonText(r.reason) }, { title: t('ledger.frames'), number: true, cell: (r) => count(r.n) },
			{ title: t('ledger.share'), number: true, cell: (r) => (l.delivered ? percent(r.n / l.delivered, 1) : '') }], rows),
		el('p', { class: 'small soft', text: [t('ledger.delivered', { n: count(l.delivered) }), l.bytes_seen ? t('ledger.bytes', { passed: bytes(l.bytes_passed), seen: bytes(l.bytes_seen) }) : ''].join(' ') }));
}
