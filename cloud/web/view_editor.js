// SPDX-License-Identifier: MIT
/*
 * What is asked of a camera, drawn on its picture: zones of its gate, and with them sensitivity and
 * rolls; named zones and lines of the analysis. The first is a wish with a version that the device
 * applies or refuses with a reason; what it has in force is shown beside. The second holds in the
 * cloud at once. Privacy masks are the device's alone: here they become the line to run there.
 */
import { call, get } from './api.js';
import { board as makeBoard } from './board.js';
import { cameras } from './cameras.js';
import { el, fill } from './dom.js';
import { settingsForm } from './gate_settings.js';
import { t } from './i18n.js';
import { listen } from './live.js';
import { liveStill } from './live_still.js';
import { button, complain, confirm, copyable, head, linkButton, load, skeleton, toast } from './parts.js';
import { link } from './router.js';
import { can, has } from './session.js';
import { freshName, nameTrouble, shapeList } from './shape_list.js';
import { shapeTools } from './shape_tools.js';
import { fromMap, fromZones, isNamed, ofList, pointsText, toMap, toZones } from './shapes.js';
import { stage as makeStage } from './stage.js';
import { ago } from './time.js';
import { wishStatus } from './wish.js';

export function editorView(place, { id }, query, signal) {
	const path = `/v1/cameras/${encodeURIComponent(id)}`;
	load(place, signal, () => [skeleton(34, '40%'), el('div', { class: 'split' }, skeleton(420), skeleton(420))], async () => {
		const [list, wish, zones] = await Promise.all([cameras(signal), get(`${path}/desired`, null, signal), has('GET /v1/cameras/{}/zones') ? get(`${path}/zones`, null, signal) : null]);
		const c = list.find((k) => k.id === id);
		if (!c)
			throw Object.assign(new Error(t('camera.unknown')), { status: 404 });
		return page(c, path, wish, zones, signal);
	});
}

/* One of the two documents that are edited: what the server has, whether that differs from what is shown, and how it is saved. */
function edited(path, now, made) {
	let version = now.version, saved = JSON.stringify(made());
	return {
		differs: () => JSON.stringify(made()) !== saved,
		async store() {
			const body = made(), answer = await call('PUT', path, { body, headers: version ? { 'if-match': `"${version}"` } : {} }).catch((error) => {
				error.stale = error.status === 412 || (error.status === 409 && !version);
				throw error;
			});
			version = answer.version;
			saved = JSON.stringify(body);
			return answer;
		},
	};
}

