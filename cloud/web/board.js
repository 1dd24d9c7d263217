// SPDX-License-Identifier: MIT
/*
 * The shapes of one picture, which of them and which corner is chosen, and every step, so that each can
 * be undone. How they are shown is stage.js's and shape_list.js's; both are told by listeners.
 */
import { KINDS } from './shapes.js';

const STEPS_MAX = 200;

/* shapes is changed in place. */
export function board(shapes, width, height) {
	const listeners = [], done = [], undone = [];
	let kept = structuredClone(shapes), last = '';
	const b = { shapes, width, height, chosen: -1, corner: -1 };

	const tell = () => listeners.forEach((l) => l());
	const shape = () => shapes[b.chosen];
	const within = (v, most) => Math.min(Math.max(v, 0), most);
	b.listen = (listener) => listeners.push(listener);
	b.clamp = ([x, y]) => [within(x, width), within(y, height)];

	/* What was changed is one step. Steps of one name that follow each other are one: a key that is held. */
	b.step = (name = '') => {
		if (!name || name !== last) {
			done.push(kept);
			if (done.length > STEPS_MAX)
				done.shift();
		}
		undone.length = 0;
		kept = structuredClone(shapes);
		last = name;
		tell();
	};

	function go(from, to) {
		if (!from.length)
			return;
		to.push(kept);
		kept = from.pop();
		shapes.splice(0, shapes.length, ...structuredClone(kept));
		last = '';
		b.choose(b.chosen < shapes.length ? b.chosen : -1, -1);
	}
	b.undo = () => go(done, undone);
	b.redo = () => go(undone, done);
	b.canUndo = () => done.length > 0;
	b.canRedo = () => undone.length > 0;

	b.choose = (n, corner = -1) => {
		b.chosen = n;
		b.corner = shapes[n] && corner < shapes[n].points.length ? corner : -1;
		tell();
	};

	b.add = (made) => {
		shapes.push(made);
		b.chosen = shapes.length - 1;
		b.corner = -1;
		b.step();
	};
	b.remove = (n) => {
		shapes.splice(n, 1);
		b.chosen = b.corner = -1;
		b.step();
	};

	/* The whole shape, without losing its form at the border. No step: a drag is one when it ends. */
	b.shift = (dx, dy) => {
		const range = (i, most, d) => Math.min(Math.max(d, -Math.min(...shape().points.map((p) => p[i]))), most - Math.max(...shape().points.map((p) => p[i])));
		const x = range(0, width, dx), y = range(1, height, dy);
		shape().points.forEach((p) => { p[0] += x; p[1] += y; });
	};
	b.shiftCorner = (dx, dy) => {
		const p = shape().points[b.corner];
		shape().points[b.corner] = b.clamp([p[0] + dx, p[1] + dy]);
	};

	b.canAddCorner = () => Boolean(shape()) && shape().points.length < KINDS[shape().kind].most;
	b.canRemoveCorner = () => Boolean(shape()) && b.corner >= 0 && shape().points.length > KINDS[shape().kind].least;
	/* A corner on the side after corner i; without a place in its middle. It is chosen. No step. */
	b.splitSide = (i, at) => {
		const p = shape().points, a = p[i], c = p[(i + 1) % p.length];
		p.splice(i + 1, 0, at || [(a[0] + c[0]) / 2, (a[1] + c[1]) / 2]);
		b.corner = i + 1;
	};
	b.removeCorner = () => {
		shape().points.splice(b.corner, 1);
		b.corner = Math.min(b.corner, shape().points.length - 1);
		b.step();
	};
	return b;
}
