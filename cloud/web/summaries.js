// SPDX-License-Identifier: MIT
/* Summaries as lists show them. */
import { el } from './dom.js';
import { className, t } from './i18n.js';
import { badge } from './parts.js';
import { noPicture, picture } from './picture.js';
import { link } from './router.js';
import { clock, percent, span } from './time.js';

export function fileUrl(id, file) {
	return `/v1/summaries/${encodeURIComponent(id)}/${encodeURIComponent(file)}`;
}

/* The smallest picture that there is of a summary, or null. */
export function thumbOf(s) {
	const files = s.files || [];
	const name = files.includes('thumb.jpg') ? 'thumb.jpg' : files.find((f) => /^key-\d+\.jpg$/.test(f));
	return name ? fileUrl(s.id, name) : null;
}

export function classesOf(s) {
	return [...new Set(s.classes || (s.tracks || []).map((track) => track.class))].filter(Boolean);
}

export function summaryRow(s) {
	const start = Date.parse(s.start), end = Date.parse(s.end), src = thumbOf(s);
	return el('li', null, el('a', { class: 'event-row', href: link(`/${s.kind && s.kind !== 'event' ? 'summaries' : 'events'}/${s.id}`), 'data-id': s.id },
		src ? picture({ src, alt: '', width: s.width, height: s.height }) : noPicture(t('events.no_picture'), s.width, s.height),
		el('div', { class: 'event-body' },
			el('div', { class: 'row spread' }, el('h3', { class: 'clip', text: s.title || t('event.untitled') }), el('time', { class: 'number soft small nowrap', datetime: s.start, text: clock(start) })),
			s.text ? el('p', { class: 'event-line', text: s.text }) : null,
			el('div', { class: 'row small' }, badge(s.camera, 'outline'), s.kind !== 'event' ? badge(t(`kind.${s.kind}`, {}, s.kind), 'accent') : null,
				classesOf(s).map((c) => badge(className(c))), s.threat_level ? badge(t(`threat.${s.threat_level}`), 'warn') : null, s.nuisance ? badge(t('event.nuisance'), 'warn') : null, s.pinned ? badge(t('event.pinned_badge'), 'accent') : null,
				el('span', { class: 'soft number', text: span((end - start) / 1000) }),
				s.confidence !== undefined ? el('span', { class: 'soft number', title: t('event.confidence'), text: percent(s.confidence) }) : null))));
}
