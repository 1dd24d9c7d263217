// SPDX-License-Identifier: MIT
/*
 * All cameras over a stretch of time: a lane each. Far out a lane shows how many events began in each
 * piece of time; near, the events themselves. Grey: nothing moved; red stripes: nothing was known, or
 * frames were lost.
 *
 * Keys: arrows left and right move, plus and minus (up and down) zoom, N and P go to the next and
 * the previous event, Enter opens it, Home is now. Wheel and two fingers zoom at the pointer, a drag
 * moves. The owner is told of each new stretch by onRange (at most once a frame) and gives new lanes by set().
 */
import { el, fill, svg, unique } from './dom.js';
import { t } from './i18n.js';
import { clampRange, ticks } from './scale.js';
import { moment, span } from './time.js';

const LANE = 46, BAR = 24, TOP = 24;

export class Timeline {
	constructor({ from, to, onRange, onOpen }) {
		this.from = from;
		this.to = to;
		this.onRange = onRange;
		this.onOpen = onOpen;
		this.lanes = [];
		this.chosen = null;
		this.pointers = new Map();
		const help = unique('help');
		this.svg = svg('svg', { class: 'timeline-svg', 'aria-hidden': 'true' });
		this.said = el('p', { class: 'timeline-said small', role: 'status', 'aria-live': 'polite' });
		this.field = el('div', { class: 'timeline-field', tabindex: 0, role: 'application', 'aria-label': t('timeline.label'), 'aria-describedby': help,
			on: { keydown: (e) => this.key(e), pointerdown: (e) => this.down(e), pointermove: (e) => this.move(e), pointerup: (e) => this.up(e),
				pointercancel: (e) => this.up(e) } }, this.svg);
		this.field.addEventListener('wheel', (e) => this.wheel(e), { passive: false });
		this.node = el('div', { class: 'timeline' }, this.field, this.said, el('p', { id: help, class: 'small soft timeline-help', text: t('timeline.help') }));
		this.watch = new ResizeObserver(() => this.draw());
		this.watch.observe(this.field);
	}

	end() {
		this.watch.disconnect();
	}

	/* lanes: [{id, name, state, buckets: [{start, end, count}], events: [{id, start, end, title, kind}], gaps: [{start, end, kind, text}]}] */
	set(lanes) {
		this.lanes = lanes;
		this.draw();
	}

	go(from, to) {
		[this.from, this.to] = clampRange(from, to);
		this.draw();
		if (!this.waiting)
			this.waiting = requestAnimationFrame(() => {
				this.waiting = 0;
				this.onRange(this.from, this.to);
			});
	}

	pan(share) {
		const by = (this.to - this.from) * share;
		this.go(this.from + by, this.to + by);
	}

	zoom(factor, at = 0.5) {
		const length = this.to - this.from, centre = this.from + length * at;
		this.go(centre - length * factor * at, centre + length * factor * (1 - at));
	}

	now() {
		const length = this.to - this.from, now = Date.now();
		this.go(now - length * 0.98, now + length * 0.02);
	}

	/* The next event of any lane in that direction; the stretch moves along if it lies outside. */
	step(direction) {
		const all = this.lanes.flatMap((lane) => lane.events.map((event) => ({ lane, event }))).sort((a, b) => a.event.start - b.event.start);
		const here = this.chosen ? all.findIndex((x) => x.event.id === this.chosen) : -1;
		const middle = (this.from + this.to) / 2;
		let next = here >= 0 ? all[here + direction] :
			direction > 0 ? all.find((x) => x.event.start >= middle) || all[0] : all.filter((x) => x.event.start < middle).pop() || all[all.length - 1];
		if (!next) {
			this.said.textContent = t(all.length ? 'timeline.no_more' : 'timeline.zoom_in');
			this.pan(direction * 0.5);
			return;
		}
		this.chosen = next.event.id;
		this.said.textContent = `${next.lane.name}: ${next.event.title}, ${moment(next.event.start)}, ${span((next.event.end - next.event.start) / 1000)}`;
		if (next.event.start < this.from || next.event.start > this.to)
			this.pan((next.event.start - middle) / (this.to - this.from));
		this.draw();
	}

	key(e) {
		const act = {
			ArrowLeft: () => this.pan(-0.15), ArrowRight: () => this.pan(0.15), ArrowUp: () => this.zoom(0.7), ArrowDown: () => this.zoom(1.4),
			'+': () => this.zoom(0.5), '=': () => this.zoom(0.5), '-': () => this.zoom(2), Home: () => this.now(),
			n: () => this.step(1), p: () => this.step(-1), PageUp: () => this.pan(-0.9), PageDown: () => this.pan(0.9),
			Enter: () => this.chosen && this.onOpen(this.chosen),
		}[e.key.length === 1 ? e.key.toLowerCase() : e.key];
		if (!act || e.ctrlKey || e.metaKey || e.altKey)
			return;
		e.preventDefault();
		act();
	}

