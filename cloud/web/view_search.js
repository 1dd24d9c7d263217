// SPDX-License-Identifier: MIT
/* Events by time, camera, class, zone, words and place: "what moved here, last week?" */
import { cameraOptions, cameras, findCamera } from './cameras.js';
import { el, fill } from './dom.js';
import { className, t } from './i18n.js';
import { summaryList } from './list.js';
import { button, empty, field, head, select } from './parts.js';
import { regionPicker } from './region.js';
import { setQuery } from './router.js';
import { fromInput, toInput, toNs } from './time.js';
import { CLASSES } from './view_events.js';
import { stillOf } from './view_cameras.js';

const NAMES = ['camera', 'from', 'to', 'class', 'zone', 'text', 'confidence', 'threat', 'region'];

function thousandths({ x, y, w, h }) {
	const [left, top] = [Math.round(x * 1000), Math.round(y * 1000)];
	return [left, top, Math.min(Math.round(w * 1000), 1000 - left), Math.min(Math.round(h * 1000), 1000 - top)].join(',');
}

export function searchView(place, params, query, signal) {
	const chosen = Object.fromEntries(NAMES.map((name) => [name, query.get(name) || '']));
	const results = el('div'), still = el('div', { class: 'stack tight' }), cameraPlace = el('div');
	let known = [], round = null;

	function asked() {
		const at = (text) => (text ? toNs(Number(text)) : '');
		return { ...chosen, from: at(chosen.from), to: at(chosen.to), kind: 'event', confidence: chosen.confidence && Math.round(Number(chosen.confidence) * 1000) };
	}

	function run() {
		if (round)
			round.abort();
		round = new AbortController();
		signal.addEventListener('abort', () => round.abort());
		setQuery(chosen);
		fill(results, summaryList(asked(), round.signal, empty(t('search.none'), t('search.none_text'))));
	}

	function showStill() {
		const c = findCamera(known, chosen.camera);
		if (!c) {
			fill(still, el('p', { class: 'note', text: t('search.region_camera') }));
			return;
		}
		const part = chosen.region.split(',').map(Number);
		const picker = regionPicker(stillOf(c, false), part.length === 4 ? { x: part[0] / 1000, y: part[1] / 1000, w: part[2] / 1000, h: part[3] / 1000 } : null, (box) => {
			chosen.region = box ? thousandths(box) : '';
			run();
		});
		fill(still, picker.node, el('div', { class: 'row spread' }, el('p', { class: 'small soft', text: t('search.region_hint') }), button(t('search.region_clear'), picker.clear)));
	}

	function showCameras() {
		fill(cameraPlace, field(t('word.camera'), select(cameraOptions(known), (findCamera(known, chosen.camera) || { id: '' }).id, (v) => {
			chosen.camera = v;
			chosen.region = '';
			showStill();
		}, { name: 'camera' })));
	}

	const input = (name, type, props = {}) => el('input', { type, name, value: type === 'datetime-local' && chosen[name] ? toInput(Number(chosen[name])) : chosen[name],
		on: { change: (e) => { chosen[name] = type === 'datetime-local' ? String(fromInput(e.target.value) || '') : e.target.value; } }, ...props });
	const form = el('form', { class: 'card stack', role: 'search', on: { submit: (e) => { e.preventDefault(); run(); } } }, cameraPlace,
		field(t('search.from'), input('from', 'datetime-local')), field(t('search.to'), input('to', 'datetime-local')),
		field(t('track.what'), select([['', t('word.all')], ...CLASSES.map((c) => [c, className(c)])], chosen.class, (v) => { chosen.class = v; }, { name: 'class' })),
		field(t('search.zone'), input('zone', 'text', { maxlength: 31 })), field(t('search.text'), input('text', 'search', { maxlength: 100 })),
		field(t('search.confidence'), select([['', t('word.any')], ['0.3', '30 %'], ['0.5', '50 %'], ['0.7', '70 %'], ['0.9', '90 %']], chosen.confidence, (v) => { chosen.confidence = v; }, { name: 'confidence' })),
		field(t('search.threat'), select([['', t('word.any')], ['1', t('threat.1')], ['2', t('threat.2')]], chosen.threat, (v) => { chosen.threat = v; }, { name: 'threat' })),
		el('fieldset', { class: 'stack tight' }, el('legend', { text: t('search.region') }), still),
		el('button', { class: 'button primary', type: 'submit', text: t('search.go') }));
	fill(place, head(t('nav.search')), el('div', { class: 'split search-split' }, el('section', { 'aria-label': t('search.results') }, results), form));
	showCameras();
	showStill();
	cameras(signal).then((list) => { known = list; showCameras(); showStill(); }).catch(() => {});
	run();
}
