// SPDX-License-Identifier: MIT
/* A stretch of time on a line: where a moment lies, where the marks go. Milliseconds of UTC. */
import { clock, day, minute } from './time.js';

const S = 1000, MIN = 60 * S, H = 60 * MIN, D = 24 * H;
const STEPS = [1, 2, 5, 10, 15, 30].map((n) => n * S).concat([1, 2, 5, 10, 15, 30].map((n) => n * MIN),
	[1, 2, 3, 6, 12].map((n) => n * H), [1, 2, 7, 14, 28, 56].map((n) => n * D));

export const SHORTEST = 10 * S;
export const LONGEST = 400 * D;

export function clampRange(from, to) {
	const middle = (from + to) / 2;
	const length = Math.min(Math.max(to - from, SHORTEST), LONGEST);
	return [middle - length / 2, middle + length / 2];
}

/* Marks at round times of the reader's own clock, days by the calendar (one may have 23 hours). */
export function ticks(from, to, most) {
	const step = STEPS.find((s) => (to - from) / s <= most) || STEPS[STEPS.length - 1];
	const d = new Date(from), out = [];
	d.setHours(0, 0, 0, 0);
	if (step >= D) {
		const days = step / D;
		const number = Math.round((d.getTime() - d.getTimezoneOffset() * MIN) / D);
		for (d.setDate(d.getDate() - number % days); d.getTime() <= to; d.setDate(d.getDate() + days))
			if (d.getTime() >= from)
				out.push({ at: d.getTime(), text: day(d.getTime()), strong: true });
		return out;
	}
	for (let base = d.getTime(); base <= to; d.setDate(d.getDate() + 1), base = d.getTime()) {
		const next = new Date(d);
		next.setDate(next.getDate() + 1);
		for (let at = base; at < next.getTime() && at <= to; at += step)
			if (at >= from)
				out.push({ at, text: at === base ? day(at) : step < MIN ? clock(at) : minute(at), strong: at === base });
	}
	return out;
}
