// SPDX-License-Identifier: MIT
/* How much of the picture moved, second by second, with the moments of the key frames. */
import { el, svg } from './dom.js';
import { t } from './i18n.js';
import { offset, percent } from './time.js';

const W = 800, H = 84, BASE = 66;

export function activity({ activity: values, start_s, end_s, keyframes, tracks }, onSeek) {
	const length = Math.max(end_s - start_s, 1), peak = Math.max(...values, 1e-9);
	const x = (at) => Math.min(Math.max((at - start_s) / length, 0), 1) * W;
	let d = `M0 ${BASE}`;
	values.forEach((v, i) => {
		const y = (BASE - v / peak * (BASE - 8)).toFixed(1);
		d += `L${x(start_s + i).toFixed(1)} ${y}L${x(start_s + i + 1).toFixed(1)} ${y}`;
	});
	d += `L${x(start_s + values.length).toFixed(1)} ${BASE}Z`;
	const marks = (keyframes || []).map((k) => svg('g', { class: 'key-mark' },
		svg('path', { d: `M${x(k.t_s).toFixed(1)} 4v${BASE - 4}`, 'vector-effect': 'non-scaling-stroke' }), svg('title', { text: offset(k.t_s) })));
	const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => el('span', { text: offset(start_s + length * share) }));
	const rows = (tracks || []).slice(0, 12).map((track, i) => svg('rect', { class: 'track-span', x: x(track.start_s), y: BASE + 3 + i % 4 * 4,
		width: Math.max(x(track.end_s) - x(track.start_s), 3), height: 2.5, style: { fill: `var(--track-${i % 8 + 1})` } }));
	return el('figure', { class: 'activity' },
		svg('svg', { viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': t('event.activity_label', { peak: percent(peak, 1) }),
			on: onSeek ? { click: (e) => { const r = e.currentTarget.getBoundingClientRect(); onSeek(start_s + (e.clientX - r.left) / r.width * length); } } : undefined },
		svg('path', { class: 'activity-area', d }), svg('path', { class: 'axis', d: `M0 ${BASE}H${W}`, 'vector-effect': 'non-scaling-stroke' }), rows, marks),
		el('div', { class: 'activity-ticks number small soft' }, ticks),
		el('figcaption', { class: 'small soft', text: t('event.activity_text', { peak: percent(peak, 1) }) }));
}
