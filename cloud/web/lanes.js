// SPDX-License-Identifier: MIT
/* What the timeline shows of each camera, gathered from events, counts and the ledgers. */
import { get } from './api.js';
import { cameras } from './cameras.js';
import { t } from './i18n.js';
import { ledgerOf } from './ledger.js';
import { reasonText, sum } from './reasons.js';
import { has } from './session.js';
import { count, fromNs, toNs } from './time.js';

const NEAR = 400;   // so many events are drawn one by one
const PIECES = 240; // of time, else
const LEDGERS = 16; // cameras whose losses are looked up

export async function lanesOf(from, to, signal) {
	const range = { from: toNs(from), to: toNs(to) };
	const [list, near] = await Promise.all([cameras(signal), get('/v1/summaries', { ...range, kind: 'event', limit: NEAR }, signal)]);
	const counts = near.next && has('GET /v1/timeline') ? await get('/v1/timeline', { ...range, buckets: PIECES }, signal) : null;
	const ledgers = await Promise.all(list.slice(0, LEDGERS).map((c) => ledgerOf(c, from, to, signal)));
	return list.map((c, i) => ({ id: c.id, name: c.name, events: counts ? [] : near.summaries.filter((s) => s.camera_id === c.id).map(spanOf),
		buckets: counts ? bucketsOf(counts, c) : [], gaps: ledgers[i] ? gapsOf(ledgers[i]) : [] }));
}

function spanOf(s) {
	return { id: s.id, start: fromNs(s.start_ns), end: fromNs(s.end_ns), title: s.title || t('event.untitled'),
		kind: s.nuisance || s.reason === 'scene_change' || s.reason === 'tamper' ? 'odd' : 'event' };
}

function bucketsOf(counts, c) {
	const lane = counts.cameras.find((k) => k.id === c.id), first = fromNs(counts.from_ns), width = Number(counts.width_ns) / 1e6;
	return lane ? lane.buckets.map(([n, events]) => ({ start: first + n * width, end: first + (n + 1) * width, count: events })) : [];
}

function gapsOf(spans) {
	return spans.filter((s) => sum(s.lost)).map((s) => ({ start: s.start, end: s.end, kind: 'lost',
		text: t('timeline.lost', { n: count(sum(s.lost)), why: Object.keys(s.lost).filter((r) => s.lost[r]).map(reasonText).join(', ') }) }));
}
