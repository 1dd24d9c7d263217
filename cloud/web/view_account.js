// SPDX-License-Identifier: MIT
/* One's own account: password, one-time codes, where one is signed in. */
import { call, get, post, put } from './api.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { ask, badge, button, complain, copyable, form, formBody, head, load, skeleton, table, toast } from './parts.js';
import { qr } from './qr.js';
import { resume, who } from './session.js';
import { ago, moment } from './time.js';

export function accountView(place, params, query, signal) {
	const sessions = el('div'), codes = el('div', { class: 'card stack tight' });
	const showSessions = () => load(sessions, signal, () => skeleton(120), async () => table(t('account.sessions'), [
		{ title: t('account.from'), cell: (s) => el('span', { class: 'row tight number' }, s.address, s.current ? badge(t('account.this'), 'accent') : null) },
		{ title: t('account.since'), cell: (s) => moment(Date.parse(s.created)) }, { title: t('tokens.used'), cell: (s) => ago(Date.parse(s.last_used)) },
		{ cell: (s) => (s.current ? null : button(t('login.out'), () => call('DELETE', `/v1/sessions/${s.id}`).then(showSessions, complain), { kind: 'plain danger' })) },
	], (await get('/v1/sessions', null, signal)).sessions));
	const showCodes = () => fill(codes, el('div', { class: 'row spread' }, el('h2', { text: t('people.totp') }), badge(t(who().totp ? 'word.on' : 'word.off'), who().totp ? 'good' : '')),
		el('p', { class: 'soft', text: t('account.totp_text') }), el('div', null, who().totp ? button(t('account.totp_end'), endCodes) : button(t('account.totp_begin'), beginCodes, { kind: 'primary' })));
	const again = async () => {
		await resume();
		if (query.get('factor') && who().totp) { // all the rest was hidden until now
			location.hash = '#/';
			location.reload();
			return;
		}
		if (!signal.aborted)
			showCodes();
	};

	async function beginCodes() {
		let made;
		try {
			made = await post('/v1/session/totp', {});
		} catch (error) {
			complain(error);
			return;
		}
		await ask(t('account.totp_begin'), () => {
			const inside = el('div', { class: 'stack' });
			return fill(inside, el('p', { text: t('account.totp_scan') }), el('div', { class: 'qr-place' }, qr(made.uri, t('account.totp_qr'))), copyable(made.secret, t('account.totp_secret')),
				formBody([{ name: 'code', label: t('login.totp'), required: true, inputmode: 'numeric', autocomplete: 'one-time-code' }], t('account.totp_confirm'), (v) => put('/v1/session/totp', { code: v.code.trim() }),
					(done) => fill(inside, el('p', { text: t('account.recovery') }), el('pre', { class: 'log', tabindex: 0, text: done.recovery.join('\n') }))));
		});
		await again().catch(complain);
	}

	async function endCodes() {
		if (await form(t('account.totp_end'), [{ name: 'code', label: t('login.totp'), required: true, autocomplete: 'one-time-code' }], t('account.totp_end'), (v) => call('DELETE', '/v1/session/totp', { body: { code: v.code.trim() } })))
			await again().catch(complain);
	}

	async function password() {
		if (await form(t('account.password'), [{ name: 'password', label: t('account.old'), type: 'password', required: true, autocomplete: 'current-password' },
			{ name: 'new', label: t('people.new_password'), type: 'password', required: true, autocomplete: 'new-password', hint: t('people.password_hint') }], t('word.save'), (v) => put('/v1/session/password', v))) {
			toast(t('account.password_done'));
			showSessions();
		}
	}

	const me = who();
	fill(place, head(t('nav.account'), button(t('account.password'), password)), el('div', { class: 'stack' },
		el('p', { class: 'soft', text: t('account.who', { user: me.user, role: t(`role.${me.role}`), tenant: me.tenant }) }),
		query.get('factor') && !me.totp ? el('p', { class: 'note warn', role: 'alert', text: t('account.factor_needed') }) : null, codes,
		el('section', { class: 'stack tight' }, el('h2', { text: t('account.sessions') }), sessions)));
	showCodes();
	showSessions();
}
