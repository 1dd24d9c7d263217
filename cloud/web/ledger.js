// SPDX-License-Identifier: MIT
/* Ledgers over time: asked for span by span, brought into pieces of equal length. */
import { get } from './api.js';
import { CLASSES } from './reasons.js';
import { has } from './session.js';
import { fromNs, toNs } from './time.js';

const PAGES = 8; // of 3000 spans; what lies beyond is not looked at

/* Spans of a camera: [{start, end, passed, dropped, lost}], oldest first; null where the server keeps none. */
export async function ledgerOf(c, from, to, signal) {
	const out = [];
	let at = toNs(from);
	if (!has('GET /v1/cameras/{}/ledger'))
		return null;
	for (let page = 0; page < PAGES; page++) {
		const { spans, more } = await get(`/v1/cameras/${encodeURIComponent(c.id)}/ledger`, { from: at, to: toNs(to) }, signal);
		out.push(...spans.map((s) => ({ start: fromNs(s.start_ns), end: fromNs(s.end_ns), passed: s.ledger.passed, dropped: s.ledger.dropped, lost: s.ledger.lost })));
		if (!more || !spans.length)
			break;
		at = spans[spans.length - 1].end_ns;
	}
	return out;
}

/*
 * The spans of several cameras added up in count pieces of [from, to). A span that lies across pieces
 * is shared out by time, in whole frames, so that the sums stay what they are.
 */
export function inPieces(cameras, from, to, count) {
	const width = (to - from) / count;
	const pieces = Array.from({ length: count }, (_, i) => ({ start: from + i * width, end: from + (i + 1) * width, passed: {}, dropped: {}, lost: {} }));
	const inside = (n) => Math.min(Math.max(n, 0), count - 1);
	for (const span of cameras.flat()) {
		const first = inside(Math.floor((span.start - from) / width)), last = Math.max(inside(Math.ceil((span.end - from) / width) - 1), first);
		const until = (i) => (i >= last ? 1 : Math.min((from + (i + 1) * width - span.start) / (span.end - span.start), 1));
		for (const kind of CLASSES)
			for (const [reason, total] of Object.entries(span[kind]))
				for (let i = first, given = 0; i <= last && total; i++) {
					const share = Math.floor(total * until(i)) - given;
					given += share;
					if (share)
						pieces[i][kind][reason] = (pieces[i][kind][reason] || 0) + share;
				}
	}
	return pieces;
}
