// SPDX-License-Identifier: MIT
/*
 * A box drawn on a still, for "what moved here?". With the pointer: drag. With keys: arrows move it,
 * with shift they change its size. It is told in shares of the picture, 0..1: {x, y, w, h}; null: none.
 */
import { el, svg } from './dom.js';
import { t } from './i18n.js';

const STEP = 0.02;

export function regionPicker(picture, value, onChange) {
	const rect = svg('rect', { class: 'region-box' });
	const layer = svg('svg', { class: 'overlay', viewBox: '0 0 1 1', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, rect);
	const field = el('div', { class: 'region', tabindex: 0, role: 'application', 'aria-label': t('region.label') }, picture, layer);
	let box = value, from = null;

	function show() {
		rect.setAttribute('visibility', box ? 'visible' : 'hidden');
		for (const [name, v] of box ? [['x', box.x], ['y', box.y], ['width', box.w], ['height', box.h]] : [])
			rect.setAttribute(name, v.toFixed(4));
	}

	function at(e) {
		const r = field.getBoundingClientRect(), inside = (v) => Math.min(Math.max(v, 0), 1);
		return { x: inside((e.clientX - r.left) / r.width), y: inside((e.clientY - r.top) / r.height) };
	}

	function set(next, done) {
		const inside = (v, most) => Math.min(Math.max(v, 0), most);
		if (next) {
			const w = inside(next.w, 1), h = inside(next.h, 1);
			next = { x: inside(next.x, 1 - w), y: inside(next.y, 1 - h), w, h };
		}
		box = next;
		show();
		if (done)
			onChange(box);
	}

	field.addEventListener('pointerdown', (e) => {
		if (e.button)
			return;
		from = at(e);
		field.setPointerCapture(e.pointerId);
		e.preventDefault();
		field.focus();
	});
	field.addEventListener('pointermove', (e) => {
		if (!from)
			return;
		const to = at(e);
		set({ x: Math.min(from.x, to.x), y: Math.min(from.y, to.y), w: Math.abs(to.x - from.x), h: Math.abs(to.y - from.y) });
	});
	field.addEventListener('pointerup', () => {
		if (from)
			set(box && box.w > 0.01 && box.h > 0.01 ? box : null, true);
		from = null;
	});
	field.addEventListener('keydown', (e) => {
		const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[e.key];
		if (e.key === 'Delete' || e.key === 'Backspace' || e.key === 'Escape')
			set(null, true);
		else if (by && !box)
			set({ x: 0.35, y: 0.35, w: 0.3, h: 0.3 }, true);
		else if (by && e.shiftKey)
			set({ ...box, w: Math.max(box.w + by[0], STEP), h: Math.max(box.h + by[1], STEP) }, true);
		else if (by)
			set({ ...box, x: box.x + by[0], y: box.y + by[1] }, true);
		else
			return;
		e.preventDefault();
	});
	show();
	return { node: field, clear: () => set(null, true) };
}
