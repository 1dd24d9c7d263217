// SPDX-License-Identifier: MIT
/*
 * A new shape, put down point by point: by a tap or click, or by Enter where the arrows have moved the
 * cross hairs. A point put once more at the last or the first one ends it. A line ends with its second.
 */
import { KINDS, rectangle } from './shapes.js';

/* near: two places at most so far apart are one; made(points) once it is whole. */
export function pen(kind, width, height, made) {
	const p = { kind, points: [], at: [width / 2, height / 2], keys: false };
	const { least, most } = KINDS[kind];
	const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

	p.canFinish = () => p.points.length >= least;
	p.finish = () => p.canFinish() && made(p.points);
	p.put = (at, near) => {
		const ends = p.points.length && [p.points[0], p.points[p.points.length - 1]].some((q) => apart(q, at) <= near);
		if (ends)
			return p.finish();
		p.points.push([...at]);
		return p.points.length === most ? p.finish() : undefined;
	};
	p.back = () => p.points.pop();
	/* A drag on free ground: a rectangle, or the line itself. */
	p.sweep = (a, b) => made(most === 2 ? [a, b] : rectangle(Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1])));
	return p;
}
