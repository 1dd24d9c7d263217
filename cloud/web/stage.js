// SPDX-License-Identifier: MIT
/*
 * Polygons edited over a still. A drag on free ground draws a new one; a drag inside moves it, a
 * corner moves alone, the small mark on a side makes a new corner. Every corner can be reached with
 * Tab: arrows move it (with shift by one pixel), Delete takes it away.
 */
import { el, fill, svg } from './dom.js';
import { t } from './i18n.js';
import { cellPath, cells, POINTS_MAX, rectangle, SHAPES_MAX } from './shapes.js';

/* shapes is changed in place; onChange after each change, onChoose(index) when another is chosen, make(points): a new shape. */
export function stage({ picture, width, height, shapes, onChange, onChoose, make }) {
	const layer = svg('svg', { class: 'overlay stage-layer', viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': t('editor.stage') });
	const node = el('div', { class: 'editor-stage' }, picture, layer);
	let chosen = -1, drag = null, drawing = null;
	const inX = (x) => Math.min(Math.max(x, 0), width), inY = (y) => Math.min(Math.max(y, 0), height);

	function at(e) {
		const r = layer.getBoundingClientRect();
		return [inX((e.clientX - r.left) / r.width * width), inY((e.clientY - r.top) / r.height * height)];
	}

	function choose(n) {
		chosen = n;
		onChoose(n);
		draw();
	}

	function handle(shape, n, i) {
		const [x, y] = shape.points[i];
		return svg('circle', { class: 'corner', cx: x, cy: y, r: width / 90, tabindex: 0, role: 'button', 'data-corner': i,
			'aria-label': t('editor.corner', { n: i + 1, shape: n + 1, x: Math.round(x), y: Math.round(y) }) });
	}

	function middle(shape, i) {
		const a = shape.points[i], b = shape.points[(i + 1) % shape.points.length];
		return svg('circle', { class: 'side-mark', cx: (a[0] + b[0]) / 2, cy: (a[1] + b[1]) / 2, r: width / 150, 'data-side': i });
	}

	function draw() {
		const grid = cells(shapes, width, height);
		const focus = document.activeElement && layer.contains(document.activeElement) ? document.activeElement.getAttribute('data-corner') : null;
		fill(layer, shapes.map((shape, n) => svg('g', { class: `shape ${shape.kind} ${n === chosen ? 'chosen' : ''} ${shape.kind === 'zone' && shape.factor > 1 ? 'less' : ''}` },
			svg('path', { class: 'shape-cells', d: cellPath(grid, n) }), svg('polygon', { class: 'shape-outline', points: shape.points.map((p) => p.join(',')).join(' '), 'data-shape': n, 'stroke-width': width / 300 }))),
		shapes[chosen] ? [shapes[chosen].points.map((p, i) => middle(shapes[chosen], i)), shapes[chosen].points.map((p, i) => handle(shapes[chosen], chosen, i))] : null,
		drawing ? svg('rect', { class: 'drawing', x: drawing[0], y: drawing[1], width: drawing[2], height: drawing[3] }) : null);
		if (focus !== null) {
			const back = layer.querySelector(`[data-corner="${focus}"]`);
			if (back)
				back.focus();
		}
	}

	layer.addEventListener('pointerdown', (e) => {
		if (e.button)
			return;
		const corner = e.target.getAttribute('data-corner'), side = e.target.getAttribute('data-side'), shape = e.target.getAttribute('data-shape');
		const from = at(e);
		layer.setPointerCapture(e.pointerId);
		if (corner !== null) {
			drag = { points: [shapes[chosen].points[Number(corner)]], last: from };
		} else if (side !== null && shapes[chosen].points.length < POINTS_MAX) {
			shapes[chosen].points.splice(Number(side) + 1, 0, from);
			drag = { points: [from], last: [...from] };
			draw();
		} else if (shape !== null) {
			choose(Number(shape));
			drag = { points: shapes[chosen].points, last: from };
		} else if (shapes.length < SHAPES_MAX) {
			drag = { fresh: from };
		}
	});
	layer.addEventListener('pointermove', (e) => {
		if (!drag)
			return;
		const to = at(e);
		if (drag.fresh) {
			drawing = [Math.min(drag.fresh[0], to[0]), Math.min(drag.fresh[1], to[1]), Math.abs(to[0] - drag.fresh[0]), Math.abs(to[1] - drag.fresh[1])];
		} else {
			for (const p of drag.points) {
				p[0] = inX(p[0] + to[0] - drag.last[0]);
				p[1] = inY(p[1] + to[1] - drag.last[1]);
			}
			drag.last = to;
		}
		draw();
	});
	const end = () => {
		const made = drawing;
		if (!drag)
			return;
		drag = drawing = null;
		if (made && made[2] >= 8 && made[3] >= 8) {
			shapes.push(make(rectangle(...made)));
			choose(shapes.length - 1);
		}
		draw();
		onChange();
	};
	layer.addEventListener('pointerup', end);
	layer.addEventListener('pointercancel', end);
	layer.addEventListener('keydown', (e) => {
		const i = Number(e.target.getAttribute('data-corner')), shape = shapes[chosen], step = e.shiftKey ? 1 : 8;
		const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[e.key];
		if (!shape || e.target.getAttribute('data-corner') === null)
			return;
		if (by)
			shape.points[i] = [inX(shape.points[i][0] + by[0]), inY(shape.points[i][1] + by[1])];
		else if ((e.key === 'Delete' || e.key === 'Backspace') && shape.points.length > 3)
			shape.points.splice(i, 1);
		else
			return;
		e.preventDefault();
		draw();
		onChange();
	});
	draw();
	return { node, draw, choose };
}
