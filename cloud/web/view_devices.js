// SPDX-License-Identifier: MIT
/* The boxes that send: how they are, their groups, letting a new one in, shutting one out, asking one something. */
import { call, get, post } from './api.js';
import { cameras } from './cameras.js';
import { command } from './commands.js';
import { cameraActions } from './camera_actions.js';
import { el, fill } from './dom.js';
import { groupsCard } from './groups.js';
import { t } from './i18n.js';
import { listen } from './live.js';
import { ask, badge, button, complain, confirm, copyable, empty, facts, form, formBody, head, load, select, skeleton, table, toast } from './parts.js';
import { picture } from './picture.js';
import { qr } from './qr.js';
import { link } from './router.js';
import { can, has } from './session.js';
import { ago, date, fromNs, moment } from './time.js';
import { healthLine } from './view_cameras.js';
import { driftTable } from './wish.js';

const NAME = '[A-Za-z0-9._\\-]{1,31}';

export function devicesView(place, params, query, signal) {
	const body = el('div', { class: 'stack' });
	const show = () => load(body, signal, () => skeleton(220), async () => {
		const [{ devices }, list, groups] = await Promise.all([get('/v1/devices', null, signal), cameras(signal), has('GET /v1/groups') && can('admin') ? get('/v1/groups', null, signal).catch(() => null) : null]);
		return [devices.length ? table(t('nav.devices'), [
			{ title: t('word.name'), cell: (d) => [el('a', { href: link(`/devices/${encodeURIComponent(d.name)}`), text: d.name }), d.label ? el('span', { class: 'soft', text: ` ${d.label}` }) : null] },
			{ title: t('devices.state'), cell: (d) => stateBadge(d) },
			{ title: t('nav.cameras'), cell: (d) => list.filter((c) => c.device === d.name).map((c) => c.name).join(', ') },
			{ title: t('devices.enrolled'), cell: (d) => date(Date.parse(d.enrolled)) }, { title: t('devices.until'), cell: (d) => until(d) },
		], devices) : empty(t('devices.none'), t('devices.none_text'), enrolButton(show)), groups ? groupsCard(groups.groups, devices, list, show) : null];
	});
	fill(place, head(t('nav.devices'), enrolButton(show)), body);
	show();
	listen('device', show, signal);
	if (query.get('enrol') && can('operator'))
		enrol(show);
}

function stateBadge(d) {
	if (d.revoked)
		return badge(t('devices.revoked'), 'lost');
	if (d.connected === undefined)
		return badge(t('devices.known'));
	return d.connected ? badge(t('devices.connected'), 'good') : badge(t('devices.away'), 'warn');
}

function until(d) {
	const left = Date.parse(d.not_after) - Date.now();
	return el('span', { class: left < 0 ? 'lost-text' : '', text: date(Date.parse(d.not_after)) });
}

/* ---- enrolment ---- */

function enrolButton(done) {
	return can('operator') && has('POST /v1/tokens') ? button(t('devices.enrol'), () => enrol(done), { kind: 'primary', icon: 'plus' }) : null;
}

async function enrol(done) {
	await ask(t('devices.enrol'), () => {
		const place = el('div', { class: 'stack' });
		fill(place, el('p', { class: 'soft', text: t('enrol.text') }), formBody([
			{ name: 'device', label: t('enrol.name'), required: true, pattern: NAME, hint: t('enrol.name_hint'), maxlength: 31 },
			{ name: 'minutes', label: t('enrol.minutes'), type: 'number', value: 15, min: 1, max: 1440, required: true },
		], t('enrol.make'), async (v) => post('/v1/tokens', { device: v.device, minutes: Number(v.minutes) }), (made) => fill(place, ticket(made))));
		return place;
	});
	done();
}

function ticket(made) {
	const line = `sluicectl enrol ${location.origin} --token ${made.token}`;
	return [el('p', { text: t('enrol.run', { device: made.device }) }), copyable(line, t('enrol.line')),
		el('div', { class: 'qr-place' }, qr(line, t('enrol.qr'))), el('p', { class: 'small soft', text: t('enrol.expires', { time: moment(Date.parse(made.expires)) }) }),
		el('p', { class: 'note', text: t('enrol.once') })];
}

/* ---- one device ---- */

