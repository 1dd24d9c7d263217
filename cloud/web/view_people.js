// SPDX-License-Identifier: MIT
/* Who may look and who may change something: for administrators. */
import { call, get, post } from './api.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { badge, button, complain, confirm, empty, form, head, load, skeleton, table, toast } from './parts.js';
import { who } from './session.js';
import { moment } from './time.js';

const NAME = '[A-Za-z0-9._@\\-]{1,31}';
export const ROLES = ['viewer', 'operator', 'admin'];

export function roleOptions() {
	return ROLES.map((r) => [r, `${t(`role.${r}`)}: ${t(`role.${r}_text`)}`]);
}

export function peopleView(place, params, query, signal) {
	const body = el('div');
	const show = () => load(body, signal, () => skeleton(180), async () => {
		const { users } = await get('/v1/users', null, signal);
		return users.length ? table(t('nav.people'), [{ title: t('word.name'), cell: (u) => u.name }, { title: t('people.role'), cell: (u) => badge(t(`role.${u.role}`, {}, u.role), u.role === 'admin' ? 'accent' : '') },
			{ title: t('people.totp'), cell: (u) => (u.totp ? badge(t('word.on'), 'good') : badge(t('word.off'))) }, { title: t('people.made'), cell: (u) => (u.created ? moment(Date.parse(u.created)) : '') },
			{ cell: (u) => actions(u, show) }], users) : empty(t('people.none'), t('people.none_text'));
	});
	const add = async () => {
		const made = await form(t('people.add'), [{ name: 'name', label: t('word.name'), required: true, pattern: NAME, maxlength: 31 },
			{ name: 'role', label: t('people.role'), options: roleOptions(), value: 'viewer' },
			{ name: 'password', label: t('people.password'), type: 'password', required: true, autocomplete: 'new-password', hint: t('people.password_hint') }], t('people.add'), (v) => post('/v1/users', v));
		if (made)
			show();
	};
	fill(place, head(t('nav.people'), button(t('people.add'), add, { kind: 'primary', icon: 'plus' })), body);
	show();
}

function actions(u, done) {
	const path = `/v1/users/${encodeURIComponent(u.name)}`;
	const edit = async () => {
		const changed = await form(t('people.edit', { name: u.name }), [{ name: 'role', label: t('people.role'), options: roleOptions(), value: u.role },
			{ name: 'password', label: t('people.new_password'), type: 'password', autocomplete: 'new-password', hint: t('people.keep') }], t('word.save'),
		(v) => call('PUT', path, { body: { role: v.role, ...(v.password ? { password: v.password } : {}) } }));
		if (changed) {
			toast(t('word.saved'));
			done();
		}
	};
	const drop = async () => {
		if (!await confirm(t('people.remove', { name: u.name }), t('people.remove_text'), t('word.remove'), true))
			return;
		await call('DELETE', path).catch(complain);
		done();
	};
	return el('div', { class: 'row tight' }, button(t('word.edit'), edit, { kind: 'plain', 'aria-label': t('people.edit', { name: u.name }) }),
		u.name === who().user ? null : button(t('word.remove'), drop, { kind: 'plain danger', 'aria-label': t('people.remove', { name: u.name }) }));
}