	wheel(e) {
		e.preventDefault();
		if (Math.abs(e.deltaX) > Math.abs(e.deltaY))
			this.pan(e.deltaX / this.width);
		else
			this.zoom(Math.exp(Math.max(Math.min(e.deltaY, 100), -100) / 300), this.share(e.clientX));
	}

	share(clientX) {
		const box = this.field.getBoundingClientRect();
		return Math.min(Math.max((clientX - box.left) / box.width, 0), 1);
	}

	down(e) {
		if (e.button)
			return;
		this.pointers.set(e.pointerId, e.clientX);
		this.moved = 0;
		this.pressed = e.target;
		if (e.pointerType !== 'touch')
			this.field.setPointerCapture(e.pointerId);
	}

	move(e) {
		const before = this.pointers.get(e.pointerId);
		if (before === undefined)
			return;
		const others = [...this.pointers].filter(([id]) => id !== e.pointerId);
		this.moved += Math.abs(e.clientX - before);
		if (others.length) {
			const other = others[0][1], was = Math.abs(before - other), is = Math.abs(e.clientX - other);
			if (was > 8 && is > 8)
				this.zoom(was / is, this.share((e.clientX + other) / 2));
		} else {
			this.pan((before - e.clientX) / this.width);
		}
		this.pointers.set(e.pointerId, e.clientX);
	}

	up(e) {
		const here = this.pointers.delete(e.pointerId);
		const target = this.pressed && this.pressed.closest ? this.pressed.closest('[data-event]') : null;
		if (here && e.type === 'pointerup' && this.moved < 5 && target)
			this.onOpen(target.getAttribute('data-event'));
		else if (here && e.type === 'pointerup' && this.moved < 5 && this.pressed && this.pressed.closest && this.pressed.closest('[data-zoom]'))
			this.zoom(0.25, this.share(e.clientX));
	}

	draw() {
		this.width = Math.max(this.field.clientWidth, 200);
		const height = TOP + Math.max(this.lanes.length, 1) * LANE + 6;
		const x = (at) => (at - this.from) / (this.to - this.from) * this.width;
		const parts = [];
		for (const tick of ticks(this.from, this.to, Math.max(Math.floor(this.width / 84), 2))) {
			parts.push(svg('path', { class: `tick ${tick.strong ? 'strong' : ''}`, d: `M${x(tick.at).toFixed(1)} ${TOP - 6}V${height}` }));
			if (x(tick.at) < this.width - 30 && x(tick.at) > 20)
				parts.push(svg('text', { class: `tick-text ${tick.strong ? 'strong' : ''}`, x: x(tick.at), y: 13, 'text-anchor': 'middle', text: tick.text }));
		}
		const most = Math.max(1, ...this.lanes.flatMap((l) => l.buckets.map((b) => b.count)));
		this.lanes.forEach((lane, i) => parts.push(this.lane(lane, TOP + i * LANE, x, most)));
		const now = x(Date.now());
		if (now > 0 && now < this.width) {
			parts.push(svg('rect', { class: 'future', x: now, y: TOP - 6, width: this.width - now, height: height - TOP + 6 }));
			parts.push(svg('path', { class: 'now', d: `M${now.toFixed(1)} ${TOP - 8}V${height}` }));
		}
		this.svg.setAttribute('width', this.width);
		this.svg.setAttribute('height', height);
		fill(this.svg, parts);
	}

	lane(lane, y, x, most) {
		const base = y + LANE - 6, inside = (a, b) => x(b) >= 0 && x(a) <= this.width;
		const parts = [svg('text', { class: 'lane-name', x: 6, y: y + 12, text: lane.name }),
			svg('rect', { class: 'lane-ground', x: 0, y: base - BAR, width: this.width, height: BAR, rx: 3 })];
		for (const gap of lane.gaps)
			if (inside(gap.start, gap.end))
				parts.push(svg('rect', { class: `gap ${gap.kind}`, x: x(gap.start), y: base - BAR, width: Math.max(x(gap.end) - x(gap.start), 2), height: BAR },
					svg('title', { text: gap.text })));
		for (const b of lane.buckets)
			if (b.count && inside(b.start, b.end)) {
				const h = Math.max(4, Math.sqrt(b.count / most) * BAR);
				parts.push(svg('rect', { class: 'bucket', 'data-zoom': '1', x: x(b.start), y: base - h, width: Math.max(x(b.end) - x(b.start) - 1, 1.5), height: h },
					svg('title', { text: t('timeline.bucket', { n: b.count, time: moment(b.start) }) })));
			}
		for (const e of lane.events)
			if (inside(e.start, e.end))
				parts.push(svg('rect', { class: `span ${e.kind} ${e.id === this.chosen ? 'chosen' : ''}`, 'data-event': e.id, x: x(e.start), y: base - BAR + 2,
					width: Math.max(x(e.end) - x(e.start), 4), height: BAR - 4, rx: 2 }, svg('title', { text: `${e.title}, ${moment(e.start)}` })));
		return svg('g', null, parts);
	}
}
