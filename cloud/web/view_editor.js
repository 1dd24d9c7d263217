// SPDX-License-Identifier: MIT
/*
 * What is asked of a camera's gate: zones drawn on its still, sensitivity, rolls. What is saved is a
 * wish with a version; the device applies it or refuses it with a reason, and what it has in force is
 * shown beside. Privacy masks are not here: see the note.
 */
import { call, get } from './api.js';
import { cameras } from './cameras.js';
import { el, fill } from './dom.js';
import { settingsForm } from './gate_settings.js';
import { t } from './i18n.js';
import { listen } from './live.js';
import { badge, button, complain, confirm, head, linkButton, load, select, skeleton, table, toast } from './parts.js';
import { link } from './router.js';
import { can } from './session.js';
import { fromMap, rectangle, SHAPES_MAX, toMap } from './shapes.js';
import { stage } from './stage.js';
import { ago } from './time.js';
import { stillOf } from './view_cameras.js';

const STATE = { none: 'outline', waiting: 'warn', asked: 'accent', applied: 'good', in_sync: 'good', refused: 'lost', conflict: 'lost' };
const FACTORS = ['0.5', '0.75', '1.5', '2', '4'];

export function editorView(place, { id }, query, signal) {
	load(place, signal, () => [skeleton(34, '40%'), el('div', { class: 'split' }, skeleton(420), skeleton(420))], async () => {
		const [list, wish] = await Promise.all([cameras(signal), get(`/v1/cameras/${encodeURIComponent(id)}/desired`, null, signal)]);
		const c = list.find((k) => k.id === id);
		if (!c)
			throw Object.assign(new Error(t('camera.unknown')), { status: 404 });
		return page(c, wish, signal);
	});
}

