// SPDX-License-Identifier: MIT
/* Tokens for programs: each with a role, scopes and an end, shown once. */
import { call, get, post } from './api.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { ask, badge, button, complain, confirm, copyable, empty, formBody, head, load, skeleton, table } from './parts.js';
import { moment } from './time.js';
import { roleOptions } from './view_people.js';

const SCOPES = ['read', 'media', 'settings', 'enrol', 'admin'];

export function tokensView(place, params, query, signal) {
	const body = el('div');
	const show = () => load(body, signal, () => skeleton(160), async () => {
		const { apitokens: tokens } = await get('/v1/apitokens', null, signal);
		return tokens.length ? table(t('nav.tokens'), [{ title: t('word.name'), cell: (k) => k.name }, { title: t('people.role'), cell: (k) => badge(t(`role.${k.role}`, {}, k.role)) },
			{ title: t('tokens.scopes'), cell: (k) => (k.scopes || []).join(', ') }, { title: t('tokens.until'), cell: (k) => (k.expires ? moment(Date.parse(k.expires)) : t('word.never')) },
			{ title: t('tokens.used'), cell: (k) => (k.last_used ? moment(Date.parse(k.last_used)) : t('word.never')) },
			{ cell: (k) => button(t('tokens.revoke'), async () => {
				if (await confirm(t('tokens.revoke_title', { name: k.name }), t('tokens.revoke_text'), t('tokens.revoke'), true)) {
					await call('DELETE', `/v1/apitokens/${k.id}`).catch(complain);
					show();
				}
			}, { kind: 'plain danger' }) }], tokens) : empty(t('tokens.none'), t('tokens.none_text'), addButton(show));
	});
	fill(place, head(t('nav.tokens'), addButton(show)), body);
	show();
}

function addButton(done) {
	return button(t('tokens.add'), () => ask(t('tokens.add'), () => {
		const scopes = new Set(['read']), place = el('div', { class: 'stack' });
		return fill(place, el('fieldset', { class: 'stack tight' }, el('legend', { text: t('tokens.scopes') }), SCOPES.map((s) => el('label', { class: 'check' },
			el('input', { type: 'checkbox', checked: scopes.has(s), on: { change: (e) => (e.target.checked ? scopes.add(s) : scopes.delete(s)) } }), `${s}: ${t(`scope.${s}`)}`))),
		formBody([{ name: 'name', label: t('word.name'), required: true, maxlength: 31, pattern: '[A-Za-z0-9._\\-]{1,31}' }, { name: 'role', label: t('people.role'), options: roleOptions(), value: 'viewer' },
			{ name: 'days', label: t('tokens.days'), type: 'number', min: 1, max: 3650, value: 90, required: true }], t('tokens.make'),
		(v) => post('/v1/apitokens', { name: v.name, role: v.role, scopes: [...scopes], days: Number(v.days) }),
		(made) => fill(place, el('p', { text: t('tokens.once') }), copyable(made.token, t('tokens.token')))));
	}).then(done), { kind: 'primary', icon: 'plus' });
}
