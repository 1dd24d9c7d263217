// SPDX-License-Identifier: MIT
/* The boxes that send: how they are, their groups, letting a new one in, shutting one out, asking one something. */
import { call, get, post } from './api.js';
import { cameras } from './cameras.js';
import { command } from './commands.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { listen } from './live.js';
import { ask, badge, button, complain, confirm, copyable, empty, facts, formBody, head, load, select, skeleton, table, toast } from './parts.js';
import { qr } from './qr.js';
import { link } from './router.js';
import { can, has } from './session.js';
import { ago, date, fromNs, moment } from './time.js';
import { healthLine } from './view_cameras.js';

const NAME = '[A-Za-z0-9._\\-]{1,31}';

export function devicesView(place, params, query, signal) {
	const body = el('div', { class: 'stack' });
	const show = () => load(body, signal, () => skeleton(220), async () => {
		const [{ devices }, list, groups] = await Promise.all([get('/v1/devices', null, signal), cameras(signal), has('GET /v1/groups') && can('admin') ? get('/v1/groups', null, signal).catch(() => null) : null]);
		return [devices.length ? table(t('nav.devices'), [
			{ title: t('word.name'), cell: (d) => el('a', { href: link(`/devices/${encodeURIComponent(d.name)}`), text: d.name }) },
			{ title: t('devices.state'), cell: (d) => stateBadge(d) },
			{ title: t('nav.cameras'), cell: (d) => list.filter((c) => c.device === d.name).map((c) => c.name).join(', ') },
			{ title: t('devices.enrolled'), cell: (d) => date(Date.parse(d.enrolled)) }, { title: t('devices.until'), cell: (d) => until(d) },
		], devices) : empty(t('devices.none'), t('devices.none_text'), enrolButton(show)), groups ? groupsCard(groups.groups, devices, show) : null];
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

/* ---- groups ---- */

function groupsCard(groups, devices, done) {
	const edit = (group) => ask(group ? t('groups.edit', { name: group.name }) : t('groups.add'), (close) => {
		const members = new Set(group ? group.devices : []);
		return el('div', { class: 'stack' }, el('fieldset', { class: 'stack tight' }, el('legend', { text: t('groups.members') }), devices.map((d) => el('label', { class: 'check' },
			el('input', { type: 'checkbox', checked: members.has(d.name), on: { change: (e) => (e.target.checked ? members.add(d.name) : members.delete(d.name)) } }), d.name))),
		formBody([...(group ? [] : [{ name: 'name', label: t('word.name'), required: true, pattern: NAME, maxlength: 31 }]),
			{ name: 'preset', label: t('setting.preset'), value: (group && group.settings && group.settings.preset) || '', options: [['', t('settings.as_is')], ['low', t('preset.low')], ['medium', t('preset.medium')], ['high', t('preset.high')]] },
			{ name: 'enforce', label: t('groups.enforce'), value: group && group.enforce ? '1' : '0', options: [['0', t('word.no')], ['1', t('word.yes')]] },
		], t('word.save'), (v) => {
			const settings = { ...((group && group.settings) || {}) };
			if (v.preset)
				settings.preset = v.preset;
			else
				delete settings.preset;
			const body = { ...(group ? {} : { name: v.name }), enforce: v.enforce === '1', devices: [...members], cameras: (group && group.cameras) || [], settings, ...(group && group.map ? { map: group.map } : {}) };
			return group ? call('PUT', `/v1/groups/${encodeURIComponent(group.name)}`, { body, headers: { 'if-match': `"${group.version}"` } }) : post('/v1/groups', body);
		}, close));
	}).then((changed) => changed && done());
	const drop = async (group) => {
		if (await confirm(t('groups.remove', { name: group.name }), t('groups.remove_text'), t('word.remove'), true)) {
			await call('DELETE', `/v1/groups/${encodeURIComponent(group.name)}`).catch(complain);
			done();
		}
	};
	return el('section', { class: 'stack tight' }, el('div', { class: 'row spread' }, el('h2', { text: t('groups.title') }), can('admin') ? button(t('groups.add'), () => edit(null), { icon: 'plus' }) : null),
		groups.length ? table(t('groups.title'), [{ title: t('word.name'), cell: (g) => g.name }, { title: t('nav.devices'), cell: (g) => (g.devices || []).join(', ') },
			{ title: t('settings.title'), cell: (g) => Object.entries(g.settings || {}).map(([k, v]) => `${t(`setting.${k}`, {}, k)}: ${v}`).join(', ') },
			{ cell: (g) => (can('admin') ? el('div', { class: 'row tight' }, button(t('word.edit'), () => edit(g), { kind: 'plain' }), button(t('word.remove'), () => drop(g), { kind: 'plain danger' })) : null) }], groups) :
			el('p', { class: 'soft', text: t('groups.none') }));
}

/* ---- one device ---- */

export function deviceView(place, { name }, query, signal) {
	const show = () => load(place, signal, () => [skeleton(34, '30%'), skeleton(240)], async () => {
		const [{ devices }, list] = await Promise.all([get('/v1/devices', null, signal), cameras(signal)]);
		const d = devices.find((k) => k.name === name);
		if (!d)
			throw Object.assign(new Error(t('devices.unknown')), { status: 404 });
		const mine = list.filter((c) => c.device === name);
		return [head(name, stateBadge(d), revokeButton(d, show)), el('div', { class: 'split' }, el('div', { class: 'stack' },
			el('section', { class: 'card stack tight' }, el('h2', { text: t('nav.cameras') }), mine.length ? el('ul', { class: 'stack tight' }, mine.map((c) => el('li', { class: 'row spread' },
				el('a', { href: link(`/cameras/${c.id}`), text: c.name }), healthLine(c)))) : el('p', { class: 'soft', text: t('devices.no_cameras') })), logsCard(d, signal)),
		el('aside', { class: 'stack', 'aria-label': t('event.about') }, el('section', { class: 'card' }, el('h2', { text: t('event.about') }), facts([[t('devices.enrolled'), moment(Date.parse(d.enrolled))], [t('devices.until'), until(d)],
			[t('devices.seen'), d.last_seen ? ago(Date.parse(d.last_seen)) : null], [t('devices.build'), d.build], [t('devices.group'), d.group], [t('devices.allows'), d.allows && d.allows.length ? d.allows.join(', ') : d.allows && t('devices.allows_nothing')]])), historyCard(name, signal)))];
	});
	show();
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