function page(c, wish, signal) {
	const width = c.width || 640, height = c.height || 480, wanted = { ...(wish.settings || {}) };
	let shapes = fromMap(wish.map, width, height), dirty = false, kind = 'ignore';
	let version = wish.version; // that what is drawn here began from; a newer one that is told of is not ours to overwrite
	const foreign = shapes === null; // a map of cells that was not made here
	shapes = shapes || [];
	const status = el('div', { class: 'card stack tight', role: 'status' }), list = el('div', { class: 'stack tight' });
	const save = button(t('editor.save'), store, { kind: 'primary', disabled: true });
	const board = stage({ picture: stillOf(c, false), width, height, shapes, onChange: changed, onChoose: () => showList(),
		make: (points) => ({ kind, factor: kind === 'zone' ? 0.75 : 0, points }) });

	function changed() {
		dirty = true;
		save.disabled = !can('operator');
		showList();
	}

	function add(what) {
		kind = what;
		shapes.push({ kind, factor: kind === 'zone' ? 0.75 : 0, points: rectangle(width * 0.35, height * 0.35, width * 0.3, height * 0.3) });
		board.choose(shapes.length - 1);
		changed();
		const corner = board.node.querySelector('.corner');
		if (corner)
			corner.focus();
	}

	function showList() {
		fill(list, shapes.length ? el('ol', { class: 'shape-list' }, shapes.map((s, n) => el('li', { class: 'row spread' },
			el('button', { type: 'button', class: 'button plain', text: `${n + 1}. ${t(`editor.${s.kind}`)}`, on: { click: () => { board.choose(n); } } }),
			s.kind === 'zone' ? select(FACTORS.concat(FACTORS.includes(String(s.factor)) ? [] : String(s.factor)).map((f) => [f, t(Number(f) < 1 ? 'editor.more_sensitive' : 'editor.less_sensitive', { factor: f })]), String(s.factor),
				(v) => { s.factor = Number(v); board.draw(); changed(); }, { 'aria-label': t('editor.factor') }) : null,
			button(t('word.remove'), () => { shapes.splice(n, 1); board.choose(-1); changed(); }, { kind: 'plain danger' })))) : el('p', { class: 'soft small', text: t('editor.no_shapes') }));
	}

	function showStatus() {
		const drift = Object.entries(wish.drift || {}), say = (v) => (typeof v === 'object' ? JSON.stringify(v) : String(v));
		fill(status, el('div', { class: 'row spread' }, el('h2', { text: t('settings.state') }), badge(t(`desired.${wish.state}`, {}, wish.state), STATE[wish.state] || '')),
			el('p', { class: 'small soft', text: t(`desired.${wish.state}_text`, { device: c.device, version: wish.version ?? '', ago: wish.state_at ? ago(Date.parse(wish.state_at)) : '' }, '') }),
			wish.reason ? el('p', { class: 'note warn', text: wish.reason }) : null,
			(wish.from || []).length ? el('p', { class: 'small soft', text: t('settings.from', { groups: wish.from.join(', ') }) }) : null,
			drift.length ? [el('h3', { text: t('settings.drift') }), table(t('settings.drift'), [
				{ title: t('settings.name'), cell: ([name]) => t(`setting.${name}`, {}, name) }, { title: t('settings.desired'), cell: ([, d]) => say(d.desired) }, { title: t('settings.actual'), cell: ([, d]) => say(d.actual) }], drift)] : null);
	}

	async function refresh() {
		const fresh = await get(`/v1/cameras/${encodeURIComponent(c.id)}/desired`, null, signal);
		Object.assign(wish, { drift: {}, reason: undefined }, fresh);
		showStatus();
		return fresh;
	}

	async function store() {
		save.disabled = true;
		try {
			const body = { settings: wanted };
			if (!foreign || shapes.length)
				body.map = toMap(shapes, width, height);
			else
				body.map = wish.map;
			Object.assign(wish, { drift: {}, reason: undefined }, await call('PUT', `/v1/cameras/${encodeURIComponent(c.id)}/desired`,
				{ body, headers: version ? { 'if-match': `"${version}"` } : {} }));
			version = wish.version;
			dirty = false;
			toast(t('editor.saved'));
			showStatus();
			follow();
		} catch (error) {
			save.disabled = false;
			if (error.status === 412 && await confirm(t('editor.changed_title'), t('editor.changed_text'), t('editor.reload'))) {
				dirty = false;
				dispatchEvent(new HashChangeEvent('hashchange'));
			} else if (error.status !== 412) {
				complain(error);
			}
		}
	}

	/* Until the device has answered: the stream tells, and where there is none we ask, a few times. */
	function follow(turn = 0) {
		if (turn < 20 && !signal.aborted && ['asked', 'waiting'].includes(wish.state))
			setTimeout(() => refresh().then(() => follow(turn + 1)).catch(() => {}), 500 + turn * 250);
	}

	listen('settings', () => refresh().catch(() => {}), signal);
	const leaving = (e) => dirty && e.preventDefault();
	addEventListener('beforeunload', leaving);
	signal.addEventListener('abort', () => removeEventListener('beforeunload', leaving));
	showStatus();
	showList();
	return [head(t('editor.title', { camera: c.name }), linkButton(t('word.back'), link(`/cameras/${c.id}`), { icon: 'left' }), save),
		el('div', { class: 'split' }, el('div', { class: 'stack' }, el('section', { class: 'card stack tight' },
			el('div', { class: 'row' }, button(t('editor.add_ignore'), () => add('ignore'), { icon: 'plus', disabled: shapes.length >= SHAPES_MAX }), button(t('editor.add_zone'), () => add('zone'), { icon: 'plus' })),
			foreign ? el('p', { class: 'note warn', text: t('editor.foreign') }) : null, board.node, el('p', { class: 'small soft', text: t('editor.hint') }), list),
		el('section', { class: 'card stack tight' }, el('h2', { text: t('editor.privacy') }), el('p', { text: t('editor.privacy_text') }), el('code', { class: 'wrap', text: `sluicectl mask ${c.name} --privacy 'X,Y X,Y X,Y'` }))),
		el('aside', { class: 'stack', 'aria-label': t('settings.title') }, status, el('section', { class: 'card stack tight' }, el('h2', { text: t('settings.title') }),
			el('p', { class: 'small soft', text: t('settings.text') }), settingsForm(wanted, wish.actual && wish.actual.settings, changed))))];
}
