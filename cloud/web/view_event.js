// SPDX-License-Identifier: MIT
/*
 * One event: what was seen, with every picture of it, the video, the tracks, and what is not sure said
 * as such. Its digest is a summary of its own that comes later; the page takes it in when it comes.
 */
import { call, get } from './api.js';
import { activity } from './activity.js';
import { analysisCards } from './analysis.js';
import { el, fill } from './dom.js';
import { exportCard } from './export_card.js';
import { className, language, t } from './i18n.js';
import { listen } from './live.js';
import { badge, button, complain, facts, head, linkButton, load, skeleton, table, toast } from './parts.js';
import { colour, picture } from './picture.js';
import { player } from './player.js';
import { link } from './router.js';
import { can, has } from './session.js';
import { fileUrl } from './summaries.js';
import { count, moment, offset, percent, span } from './time.js';

export function eventView(place, { id }, query, signal) {
	load(place, signal, shape, async () => {
		const { event, summary, vision } = has('GET /v1/events/{}') ? await get(`/v1/events/${encodeURIComponent(id)}`, null, signal) :
			{ event: null, summary: await get(fileUrl(id, 'summary.json'), null, signal) };
		return page(id, summary, event, signal, vision);
	});
}

/* A digest, a period or an analysis: what there is of it is its file. */
export function summaryView(place, { id }, query, signal) {
	load(place, signal, shape, async () => page(id, await get(fileUrl(id, 'summary.json'), null, signal), null, signal));
}

function shape() {
	return [skeleton(34, '50%'), el('div', { class: 'split' }, skeleton(420), skeleton(420))];
}

function page(id, whole, entry, signal, vision) {
	const visionPlace = el('div', null, visionCard(id, vision || whole.vision));
	if (whole.kind === 'event' && !vision && has('GET /v1/events/{}'))
		listen('summary', () => get(`/v1/events/${encodeURIComponent(id)}`, null, signal).then((now) => now.vision && fill(visionPlace, visionCard(id, now.vision))).catch(() => {}), signal);
	const digestPlace = el('div', { class: 'stack' });
	const main = el('div', { class: 'stack' }, whole.kind === 'event' ? [keyframes(id, whole), activityCard(whole), tracksCard(whole), digestPlace] : digestPlace);
	fill(digestPlace, whole.kind === 'event' ? digestOf(whole, entry, signal) : whole.kind === 'vision' ? [] : whole.kind === 'analysis' ? analysisCards(id, whole) : digestCards(id, whole));
	return [head(said(whole, 'title') || t('event.untitled'), ...(whole.kind === 'event' ? [pinButton(id, entry)] : [])),
		el('div', { class: 'split' }, main, el('aside', { class: 'stack', 'aria-label': t('event.about') }, textCard(whole), visionPlace, concernsCard(whole), factsCard(whole, entry), whole.kind === 'event' ? exportCard(id, signal) : null, ledgerCard(whole)))];
}

/* ---- pictures ---- */

function keyframes(id, whole) {
	const frames = whole.keyframes || [];
	if (!frames.length)
		return el('section', { class: 'card' }, el('h2', { text: t('event.keyframes') }), el('p', { class: 'soft', text: t('event.no_keyframes') }));
	const stage = el('div', { class: 'stage' }), boxes = { on: true, path: true };
	let current = 0;
	const thumbs = frames.map((k, i) => el('button', { type: 'button', class: 'thumb', 'aria-label': t('event.keyframe', { n: i + 1, time: offset(k.t_s) }), on: { click: () => show(i) } },
		picture({ src: fileUrl(id, k.file), alt: '', width: whole.width, height: whole.height }), el('span', { class: 'small number', text: offset(k.t_s) })));

	function show(i) {
		current = i;
		const k = frames[i];
		thumbs.forEach((b, n) => b.setAttribute('aria-current', String(n === i)));
		fill(stage, el('figure', null, picture({ src: fileUrl(id, k.file), alt: t('event.keyframe_alt', { camera: whole.camera, time: offset(k.t_s), n: (k.tracks || []).length }),
			width: whole.width, height: whole.height, tracks: boxes.on ? whole.tracks : null, at_s: k.t_s, path: boxes.path, lazy: false }),
		el('figcaption', { class: 'row spread small soft' }, el('span', { text: `${offset(k.t_s)}, ${t(`why.${k.why}`, {}, k.why)}` }),
			el('a', { href: fileUrl(id, k.file), download: `${whole.camera}-${k.file}`, text: t('event.save_picture') }))));
	}
	const toggle = (name, label) => {
		const b = button(label, () => {
			boxes[name] = !boxes[name];
			b.setAttribute('aria-pressed', String(boxes[name]));
			show(current);
		}, { 'aria-pressed': String(boxes[name]) });
		return b;
	};
	show(0);
	return el('section', { class: 'card', on: { keydown: (e) => {
		const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
		if (by && e.target.classList.contains('thumb') && frames[current + by]) {
			e.preventDefault();
			show(current + by);
			thumbs[current].focus();
		}
	} } }, el('div', { class: 'row spread card-head' }, el('h2', { text: t('event.keyframes') }), el('div', { class: 'row tight' }, toggle('on', t('event.boxes')), toggle('path', t('event.paths')))),
	stage, el('div', { class: 'thumbs' }, thumbs));
}