export function deviceView(place, { name }, query, signal) {
	const show = () => load(place, signal, () => [skeleton(34, '30%'), skeleton(240)], async () => {
		const [{ devices }, list] = await Promise.all([get('/v1/devices', null, signal), cameras(signal)]);
		const d = devices.find((k) => k.name === name);
		if (!d)
			throw Object.assign(new Error(t('devices.unknown')), { status: 404 });
		const mine = list.filter((c) => c.device === name);
		return [head(d.label || name, stateBadge(d), labelButton(d, show), revokeButton(d, show)), el('div', { class: 'split' }, el('div', { class: 'stack' },
			el('section', { class: 'card stack tight' }, el('h2', { text: t('nav.cameras') }), mine.length ? el('ul', { class: 'stack' }, mine.map((c) => cameraRow(c, show, signal))) : el('p', { class: 'soft', text: t('devices.no_cameras') })), logsCard(d, signal)),
		el('aside', { class: 'stack', 'aria-label': t('event.about') }, el('section', { class: 'card' }, el('h2', { text: t('event.about') }), facts([[t('word.name'), name], [t('devices.enrolled'), moment(Date.parse(d.enrolled))], [t('devices.until'), until(d)],
			[t('devices.seen'), d.last_seen ? ago(Date.parse(d.last_seen)) : null], [t('devices.build'), d.build], [t('devices.group'), d.group], [t('devices.allows'), d.allows && d.allows.length ? d.allows.join(', ') : d.allows && t('devices.allows_nothing')]])), historyCard(name, signal)))];
	});
	show();
}

/* How it is, what can be asked of it, and where its settings differ from what is wanted. */
function cameraRow(c, again, signal) {
	const shown = el('div');
	const put = (src) => fill(shown, picture({ src, alt: t('camera.snapshot_alt', { camera: c.name }), width: c.width, height: c.height, lazy: false }));
	return el('li', { class: 'stack tight' }, el('div', { class: 'row spread' }, el('div', { class: 'row' }, el('a', { href: link(`/cameras/${c.id}`), text: c.name }), healthLine(c)),
		el('div', { class: 'row tight' }, cameraActions(c, put, again, signal))), driftTable(c.differs), shown);
}

function labelButton(d, done) {
	if (!can('operator') || !has('PUT /v1/devices/{}'))
		return null;
	return button(t('devices.label'), async () => {
		if (await form(t('devices.label'), [{ name: 'label', label: t('devices.label_field'), value: d.label, maxlength: 63, hint: t('devices.label_hint', { name: d.name }) }], t('word.save'), (v) => call('PUT', `/v1/devices/${encodeURIComponent(d.name)}`, { body: { label: v.label.trim() } })))
			done();
	}, { icon: 'edit' });
}

function revokeButton(d, done) {
	if (d.revoked || !can('admin') || !has('DELETE /v1/devices/{}'))
		return null;
	return button(t('devices.revoke'), async () => {
		if (!await confirm(t('devices.revoke_title', { device: d.name }), t('devices.revoke_text'), t('devices.revoke'), true))
			return;
		try {
			await call('DELETE', `/v1/devices/${encodeURIComponent(d.name)}`);
			toast(t('devices.revoked_done', { device: d.name }));
			done();
		} catch (error) {
			complain(error);
		}
	}, { kind: 'danger' });
}

function logsCard(d, signal) {
	if (!can('operator') || !has('POST /v1/devices/{}/commands') || (d.allows && !d.allows.includes('logs')))
		return null;
	const out = el('div'), level = select([['info', 'info'], ['warning', 'warning'], ['error', 'error'], ['debug', 'debug']], 'info', null, { 'aria-label': t('devices.level') });
	const go = button(t('devices.logs'), async () => {
		go.disabled = true;
		fill(out, skeleton(120));
		try {
			const r = await command(d.name, { command: 'logs', lines: 200, level: level.value }, signal);
			fill(out, el('pre', { class: 'log', tabindex: 0, text: (r.lines || []).map(logLine).join('\n') || t('devices.no_logs') }));
		} catch (error) {
			fill(out, el('p', { class: 'note warn', text: error.detail || error.message }));
		}
		go.disabled = false;
	}, { icon: 'logs' });
	return el('section', { class: 'card stack tight' }, el('div', { class: 'row spread' }, el('h2', { text: t('devices.logs_title') }), el('div', { class: 'row tight' }, level, go)), out);
}

function logLine(l) {
	return `${moment(fromNs(l.time_ns))} ${String(l.level).padEnd(7)} ${l.text}`;
}

function historyCard(name, signal) {
	if (!has('GET /v1/devices/{}/commands') || !can('operator'))
		return null;
	const place = el('div');
	load(place, signal, () => skeleton(60), async () => {
		const { commands } = await get(`/v1/devices/${encodeURIComponent(name)}/commands`, null, signal);
		return commands.length ? el('ul', { class: 'stack tight small' }, commands.slice(0, 12).map((c) => el('li', { class: 'row spread' }, el('span', { text: `${c.command}${c.camera ? ` ${c.camera}` : ''}` }),
			badge(t(`command_state.${c.state}`, {}, c.state), { done: 'good', refused: 'lost', failed: 'lost', no_answer: 'warn' }[c.state] || '')))) : el('p', { class: 'soft small', text: t('devices.no_commands') });
	});
	return el('section', { class: 'card' }, el('h2', { text: t('devices.commands') }), place);
}
