// SPDX-License-Identifier: MIT
/* The video of an event or a period, with speeds, single steps and its own word for what cannot be played. */
import { el } from './dom.js';
import { t } from './i18n.js';

const FPS = 10; // of a digest

export function player({ src, poster, label }) {
	const video = el('video', { src, poster, controls: true, preload: 'metadata', playsinline: true, muted: true, 'aria-label': label });
	const frame = el('div', { class: 'player' }, video);
	const speeds = [0.5, 1, 2, 4].map((speed) => {
		const b = el('button', { type: 'button', class: 'button', 'aria-pressed': String(speed === 1), text: `×${speed}`, on: { click: () => {
			video.playbackRate = speed;
			speeds.forEach((other) => other.setAttribute('aria-pressed', String(other === b)));
		} } });
		return b;
	});
	const step = (by) => {
		video.pause();
		video.currentTime = Math.min(Math.max(video.currentTime + by / FPS, 0), video.duration || 0);
	};
	video.addEventListener('error', () => frame.replaceChildren(el('p', { class: 'picture-gone', text: t('player.gone') })));
	const controls = el('div', { class: 'row player-row' }, el('span', { class: 'small soft', text: t('player.speed') }), speeds,
		el('button', { type: 'button', class: 'button', text: t('player.back'), on: { click: () => step(-1) } }),
		el('button', { type: 'button', class: 'button', text: t('player.on'), on: { click: () => step(1) } }));
	return { node: el('div', { class: 'stack tight' }, frame, controls), video };
}
