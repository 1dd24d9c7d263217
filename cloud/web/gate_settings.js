// SPDX-License-Identifier: MIT
/* The settings of a gate that a person may ask for, as `sluicectl set` names them, with their units and bounds. */
import { el } from './dom.js';
import { t } from './i18n.js';

/* name, least, most, step; what they mean is in words.js. The device has the last word. */
const NUMBERS = [
	['rate', 0, 1000, 0.5], ['preroll', 0, 30, 0.5], ['postroll', 0, 60, 0.5], ['keepalive', 0, 3600, 1], ['audit', 0, 86400, 1], ['stall', 1, 600, 1],
	['confirm', 0, 1, 0.01], ['warmup', 0.2, 60, 0.1], ['floor', 1, 64, 0.25], ['k', 1, 64, 0.25], ['mass', 16, 4096, 1], ['strong', 64, 65535, 1], ['scene', 10, 100, 1],
];
const SWITCHES = ['bands', 'tamper'];
const COMMON = ['rate', 'preroll', 'postroll', 'keepalive'];

/* wanted: {name: value}, changed in place; an empty field asks for nothing. actual: what is in force, for the eye. */
export function settingsForm(wanted, actual, onChange) {
	const set = (name, value) => {
		if (value === '' || value === null)
			delete wanted[name];
		else
			wanted[name] = value;
		onChange();
	};
	const hint = (name) => (actual && actual[name] !== undefined ? t('settings.now', { value: String(actual[name]) }) : '');
	const wrap = (name, input) => el('label', { class: 'field' }, el('span', { text: t(`setting.${name}`) }), input, el('span', { class: 'small soft number', text: hint(name) }));
	const number = ([name, min, max, step]) => wrap(name, el('input', { type: 'number', name, min, max, step, value: wanted[name] ?? '', placeholder: t('settings.as_is'),
		on: { change: (e) => e.target.checkValidity() && set(name, e.target.value === '' ? '' : Number(e.target.value)) } }));
	const choice = (name, options) => wrap(name, el('select', { name, value: String(wanted[name] ?? ''), on: { change: (e) => set(name, name === 'preset' || e.target.value === '' ? e.target.value : Number(e.target.value)) } },
		[['', t('settings.as_is')], ...options].map(([v, text]) => el('option', { value: v, text }))));
	const by = (keep) => NUMBERS.filter((n) => COMMON.includes(n[0]) === keep).map(number);
	return el('div', { class: 'stack tight' },
		choice('preset', [['low', t('preset.low')], ['medium', t('preset.medium')], ['high', t('preset.high')]]), el('div', { class: 'field-grid' }, by(true)),
		el('details', null, el('summary', { text: t('settings.more') }), el('div', { class: 'field-grid gap-top' }, by(false),
			SWITCHES.map((name) => choice(name, [['1', t('word.on')], ['0', t('word.off')]])))));
}
