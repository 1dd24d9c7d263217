// SPDX-License-Identifier: MIT
/* Small pieces that several views are built of. */
import { el, fill, unique } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';

export function button(text, onClick, props = {}) {
	const { icon: drawing, kind, ...rest } = props;
	return el('button', { type: 'button', class: `button ${kind || ''}`, on: { click: onClick }, ...rest },
		drawing ? icon(drawing) : null, text);
}

/* A button that shows only its drawing; the words are for who cannot see it. */
export function iconButton(text, drawing, onClick, props = {}) {
	return el('button', { type: 'button', class: 'button icon plain', title: text, 'aria-label': text, on: { click: onClick }, ...props }, icon(drawing));
}

export function linkButton(text, href, props = {}) {
	const { icon: drawing, kind, ...rest } = props;
	return el('a', { class: `button ${kind || ''}`, href, ...rest }, drawing ? icon(drawing) : null, text);
}

export function badge(text, kind = '') {
	return el('span', { class: `badge ${kind}`, text });
}

export function head(title, ...rest) {
	return el('header', { class: 'head' }, el('h1', { text: title }), rest);
}

export function empty(title, text, ...actions) {
	return el('div', { class: 'empty' }, el('h2', { text: title }), el('p', { text }), actions.length ? el('div', { class: 'row' }, actions) : null);
}

/* What went wrong, what it means, and a way to go on. */
export function failure(error, retry) {
	const lines = [error.detail || error.message];
	if (error.status === 0)
		lines.push(t('error.network'));
	else if (error.status === 403)
		lines.push(t('error.forbidden'));
	else if (error.status === 404)
		lines.push(t('error.gone'));
	else if (error.status >= 500)
		lines.push(t('error.server'));
	return el('div', { class: 'error', role: 'alert' }, el('h2', { text: t('error.title') }),
		[...new Set(lines.filter(Boolean))].map((text) => el('p', { text })),
		retry ? button(t('error.retry'), retry) : null);
}

export function skeleton(height, width) {
	return el('div', { class: 'skeleton', style: { height: `${height}px`, width: width || '100%' }, 'aria-hidden': 'true' });
}

/*
 * Runs work() and shows what it returns in place; until then shape() (of the same size, so that
 * nothing jumps), and if it fails the error with a button to try again. Nothing is shown once the
 * signal is aborted.
 */
export async function load(place, signal, shape, work) {
	place.setAttribute('aria-busy', 'true');
	fill(place, shape ? shape() : null);
	try {
		const made = await work();
		if (!signal.aborted)
			fill(place, made);
	} catch (error) {
		if (!signal.aborted && !error.expired)
			fill(place, failure(error, () => load(place, signal, shape, work)));
	}
	place.removeAttribute('aria-busy');
}

export function field(label, input, hint) {
	return el('label', { class: 'field' }, el('span', { text: label }), input, hint ? el('span', { class: 'small soft', text: hint }) : null);
}

export function select(options, value, onChange, props = {}) {
	return el('select', { ...props, value, on: { change: (e) => onChange && onChange(e.target.value) } },
		options.map(([v, text]) => el('option', { value: v, text })));
}

export function check(label, checked, onChange) {
	return el('label', { class: 'check' }, el('input', { type: 'checkbox', checked, on: { change: (e) => onChange(e.target.checked) } }), el('span', { text: label }));
}

export function facts(pairs) {
	return el('dl', { class: 'facts' }, pairs.filter((p) => p && p[1] !== undefined && p[1] !== null)
		.map(([name, value]) => [el('dt', { text: name }), el('dd', null, value)]));
}

/* columns: {title, number, cell(row)}; the first is what the row is about. */
export function table(caption, columns, rows) {
	return el('div', { class: 'table-wrap', tabindex: 0, role: 'region', 'aria-label': caption },
		el('table', null, el('caption', { class: 'unseen', text: caption }),
			el('thead', null, el('tr', null, columns.map((c) => el('th', { scope: 'col', class: c.number ? 'number' : '' },
				c.title || el('span', { class: 'unseen', text: c.unseen || t('word.actions') }))))),
			el('tbody', null, rows.map((row) => el('tr', null, columns.map((c) => el('td', { class: c.number ? 'number' : '' }, c.cell(row))))))));
}

let toasts = null;
export function toast(text, bad) {
	if (!toasts || !toasts.isConnected)
		document.body.append(toasts = el('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' }));
	const note = el('div', { class: `toast ${bad ? 'bad' : ''}`, text });
	toasts.append(note);
	setTimeout(() => note.remove(), bad ? 8000 : 4000);
}

/* Says what a failed request said; what it did not do is left as it was. */
export function complain(error) {
	if (!error.expired)
		toast(error.detail || error.message || t('error.network'), true);
}

/* A dialog; content(close) makes what is inside. Resolves with what close() was given. */
export function ask(title, content) {
	return new Promise((resolve) => {
		const id = unique('dialog');
		let answer;
		const box = el('dialog', { 'aria-labelledby': id, on: { close: () => { box.remove(); resolve(answer); } } });
		const close = (value) => { answer = value; box.close(); };
		box.append(el('div', { class: 'inside' },
			el('div', { class: 'row spread' }, el('h2', { id, text: title }), iconButton(t('word.close'), 'close', () => close())),
			content(close)));
		document.body.append(box);
		box.showModal();
	});
}

export function confirm(title, text, action, danger) {
	return ask(title, (close) => [el('p', { text }), el('div', { class: 'actions' },
		button(t('word.cancel'), () => close(false)), button(action, () => close(true), { kind: danger ? 'danger' : 'primary' }))]);
}

/* fields: [{name, label, type, value, required, hint, options}]; resolves with their values, or undefined. */
export function form(title, fields, action, submit) {
	return ask(title, (close) => formBody(fields, action, submit, close));
}

export function formBody(fields, action, submit, close) {
	const trouble = el('div', { role: 'alert' });
	const inputs = new Map(fields.map((f) => [f.name, f.options ? select(f.options, f.value, null) :
		el('input', { type: f.type || 'text', value: f.value ?? '', required: f.required, autocomplete: f.autocomplete || 'off',
			min: f.min, max: f.max, pattern: f.pattern, inputmode: f.inputmode, maxlength: f.maxlength })]));
	const go = button(action, null, { kind: 'primary', type: 'submit' });
	return el('form', { class: 'stack tight', on: { submit: async (e) => {
		e.preventDefault();
		go.disabled = true;
		fill(trouble);
		try {
			const values = Object.fromEntries([...inputs].map(([name, input]) => [name, input.value]));
			close(await submit(values) ?? true);
		} catch (error) {
			fill(trouble, el('p', { class: 'note warn', text: error.detail || error.message }));
		}
		go.disabled = false;
	} } }, fields.map((f) => field(f.label, inputs.get(f.name), f.hint)), trouble,
	el('div', { class: 'actions row' }, go));
}

/* Text that can be taken along: shown, selected by a click, copied by a button. */
export function copyable(text, label) {
	return el('div', { class: 'copyable' }, el('code', { class: 'copy-text', tabindex: 0, 'aria-label': label, text }),
		button(t('word.copy'), async () => {
			try {
				await navigator.clipboard.writeText(text);
				toast(t('word.copied'));
			} catch {
				toast(t('error.copy'), true);
			}
		}));
}
