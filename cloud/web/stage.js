// SPDX-License-Identifier: MIT
/*
 * A board of shapes over a still, with mouse, touch and keys. What is chosen has its corners: a drag
 * moves one, the mark on a side makes a new one; a drag inside moves it all. With keys: Tab to the
 * shape or a corner, arrows move it (with shift by one pixel), Delete takes it away, Insert or + makes
 * a corner after it. While a new shape is drawn (pen.js) all of that waits.
 */
import { el, fill, svg } from './dom.js';
import { t } from './i18n.js';
import { pen as makePen } from './pen.js';
import { cellPath, cells, KINDS } from './shapes.js';

const CORNER = 6, REACH = 14, REACH_TOUCH = 22, SWEEP = 8; // pixels of the screen
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/* make(kind, points): a new shape; say(text): for who cannot see; onPen(): what the pen does has changed. */
export function stage(board, picture, { make, say, onPen, signal }) {
	const { shapes, width, height } = board;
	const layer = svg('svg', { class: 'overlay stage-layer', viewBox: `0 0 ${width} ${height}` });
	const node = el('div', { class: 'editor-stage' }, picture, layer);
	const reach = matchMedia('(pointer: coarse)').matches ? REACH_TOUCH : REACH;
	let pen = null, drag = null, scale = 1; // of the picture's pixels to the screen's

	const at = (e) => {
		const r = layer.getBoundingClientRect();
		return board.clamp([(e.clientX - r.left) / r.width * width, (e.clientY - r.top) / r.height * height]);
	};
	const where = ([x, y]) => ({ x: Math.round(x), y: Math.round(y) });

	/* ---- what is shown ---- */

	const list = (points) => points.map((p) => p.join(',')).join(' ');

	/* The way that counts as forward: from the line's left to its right. */
	function lineArrow([a, b]) {
		const [dx, dy] = [b[0] - a[0], b[1] - a[1]], long = Math.hypot(dx, dy) || 1, reach_px = 22 * scale;
		const m = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], u = [-dy / long, dx / long], v = [dx / long, dy / long];
		const tip = [m[0] + u[0] * reach_px, m[1] + u[1] * reach_px], wing = (side) => [tip[0] - (u[0] + side * v[0]) * 7 * scale, tip[1] - (u[1] + side * v[1]) * 7 * scale];
		return svg('path', { class: 'line-arrow', d: `M${m}L${tip}M${wing(1)}L${tip}L${wing(-1)}` });
	}

	function drawShape(shape, n, grid) {
		const chosen = n === board.chosen && !pen;
		const kind = `shape ${shape.kind} ${chosen ? 'chosen' : ''} ${shape.kind === 'zone' && shape.factor > 1 ? 'less' : ''}`;
		const reached = chosen ? { tabindex: 0, role: 'button', 'aria-label': t('stage.shape', { n: n + 1, kind: t(`editor.${shape.kind}`) }) } : {};
		const outline = shape.kind === 'line' ? svg('polyline', { class: 'shape-outline', points: list(shape.points) }) : svg('polygon', { class: 'shape-outline', points: list(shape.points), 'data-shape': n, ...reached });
		return svg('g', { class: kind }, KINDS[shape.kind].list === 'map' ? svg('path', { class: 'shape-cells', d: cellPath(grid, n) }) : null, outline,
			shape.kind === 'line' ? [lineArrow(shape.points), svg('polyline', { class: 'line-reach', points: list(shape.points), 'stroke-width': reach * 2 * scale, 'data-shape': n, ...reached })] : null);
	}

	function drawCorners(shape) {
		const middle = (i) => {
			const a = shape.points[i], b = shape.points[(i + 1) % shape.points.length];
			return svg('circle', { class: 'side-mark', cx: (a[0] + b[0]) / 2, cy: (a[1] + b[1]) / 2, r: CORNER * 0.7 * scale, 'data-side': i });
		};
		return [board.canAddCorner() ? shape.points.map((p, i) => middle(i)) : null, shape.points.map(([x, y], i) => [
			svg('circle', { class: 'corner-reach', cx: x, cy: y, r: reach * scale, 'data-corner': i }),
			svg('circle', { class: `corner ${i === board.corner ? 'chosen' : ''}`, cx: x, cy: y, r: CORNER * scale, tabindex: 0, role: 'button', 'data-corner': i,
				'aria-label': t('editor.corner', { n: i + 1, shape: board.chosen + 1, ...where([x, y]) }) })])];
	}

	function drawPen() {
		const { points, at: [x, y] } = pen, end = drag && drag.sweep ? drag.to : null;
		return svg('g', { class: `pen ${pen.kind}` }, end ? svg(KINDS[pen.kind].most === 2 ? 'line' : 'rect', KINDS[pen.kind].most === 2 ? { x1: drag.from[0], y1: drag.from[1], x2: end[0], y2: end[1] } :
			{ x: Math.min(drag.from[0], end[0]), y: Math.min(drag.from[1], end[1]), width: Math.abs(drag.from[0] - end[0]), height: Math.abs(drag.from[1] - end[1]) }) :
			points.length ? svg('polyline', { points: list([...points, pen.at]) }) : null,
		points.map((p, i) => svg('circle', { class: `pen-point ${i ? '' : 'first'}`, cx: p[0], cy: p[1], r: CORNER * scale })),
		pen.keys ? svg('path', { class: 'cross', d: `M${x} 0V${height}M0 ${y}H${width}` }) : null);
	}

	function draw() {
		const focus = document.activeElement, held = layer.contains(focus) ? [focus.getAttribute('data-corner'), focus.getAttribute('data-shape')] : null;
		const grid = cells(shapes, width, height), shape = shapes[board.chosen];
		scale = width / (layer.getBoundingClientRect().width || width);
		layer.classList.toggle('drawing', Boolean(pen));
		fill(layer, shapes.map((s, n) => drawShape(s, n, grid)), pen ? drawPen() : shape ? drawCorners(shape) : null);
		if (held) // what had the focus was made anew
			focusOn(held[0] !== null ? `.corner[data-corner="${board.corner < 0 ? held[0] : board.corner}"]` : held[1] !== null ? '[tabindex][data-shape]' : null);
	}

	function focusOn(selector) {
		const found = selector && layer.querySelector(selector);
		if (found && found !== document.activeElement)
			found.focus({ preventScroll: true });
	}

	/* ---- the pen ---- */

	function endPen() {
		pen = drag = null;
		for (const name of ['tabindex', 'role', 'aria-label'])
			layer.removeAttribute(name);
		layer.setAttribute('role', 'group');
		layer.setAttribute('aria-label', t('editor.stage'));
		onPen();
	}

	/* keys: it was begun with a key, so that the cross hairs are wanted at once. */
	function begin(kind, keys) {
		pen = makePen(kind, width, height, (points) => {
			endPen();
			board.add(make(kind, points));
			say(t('stage.made', { kind: t(`editor.${kind}`) }));
			focusOn('.corner');
		});
		pen.keys = keys;
		board.choose(-1);
		layer.setAttribute('tabindex', '0');
		layer.setAttribute('role', 'application');
		layer.setAttribute('aria-label', t('stage.pen', { kind: t(`editor.${kind}`) }));
		layer.focus({ preventScroll: true });
		onPen();
		draw();
	}

	function put(place, near) {
		const n = pen.points.length;
		pen.put(place, near);
		if (pen && pen.points.length > n)
			say(t('stage.point', { n: n + 1, ...where(place) }));
		else if (pen)
			say(t('stage.more', { n: KINDS[pen.kind].least }));
	}

	function penKey(e) {
		const by = ARROWS[e.key], step = e.shiftKey ? 1 : 8;
		if (by) {
			pen.keys = true;
			pen.at = board.clamp([pen.at[0] + by[0] * step, pen.at[1] + by[1] * step]);
			say(t('stage.at', where(pen.at)));
		} else if (e.key === 'Enter' || e.key === ' ') {
			pen.keys = true;
			put(pen.at, 0.5);
		} else if (e.key === 'Backspace' || e.key === 'Delete') {
			pen.back();
		} else if (e.key === 'Escape') {
			endPen();
		} else {
			return false;
		}
		onPen();
		draw();
		return true;
	}

	/* ---- pointer ---- */

	layer.addEventListener('pointerdown', (e) => {
		const of = (name) => e.target.getAttribute(name), from = at(e);
		if (e.button || drag)
			return;
		if (pen) {
			drag = { from, to: from };
		} else if (of('data-corner') !== null) {
			board.choose(board.chosen, Number(of('data-corner')));
			drag = { corner: true, last: from };
		} else if (of('data-side') !== null) {
			board.splitSide(Number(of('data-side')), from);
			drag = { corner: true, last: from, moved: true };
			draw();
		} else if (of('data-shape') !== null) {
			const n = Number(of('data-shape')), fresh = n !== board.chosen;
			board.choose(n);
			if (!fresh || e.pointerType === 'mouse') // a finger first chooses: it may only want to scroll
				drag = { last: from };
		} else {
			board.choose(-1);
		}
		if (drag)
			layer.setPointerCapture(e.pointerId);
	});
	layer.addEventListener('pointermove', (e) => {
		const to = at(e);
		if (pen)
			pen.at = to;
		if (pen && drag) {
			drag.to = to;
			drag.sweep = !pen.points.length && Math.hypot(to[0] - drag.from[0], to[1] - drag.from[1]) > SWEEP * scale;
		} else if (drag) {
			(drag.corner ? board.shiftCorner : board.shift)(to[0] - drag.last[0], to[1] - drag.last[1]);
			drag.last = to;
			drag.moved = true;
		}
		if (pen || drag)
			draw();
	});
	layer.addEventListener('pointerup', () => {
		const was = drag;
		drag = null;
		if (pen && was) {
			if (was.sweep)
				pen.sweep(was.from, was.to);
			else
				put(was.to, reach * scale);
			onPen();
			draw();
		} else if (was) {
			if (was.moved)
				board.step();
			focusOn(was.corner ? `.corner[data-corner="${board.corner}"]` : '[tabindex][data-shape]');
		}
	});
	layer.addEventListener('pointercancel', () => {
		drag = null;
		draw();
	});

	/* ---- keys ---- */

	function shapeKey(e) {
		const corner = e.target.getAttribute('data-corner'), by = ARROWS[e.key], step = e.shiftKey ? 1 : 8;
		if (!shapes[board.chosen] || (corner === null && e.target.getAttribute('data-shape') === null))
			return false;
		if (corner !== null)
			board.corner = Number(corner);
		if (by) {
			(corner === null ? board.shift : board.shiftCorner)(by[0] * step, by[1] * step);
			board.step(`${board.chosen} ${corner}`);
			if (corner !== null)
				say(t('stage.at', where(shapes[board.chosen].points[board.corner])));
		} else if (e.key === 'Delete' || e.key === 'Backspace') {
			if (corner === null)
				board.remove(board.chosen);
			else if (board.canRemoveCorner())
				board.removeCorner();
			else
				say(t('stage.least', { n: KINDS[shapes[board.chosen].kind].least }));
		} else if ((e.key === 'Insert' || e.key === '+') && corner !== null && board.canAddCorner()) {
			board.splitSide(board.corner);
			board.step();
		} else {
			return false;
		}
		return true;
	}

	layer.addEventListener('keydown', (e) => {
		if (!e.ctrlKey && !e.metaKey && (pen ? penKey(e) : shapeKey(e)))
			e.preventDefault();
	});
	layer.addEventListener('focusin', (e) => {
		const corner = e.target.getAttribute('data-corner');
		if (!pen && corner !== null && Number(corner) !== board.corner)
			board.choose(board.chosen, Number(corner));
	});
	const sized = new ResizeObserver(() => draw());
	sized.observe(layer);
	signal.addEventListener('abort', () => sized.disconnect());
	board.listen(draw);
	endPen();
	draw();
	return { node, begin, pen: () => pen, undoPoint: () => { pen.back(); onPen(); draw(); }, finish: () => pen.finish(), cancel: () => { endPen(); draw(); }, focusCorner: () => focusOn('.corner.chosen') };
}
