// SPDX-License-Identifier: MIT
/* A picture of a camera with what was found in it drawn over it. Boxes are pixels of the camera's picture. */
import { el, svg } from './dom.js';
import { className, t } from './i18n.js';

const NEAR_S = 0.3; // a box counts for a picture this near to it

export function colour(index) {
	return `var(--track-${index % 8 + 1})`;
}

/* The track's box nearest in time to at_s, or null if none is near. */
export function boxAt(track, at_s) {
	let best = null, near = NEAR_S;
	for (const box of track.boxes || []) {
		const d = Math.abs(box[0] - at_s);
		if (box.length === 5 && d <= near) {
			near = d;
			best = box;
		}
	}
	return best;
}

function drawTrack(track, index, at_s, width, withPath) {
	const box = boxAt(track, at_s), parts = [];
	if (withPath && (track.boxes || []).length > 1)
		parts.push(svg('polyline', { class: 'track-path', points: track.boxes.map((b) => `${(b[1] + b[3] / 2).toFixed(1)},${(b[2] + b[4]).toFixed(1)}`).join(' '),
			'stroke-width': width / 240, style: { stroke: colour(index) } }));
	if (box)
		parts.push(svg('rect', { class: 'track-box', x: box[1], y: box[2], width: box[3], height: box[4], 'stroke-width': width / 160, style: { stroke: colour(index) } },
			svg('title', { text: `${className(track.class)} ${track.id}` })));
	return parts;
}

/*
 * src; alt; width and height of the camera's picture; tracks and at_s: boxes near that time; path: the
 * ways of the tracks too. The place is reserved before the picture has come.
 */
export function picture({ src, alt, width, height, tracks, at_s, path, lazy = true }) {
	const img = el('img', { src, alt, loading: lazy ? 'lazy' : 'eager', decoding: 'async' });
	const frame = el('div', { class: 'picture', style: { 'aspect-ratio': `${width || 4} / ${height || 3}` } }, img);
	img.addEventListener('error', () => frame.replaceChildren(el('p', { class: 'picture-gone', text: t('picture.gone') })));
	if (tracks && width && height)
		frame.append(svg('svg', { class: 'overlay', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
			tracks.map((track, i) => drawTrack(track, i, at_s, width, path))));
	return frame;
}

export function noPicture(text, width, height) {
	return el('div', { class: 'picture', style: { 'aspect-ratio': `${width || 4} / ${height || 3}` } }, el('p', { class: 'picture-gone', text }));
}
