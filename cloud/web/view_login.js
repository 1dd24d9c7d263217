// SPDX-License-Identifier: MIT
/* The way in. There is no account to make here: an administrator makes them. */
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { field } from './parts.js';
import { login } from './session.js';

/* why: a sentence on how one came here, or nothing. */
export function loginView(place, why, done) {
	const user = el('input', { name: 'user', required: true, autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false' });
	const password = el('input', { name: 'password', type: 'password', required: true, autocomplete: 'current-password' });
	const code = el('input', { name: 'totp', autocomplete: 'one-time-code', autocapitalize: 'characters', spellcheck: 'false', maxlength: 40 }); // not of digits alone: a recovery code has letters
	const codeField = field(t('login.totp'), code, t('login.totp_hint'));
	const trouble = el('div', { role: 'alert' });
	const go = el('button', { type: 'submit', class: 'button primary', text: t('login.go') });
	codeField.classList.add('hidden');

	async function submit(e) {
		e.preventDefault();
		go.disabled = true;
		fill(trouble);
		const values = { user: user.value.trim(), password: password.value };
		const digits = code.value.replace(/\s/g, '');
		if (digits)
			values.code = digits;
		try {
			done(await login(values));
			return;
		} catch (error) {
			const wantsCode = error.type === 'urn:sluice:code-needed';
			if (wantsCode && codeField.classList.contains('hidden')) {
				codeField.classList.remove('hidden');
				code.required = true;
				code.focus();
				fill(trouble, el('p', { class: 'note', text: t('login.want_totp') }));
			} else {
				fill(trouble, el('p', { class: 'note warn', text: error.status === 0 ? t('error.network') : error.detail || t('login.wrong') }));
			}
		}
		go.disabled = false;
	}

	fill(place, el('main', { class: 'login' }, el('form', { class: 'card stack', on: { submit } },
		el('div', { class: 'stack tight' }, el('h1', { text: t('login.title') }), el('p', { class: 'soft', text: t('login.text') })),
		why ? el('p', { class: 'note', role: 'status', text: why }) : null,
		field(t('login.user'), user), field(t('login.password'), password), codeField, trouble, go)));
	user.focus();
}