/* ---- digest ---- */

/* The digest of an event is another summary: found by its event, or awaited. */
function digestOf(whole, entry, signal) {
	const place = el('div', { class: 'stack' });
	const look = async () => {
		const found = await get('/v1/summaries', { camera: entry ? entry.camera_id : whole.camera, kind: 'digest', from: whole.start_ns, limit: 50 }, signal).catch(() => null);
		const made = found && found.summaries.find((s) => s.kind === 'digest' && s.of === whole.id);
		if (made && !signal.aborted)
			fill(place, digestCards(made.id, await get(fileUrl(made.id, 'summary.json'), null, signal)));
	};
	fill(place, el('section', { class: 'card' }, el('h2', { text: t('event.digest') }), el('p', { class: 'soft', text: t('event.digest_wait') })));
	listen('summary', (s) => {
		if (s.kind === 'digest' && (!s.of || s.of === whole.id))
			look().catch(() => {});
	}, signal);
	look().catch(() => {});
	return place;
}

function digestCards(id, d) {
	const sheet = (file, title, text) => d[file] && el('section', { class: 'card' }, el('h2', { text: title }),
		el('img', { class: 'sheet', src: fileUrl(id, d[file]), alt: text, loading: 'lazy' }), el('p', { class: 'small soft', text }));
	const video = d.digest && player({ src: fileUrl(id, d.digest), poster: d.thumb ? fileUrl(id, d.thumb) : undefined, label: t('event.digest') });
	return [el('section', { class: 'card' }, el('h2', { text: t(d.kind === 'period' ? 'event.synopsis' : 'event.digest') }),
		video ? [video.node, el('p', { class: 'small soft', text: t('event.digest_facts', { video: span(d.video_s || 0), active: span(d.active_s || 0), factor: (d.factor || 1).toFixed(1) }) +
			(d.frames_missing ? ` ${t('event.frames_missing', { n: d.frames_missing })}` : '') })] : el('p', { class: 'soft', text: t('event.no_digest') })),
	el('div', { class: 'grid-2' }, sheet('storyboard', t('event.storyboard'), t('event.storyboard_text')), sheet('heat', t('event.heat'), t('event.heat_text')))];
}

/* ---- what was found ---- */

function activityCard(whole) {
	if (!(whole.activity || []).length)
		return null;
	return el('section', { class: 'card' }, el('h2', { text: t('event.activity') }), activity(whole));
}

function tracksCard(whole) {
	const tracks = (whole.tracks || []).map((track, index) => ({ track, index }));
	if (!tracks.length)
		return el('section', { class: 'card' }, el('h2', { text: t('event.tracks') }), el('p', { class: 'soft', text: t('event.no_tracks') }));
	const side = (s) => t(`side.${s}`, {}, s || '');
	return el('section', { class: 'card flush' }, el('h2', { text: t('event.tracks') }), table(t('event.tracks'), [
		{ title: t('track.what'), cell: ({ track, index }) => el('span', { class: 'row tight' }, el('i', { class: 'dot', style: { background: colour(index) } }),
			className(track.class), track.heuristic ? badge(t('word.heuristic'), 'outline') : null) },
		{ title: t('track.sure'), number: true, cell: ({ track }) => track.class_confidence === undefined ? '' : percent(track.class_confidence) },
		{ title: t('track.from'), number: true, cell: ({ track }) => offset(track.start_s) },
		{ title: t('track.long'), number: true, cell: ({ track }) => span(track.end_s - track.start_s) },
		{ title: t('track.way'), cell: ({ track }) => `${side(track.enter)} → ${side(track.leave)}` },
		{ title: t('track.zones'), cell: ({ track }) => (track.zones || []).map((z) => typeof z === 'string' ? z : z.name).join(', ') },
	], tracks));
}

/* In the page's language, where the summary has it. */
function said(of, name) {
	const own = of.texts && of.texts[language()];
	return typeof own === 'string' ? own : (own && own[name]) || of[name];
}

/* What somebody may want to look at: rules over what was measured, each with its picture. */
function concernsCard(whole) {
	const list = Array.isArray(whole.concerns) ? whole.concerns : [];
	if (!list.length)
		return null;
	return el('section', { class: 'card stack tight' }, el('h2', { text: t('event.concerns') }), el('ul', { class: 'stack tight' }, list.map((k) => el('li', null,
		k.level ? badge(t(`threat.${k.level}`), 'warn') : null, ' ', el('span', { text: said(k, 'text') }), ' ', el('span', { class: 'small soft number', text: offset(k.t_s) })))),
	whole.concerns_untold ? el('p', { class: 'small soft', text: t('event.concerns_more', { n: whole.concerns_untold }) }) : null, el('p', { class: 'small soft', text: t('event.concerns_text') }));
}

