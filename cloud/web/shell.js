// SPDX-License-Identifier: MIT
/* The frame around every view: where one can go, who one is, whether what is shown is live. */
import { el, fill } from './dom.js';
import { language, t } from './i18n.js';
import { icon } from './icons.js';
import { listen, liveState } from './live.js';
import { ask, iconButton } from './parts.js';
import { nextTheme, theme } from './theme.js';
import { can, has, who } from './session.js';

/* route: shown only where the server has it; phone: one of the tabs below. */
const PLACES = [
	{ name: 'cameras', icon: 'cameras', phone: true },
	{ name: 'timeline', icon: 'timeline', phone: true },
	{ name: 'events', icon: 'events', phone: true },
	{ name: 'search', icon: 'search' },
	{ name: 'ledger', icon: 'ledger', phone: true },
	{ name: 'work', icon: 'work', route: 'GET /v1/exports' },
	{ name: 'devices', icon: 'devices', role: 'viewer' },
	{ name: 'people', icon: 'people', role: 'admin', route: 'GET /v1/users' },
	{ name: 'tokens', icon: 'key', role: 'admin', route: 'GET /v1/apitokens' },
	{ name: 'audit', icon: 'audit', role: 'admin', route: 'GET /v1/audit' },
	{ name: 'account', icon: 'account', route: 'GET /v1/sessions' },
];

function places() {
	return PLACES.filter((p) => (!p.role || can(p.role)) && (!p.route || has(p.route)));
}

function anchor(p) {
	return el('a', { href: `#/${p.name}`, 'data-place': p.name }, icon(p.icon), el('span', { class: 'clip', text: t(`nav.${p.name}`) }));
}

function liveBadge() {
	const node = el('span', { class: 'live' });
	return node;
}

export function shell(place, { onLogout, onLanguage }) {
	const content = el('main', { class: 'content', id: 'content', tabindex: -1 });
	const banner = el('div', { role: 'status', 'aria-live': 'polite' });
	const badges = [liveBadge(), liveBadge()];
	const themeButton = () => {
		const b = iconButton('', theme(), () => {
			nextTheme();
			fill(b, icon({ auto: 'auto', light: 'sun', dark: 'moon' }[theme()]));
			label();
		});
		const label = () => ['title', 'aria-label'].forEach((a) => b.setAttribute(a, t(`theme.${theme()}`)));
		fill(b, icon({ auto: 'auto', light: 'sun', dark: 'moon' }[theme()]));
		label();
		return b;
	};
	const tools = () => [themeButton(), iconButton(language() === 'en' ? '中文' : 'English', 'language', onLanguage), iconButton(t('login.out'), 'out', onLogout)];
	const me = who();
	const person = () => el('div', { class: 'who small clip' }, el('div', { class: 'clip', text: me.user }), el('div', { class: 'soft clip', text: `${t(`role.${me.role}`, {}, me.role)}, ${me.tenant}` }));
	const more = () => ask(t('nav.more'), (close) => el('div', { class: 'stack', on: { click: (e) => e.target.closest('a') && close() } },
		el('nav', { class: 'nav', 'aria-label': t('nav.more') }, places().filter((p) => !p.phone).map(anchor)), el('div', { class: 'row spread' }, person(), el('div', { class: 'row tight' }, tools()))));

	fill(place, el('a', { class: 'button skip', href: '#content', text: t('nav.skip'), on: { click: (e) => { e.preventDefault(); content.focus(); } } }),
		el('header', { class: 'topbar' }, brand(), badges[0]),
		el('div', { class: 'shell' },
			el('header', { class: 'side' }, brand(), el('nav', { class: 'nav', 'aria-label': t('nav.label') }, places().map(anchor)),
				el('div', { class: 'side-foot' }, badges[1], person(), el('div', { class: 'row tight' }, tools()))),
			el('div', null, content)),
		el('nav', { class: 'tabs-below', 'aria-label': t('nav.label_below') }, places().filter((p) => p.phone).map(anchor),
			el('a', { href: '#', role: 'button', 'aria-haspopup': 'dialog', on: { click: (e) => { e.preventDefault(); more(); } } }, icon('more'), el('span', { text: t('nav.more') }))));

	const showLive = (state) => {
		const live = state === 'live';
		badges.forEach((b) => {
			b.className = `live ${live || state === 'opening' ? '' : 'off'}`;
			b.textContent = t(live ? 'live.on' : state === 'opening' ? 'live.opening' : 'live.off');
		});
		fill(banner, state === 'lost' ? el('p', { class: 'banner', text: t('live.banner') }) : null);
	};
	listen('state', showLive);
	showLive(liveState());
	const view = el('div');
	content.append(banner, view);
	return { view, mark(name) {
		place.querySelectorAll('[data-place]').forEach((a) => {
			if (a.getAttribute('data-place') === name)
				a.setAttribute('aria-current', 'page');
			else
				a.removeAttribute('aria-current');
		});
		document.title = `${t(`nav.${name}`)} · Sluice`;
	} };
}

function brand() {
	return el('a', { class: 'brand', href: '#/cameras' }, el('img', { src: new URL('icon.svg', import.meta.url).pathname, alt: '', width: 24, height: 24 }), 'Sluice');
}
