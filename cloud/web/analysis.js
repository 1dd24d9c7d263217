// SPDX-License-Identifier: MIT
/*
 * What an analysis that was made again found, against another one: how many events are in both, what
 * is only in one of them, and how those in both differ. Pictures are those of what is new.
 */
import { el } from './dom.js';
import { className, t } from './i18n.js';
import { facts, table } from './parts.js';
import { picture } from './picture.js';
import { fileUrl } from './summaries.js';
import { count, moment, span } from './time.js';

const ms = (ns) => Number(BigInt(ns) / 1000000n);
const signed = (n) => (n > 0 ? `+${n}` : String(n));

function told(title, list, all) {
	if (!list.length)
		return null;
	const columns = [{ title: t('word.start'), cell: (e) => moment(ms(e.start_ns)) }, { title: t('word.length'), number: true, cell: (e) => span((ms(e.end_ns) - ms(e.start_ns)) / 1000) },
		{ title: t('analysis.what'), cell: (e) => e.title }, { title: t('analysis.class'), cell: (e) => className(e.class) }, { title: t('analysis.tracks'), number: true, cell: (e) => count(e.tracks) }];
	return el('section', { class: 'card' }, el('h2', { text: `${title} (${count(all)})` }), table(title, columns, list));
}

export function analysisCards(id, whole) {
	const c = whole.comparison, d = c.differences, of = (n) => t('analysis.of', { n: count(n), all: count(c.matched_count) });
	const differ = c.matched.filter((p) => p.tracks || p.peak_objects || !p.same_class || !p.same_nuisance || Math.abs(p.start_s) > 1);
	const shown = c.only_second.filter((e) => e.file);
	return [el('section', { class: 'card' }, el('h2', { text: t('analysis.title') }), facts([
		[t('analysis.first'), count(c.first.events)], [t('analysis.second'), count(c.second.events)], [t('analysis.both'), count(c.matched_count)],
		[t('analysis.start'), d ? `${d.start_s_median.toFixed(1)} s` : null], [t('analysis.same_tracks'), d ? of(d.same_tracks) : null],
		[t('analysis.same_peak'), d ? of(d.same_peak) : null], [t('analysis.same_class'), d ? of(d.same_class) : null],
		[t('analysis.settings'), Object.entries(whole.settings).map(([k, v]) => `${k} ${v}`).join(', ') || t('analysis.usual')]])),
	told(t('analysis.new'), c.only_second, c.only_second_count),
	shown.length ? el('section', { class: 'card' }, el('h2', { text: t('analysis.pictures') }), el('div', { class: 'grid-2' }, shown.map((e) =>
		el('figure', null, picture({ src: fileUrl(id, e.file), alt: e.title, width: 16, height: 9 }), el('figcaption', { class: 'small soft', text: moment(ms(e.start_ns)) }))))) : null,
	told(t('analysis.gone'), c.only_first, c.only_first_count),
	differ.length ? el('section', { class: 'card' }, el('h2', { text: t('analysis.differ') }), table(t('analysis.differ'), [
		{ title: t('word.start'), cell: (p) => moment(ms(p.first.start_ns)) }, { title: t('analysis.later'), number: true, cell: (p) => `${signed(p.start_s)} s` },
		{ title: t('analysis.tracks'), number: true, cell: (p) => signed(p.tracks) }, { title: t('event.peak'), number: true, cell: (p) => signed(p.peak_objects) },
		{ title: t('analysis.class'), cell: (p) => (p.same_class ? className(p.first.class) : `${className(p.first.class)} → ${className(p.second.class)}`) }], differ)) : null];
}
