// SPDX-License-Identifier: MIT
/* The shapes of a board as a list: chosen, named, made more or less sensitive, turned round, taken away. */
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { button, select } from './parts.js';
import { isNamed, KINDS, NAME_BYTES } from './shapes.js';

const FACTORS = ['0.5', '0.75', '1.5', '2', '4'];

/* A field of shape n has node(s) and show(); the shape itself is asked for each time: undo puts others in its place. */
function factorField(board, n) {
	const shape = () => board.shapes[n], all = FACTORS.concat(FACTORS.includes(String(shape().factor)) ? [] : String(shape().factor));
	const node = select(all.map((f) => [f, t(Number(f) < 1 ? 'editor.more_sensitive' : 'editor.less_sensitive', { factor: f })]), '',
		(v) => { shape().factor = Number(v); board.step(); }, { 'aria-label': t('editor.factor') });
	return { node, show: () => { node.value = String(shape().factor); } };
}

/* Who is in the zone, or crosses the line that way, is of concern. */
function concernField(board, n) {
	const shape = () => board.shapes[n];
	const choices = shape().kind === 'place' ? [['', t('concern.none')], ['yes', t('concern.any')]] : ['none', 'forward', 'backward', 'both'].map((w) => [w === 'none' ? '' : w, t(`concern.${w}`)]);
	const node = select(choices, '', (v) => { shape().concern = v === 'yes' ? true : v; board.step(); }, { name: `concern-${n}`, 'aria-label': t('editor.concern_of', { n: n + 1 }) });
	return { node, show: () => { node.value = shape().concern === true ? 'yes' : shape().concern || ''; } };
}

/* Why a name cannot be taken; '': it can. */
export function nameTrouble(shapes, s) {
	const name = s.name.trim();
	if (!name)
		return t('editor.name_none');
	if (new TextEncoder().encode(name).length > NAME_BYTES)
		return t('editor.name_long', { n: NAME_BYTES });
	return shapes.some((k) => k !== s && k.kind === s.kind && k.name.trim() === name) ? t('editor.name_twice') : '';
}

function nameField(board, n) {
	const shape = () => board.shapes[n], trouble = el('p', { class: 'note warn small', role: 'alert' });
	const input = el('input', { type: 'text', name: `name-${n}`, maxlength: NAME_BYTES, autocomplete: 'off', 'aria-label': t('editor.name_of', { n: n + 1 }) });
	const check = () => {
		const wrong = nameTrouble(board.shapes, shape());
		input.setAttribute('aria-invalid', String(Boolean(wrong)));
		trouble.textContent = wrong;
		trouble.classList.toggle('hidden', !wrong);
	};
	input.addEventListener('input', () => { shape().name = input.value; check(); });
	input.addEventListener('change', () => { shape().name = input.value.trim(); board.step(); });
	return { node: [input, trouble], show: () => {
		if (input !== document.activeElement)
			input.value = shape().name;
		check();
	} };
}

/* The rows are made anew only when there are others: who types or tabs through them keeps the place. */
export function shapeList(board) {
	const node = el('div', { class: 'stack tight' });
	let shown = null, rows = [];

	function row({ kind }, n) {
		const choose = button(`${n + 1}. ${t(`editor.${kind}`)}`, () => board.choose(n === board.chosen ? -1 : n), { kind: 'plain' }), dot = el('i');
		const concern = isNamed(kind) ? concernField(board, n) : null;
		const field = isNamed(kind) ? nameField(board, n) : kind === 'zone' ? factorField(board, n) : null;
		choose.prepend(dot);
		return { node: el('li', { class: 'shape-row' }, choose, field && field.node, concern && concern.node,
			el('span', { class: 'row tight' }, kind === 'line' ? button(t('editor.turn'), () => { board.shapes[n].points.reverse(); board.step(); }, { kind: 'plain' }) : null,
				button(t('word.remove'), () => board.remove(n), { kind: 'plain danger', 'aria-label': t('editor.remove_of', { n: n + 1 }) }))),
		show: () => {
			dot.className = `dot shape-dot ${kind} ${board.shapes[n].factor > 1 ? 'less' : ''}`;
			choose.setAttribute('aria-pressed', String(n === board.chosen));
			if (field)
				field.show();
			if (concern)
				concern.show();
		} };
	}

	function show() {
		const now = JSON.stringify(board.shapes.map((s) => s.kind));
		if (now !== shown) {
			shown = now;
			rows = board.shapes.map(row);
			fill(node, rows.length ? el('ol', { class: 'shape-list' }, rows.map((r) => r.node)) : el('p', { class: 'soft small', text: t('editor.no_shapes') }));
		}
		rows.forEach((r) => r.show());
	}
	board.listen(show);
	show();
	return node;
}

/* A name that no other of its kind has. */
export function freshName(shapes, kind) {
	for (let n = 1; ; n++) {
		const name = t(`editor.name_${KINDS[kind].list}`, { n });
		if (!shapes.some((s) => s.kind === kind && s.name === name))
			return name;
	}
}