/* What a vision model said. A stranger's words: text, never markup, beside ours and not in their place. */
function visionCard(id, v) {
	if (!v)
		return null;
	return el('section', { class: 'card stack tight' }, el('div', { class: 'row tight' }, badge(t('word.generated'), 'outline'), v.threat_level ? badge(t(`threat.${v.threat_level}`), 'warn') : null),
		el('h2', { text: v.title }), el('p', { class: 'event-text', text: v.text }), el('p', { class: 'soft', text: v.scene }),
		(v.concerns || []).length ? el('ul', null, v.concerns.map((text) => el('li', { text }))) : null,
		el('p', { class: 'small soft', text: `${t('event.generated_text')} ${t('event.vision_by', { model: v.model, confidence: percent(v.confidence), n: (v.evidence || []).length })}` }));
}

function textCard(whole) {
	const text = said(whole, 'text'), scene = said(whole, 'scene');
	return el('section', { class: 'card stack tight' }, el('div', { class: 'row tight' },
		badge(t(`kind.${whole.kind}`, {}, whole.kind), 'accent'), whole.reason && whole.reason !== whole.kind ? badge(t(`reason.${whole.reason}`, {}, whole.reason)) : null,
		badge(t(whole.generated ? 'word.generated' : 'word.heuristic'), 'outline'), whole.threat_level ? badge(t(`threat.${whole.threat_level}`), 'warn') : null, whole.nuisance ? badge(t('event.nuisance'), 'warn') : null),
	text ? el('p', { class: 'event-text', text }) : null, scene ? el('p', { class: 'soft', text: scene }) : null,
	whole.confidence !== undefined ? el('div', { class: 'stack tight' }, el('div', { class: 'row spread small' }, el('span', { class: 'soft', text: t('event.confidence') }), el('span', { class: 'number', text: percent(whole.confidence) })),
		el('div', { class: 'progress', role: 'img', 'aria-label': `${t('event.confidence')} ${percent(whole.confidence)}` }, el('i', { style: { width: `${whole.confidence * 100}%` } }))) : null,
	el('p', { class: 'small soft', text: t(whole.generated ? 'event.generated_text' : 'event.heuristic_text') }));
}

function factsCard(whole, entry) {
	const start = Date.parse(whole.start), end = Date.parse(whole.end);
	return el('section', { class: 'card' }, el('h2', { text: t('event.about') }), facts([
		[t('word.camera'), el('a', { href: link('/events', { camera: entry ? entry.camera_id : whole.camera }), text: whole.camera })],
		[t('word.start'), moment(start)], [t('word.end'), moment(end)], [t('word.length'), span((end - start) / 1000)],
		[t('event.peak'), whole.peak_objects === undefined ? null : count(whole.peak_objects)],
		[t('event.continued'), whole.continued ? t('word.yes') : null],
		[t('event.delivered'), entry && entry.delivered !== undefined ? t(entry.delivered ? 'event.delivered_yes' : 'event.delivered_no') : null],
		[t('event.settings'), whole.settings === undefined ? null : String(whole.settings)],
		[t('event.id'), el('code', { class: 'wrap', text: whole.id })]]),
	el('div', { class: 'row gap-top' }, linkButton(t('event.on_timeline'), link('/timeline', { at: start }), { icon: 'timeline' })));
}

function ledgerCard(whole) {
	const l = whole.ledger;
	if (!l)
		return null;
	const lost = Object.entries(l.lost || {}).filter(([, n]) => n);
	return el('section', { class: 'card' }, el('h2', { text: t('event.ledger') }), facts([[t('event.seen'), count(l.seen)], [t('ledger.passed'), count(l.passed)],
		...lost.map(([reason, n]) => [t(`reason.${reason}`, {}, reason), el('span', { class: 'lost-text', text: count(n) })])]),
	el('p', { class: 'small soft gap-top', text: t(lost.length ? 'event.ledger_lost' : 'event.ledger_whole') }));
}

/* ---- what can be done ---- */

function pinButton(id, entry) {
	if (!has('PUT /v1/events/{}/pin') || !can('operator'))
		return null;
	let pinned = Boolean(entry && entry.pinned);
	const b = button(t(pinned ? 'event.unpin' : 'event.pin'), async () => {
		b.disabled = true;
		try {
			await call(pinned ? 'DELETE' : 'PUT', `/v1/events/${id}/pin`, { body: pinned ? undefined : {} });
			pinned = !pinned;
			b.lastChild.textContent = t(pinned ? 'event.unpin' : 'event.pin');
			b.setAttribute('aria-pressed', String(pinned));
			toast(t(pinned ? 'event.pinned' : 'event.unpinned'));
		} catch (error) {
			complain(error);
		}
		b.disabled = false;
	}, { icon: 'pin', 'aria-pressed': String(pinned) });
	return b;
}
