// SPDX-License-Identifier: MIT
/* Who did what: newest first, a page at a time. */
import { get } from './api.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { badge, button, empty, head, load, skeleton, table } from './parts.js';
import { moment } from './time.js';

export function auditView(place, params, query, signal) {
	const body = el('div', { class: 'stack' });
	const rows = [];
	let cursor = null;
	const more = async () => {
		const page = await get('/v1/audit', { limit: 100, cursor }, signal);
		rows.push(...page.audit);
		cursor = page.next || null;
		return rows.length ? [table(t('nav.audit'), [{ title: t('audit.when'), cell: (r) => el('span', { class: 'number nowrap', text: moment(Date.parse(r.time)) }) },
			{ title: t('audit.who'), cell: (r) => r.who }, { title: t('audit.what'), cell: (r) => [r.action, r.result === 'ok' ? null : badge(t(`result.${r.result}`), 'lost')] }, { title: t('audit.object'), cell: (r) => el('span', { class: 'wrap', text: r.what || '' }) },
			{ title: t('audit.address'), cell: (r) => el('span', { class: 'number', text: r.address || '' }) }], rows),
		cursor ? button(t('events.more'), () => more().then((made) => fill(body, made))) : null] : empty(t('audit.none'), t('audit.none_text'));
	};
	fill(place, head(t('nav.audit')), body);
	load(body, signal, () => skeleton(300), more);
}