function page(c, path, wish, zones, signal) {
	const width = c.width || 640, height = c.height || 480, wanted = { ...(wish.settings || {}) };
	const foreign = fromMap(wish.map, width, height) === null; // a map of cells that was not made here
	const board = makeBoard([...(fromMap(wish.map, width, height) || []), ...(zones ? fromZones(zones, width, height) : [])], width, height);
	const status = el('div', { class: 'card stack tight', role: 'status' }), places = el('p', { class: 'small soft' }), mask = el('div', { class: 'stack tight' });
	const said = el('p', { class: 'unseen', role: 'status' }), still = liveStill(c, signal);
	const save = button(t('editor.save'), store, { kind: 'primary', disabled: true });

	const night = { from: '', to: '', ...(zones && zones.night ? zones.night : {}) };
	const nightInput = (name) => el('input', { type: 'time', name: `night-${name}`, value: night[name], 'aria-label': t(`editor.night_${name}`), on: { change: (e) => { night[name] = e.target.value; changed(); } } });

	const gate = edited(`${path}/desired`, wish, () => ({ settings: wanted, map: foreign && !ofList(board.shapes, 'map').length ? wish.map : toMap(board.shapes, width, height) }));
	const named = zones ? edited(`${path}/zones`, zones, () => ({ ...toZones(board.shapes, width, height), ...(night.from && night.to ? { night: { ...night } } : {}) })) : null;
	const differs = () => gate.differs() || Boolean(named && named.differs());

	let stage = null;
	const kinds = ['ignore', 'zone', ...(zones ? ['place', 'line'] : []), 'mask'];
	const tools = shapeTools(board, kinds, () => stage, signal);
	stage = makeStage(board, still.node, { signal, onPen: () => stage && tools.show(), say: (text) => { said.textContent = text; },
		make: (kind, points) => ({ kind, points, ...(kind === 'zone' ? { factor: 0.75 } : isNamed(kind) ? { name: freshName(board.shapes, kind) } : {}) }) });

	function changed() {
		save.disabled = !can('operator') || !differs();
		showMask();
	}

	function showMask() {
		const masks = ofList(board.shapes, 'mask').map((s) => ` --privacy '${pointsText(s)}'`).join('');
		fill(mask, copyable(`sluicectl mask ${c.name}${masks || " --privacy 'X,Y X,Y X,Y'"}`, t('editor.privacy_line')));
	}

	function showPlaces() {
		fill(places, zones && zones.version ? t('editor.places', { version: zones.version, who: zones.by || '', ago: zones.at ? ago(Date.parse(zones.at)) : '' }) : t('editor.places_none'));
	}

	const showStatus = () => fill(status, wishStatus(wish, c.device), zones ? places : null);

	async function refresh() {
		Object.assign(wish, { drift: {}, reason: undefined }, await get(`${path}/desired`, null, signal));
		showStatus();
	}

	/* A name that cannot be taken is the one thing that is known to be wrong before it is sent. */
	function misnamed() {
		const n = board.shapes.findIndex((s) => isNamed(s.kind) && nameTrouble(board.shapes, s));
		const input = n < 0 ? null : list.querySelector(`input[name="name-${n}"]`);
		if (input)
			input.focus();
		return n >= 0;
	}

	async function store() {
		if (misnamed())
			return;
		save.disabled = true;
		try {
			if (named && named.differs()) {
				Object.assign(zones, await named.store());
				showPlaces();
				toast(t('editor.saved_places'));
			}
			if (gate.differs()) {
				Object.assign(wish, { drift: {}, reason: undefined }, await gate.store());
				toast(t('editor.saved'));
				showStatus();
				follow();
			}
		} catch (error) {
			if (error.stale && await confirm(t('editor.changed_title'), t('editor.changed_text'), t('editor.reload'))) {
				removeEventListener('beforeunload', leaving);
				dispatchEvent(new HashChangeEvent('hashchange'));
				return;
			}
			if (!error.stale)
				complain(error);
		}
		changed();
	}

	/* Until the device has answered: the stream tells, and where there is none we ask, a few times. */
	function follow(turn = 0) {
		if (turn < 20 && !signal.aborted && ['asked', 'waiting'].includes(wish.state))
			setTimeout(() => refresh().then(() => follow(turn + 1)).catch(() => {}), 500 + turn * 250);
	}

	const list = shapeList(board), leaving = (e) => differs() && e.preventDefault();
	listen('settings', () => refresh().catch(() => {}), signal);
	addEventListener('beforeunload', leaving);
	signal.addEventListener('abort', () => removeEventListener('beforeunload', leaving));
	board.listen(changed);
	tools.show();
	showPlaces();
	showStatus();
	showMask();
	return [head(t('editor.title', { camera: c.name }), linkButton(t('word.back'), link(`/cameras/${c.id}`), { icon: 'left' }), save),
		el('div', { class: 'split' }, el('div', { class: 'stack' }, el('section', { class: 'card stack tight', 'aria-label': t('editor.stage') }, tools.top,
			foreign ? el('p', { class: 'note warn', text: t('editor.foreign') }) : null, stage.node, still.foot, tools.below, said),
		el('section', { class: 'card stack tight' }, el('h2', { text: t('editor.shapes') }), list,
			zones ? el('fieldset', { class: 'stack tight' }, el('legend', { text: t('editor.night') }), el('div', { class: 'row tight' }, nightInput('from'), nightInput('to'))) : null),
		el('section', { class: 'card stack tight' }, el('h2', { text: t('editor.privacy') }), el('p', { text: t('editor.privacy_text') }), mask)),
		el('aside', { class: 'stack', 'aria-label': t('settings.title') }, status, el('section', { class: 'card stack tight' }, el('h2', { text: t('settings.title') }),
			el('p', { class: 'small soft', text: t('settings.text') }), settingsForm(wanted, wish.actual && wish.actual.settings, changed))))];
}
