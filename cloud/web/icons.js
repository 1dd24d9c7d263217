// SPDX-License-Identifier: MIT
/* Line drawings on a field of 20 x 20. */
import { svg } from './dom.js';

const paths = {
	cameras: 'M3 6.5h9.5a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1v-5a1 1 0 0 1 1-1zM13.5 9l4.5-2.5v7L13.5 11',
	timeline: 'M2 5h6M11 5h7M2 10h3M7.5 10h8M2 15h9M14 15h4',
	events: 'M3 4h5v5H3zM3 12h5v4H3zM11 5h6M11 8h4M11 13h6M11 16h3',
	ledger: 'M4 17V9M8 17V5M12 17v-6M16 17V3M2 17h16',
	devices: 'M4 4h12v8H4zM7 16h6M10 12v4',
	people: 'M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 17c0-3 2.5-5 5.5-5s5.5 2 5.5 5M13.5 4a2.7 2.7 0 0 1 0 5.3M15 12.3c1.8.7 3 2.4 3 4.7',
	account: 'M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM3.5 17c.6-3.2 3.2-5 6.5-5s5.9 1.8 6.5 5',
	key: 'M12.5 11.5a4 4 0 1 0-3.9-3l-6 6V17h3v-2h2v-2h1.5l1-1.7c.700.2 1.6.300 2.4.200zM13.5 6.5h.01',
	audit: 'M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M7.5 10h5M7.5 13h5',
	more: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
	search: 'M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zM13.5 13.5 17.5 17.5',
	plus: 'M10 4v12M4 10h12',
	minus: 'M4 10h12',
	left: 'M12 4l-6 6 6 6',
	right: 'M8 4l6 6-6 6',
	close: 'M5 5l10 10M15 5 5 15',
	pin: 'M7 3h6l-1 6 3 3H5l3-3zM10 12v5',
	save: 'M10 3v9M6 8.5l4 4 4-4M3.5 16.5h13',
	shot: 'M3 6h3l1.5-2h5L14 6h3v10H3zM10 13.5a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6z',
	pause: 'M7 4v12M13 4v12',
	play: 'M6 4l10 6-10 6z',
	edit: 'M4 16l1-4L13.5 3.5l3 3L8 15zM11.5 5.5l3 3',
	logs: 'M4 5h12M4 8.5h9M4 12h12M4 15.5h7',
	sun: 'M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
	moon: 'M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z',
	auto: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 3v14M10 6h4.5M10 9.5h6.5M10 13h5',
	out: 'M12 4H4v12h8M9 10h9M15 7l3 3-3 3',
	language: 'M2.5 4.5h9M7 3v1.5M10 4.5C9.5 8 6.5 11 3 12.5M4.5 7.5c1 2 3.5 4 5.5 5M9.5 17l4-9 4 9M11 14h5',
	warn: 'M10 3l8 14H2zM10 8v4M10 14.5h.01',
	region: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4M7 7h6v6H7z',
	undo: 'M4 8h8a4.5 4.5 0 0 1 0 9H7M4 8l4-4M4 8l4 4',
	redo: 'M16 8H8a4.5 4.5 0 0 0 0 9h5M16 8l-4-4M16 8l-4 4',
	work: 'M10 3v3M10 14v3M3 10h3M14 10h3M5 5l2 2M13 13l2 2M15 5l-2 2M7 13l-2 2',
	still: 'M3 4h14v12H3zM3 13l4-4 3.5 3.5L13 10l4 4',
};

export function icon(name) {
	return svg('svg', { viewBox: '0 0 20 20', width: 20, height: 20, 'aria-hidden': 'true' },
		svg('path', { d: paths[name], fill: 'none', stroke: 'currentColor', 'stroke-width': name === 'more' ? 2.6 : 1.6,
			'stroke-linecap': 'round', 'stroke-linejoin': 'round' }));
}
