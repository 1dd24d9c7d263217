// SPDX-License-Identifier: MIT
/*
 * Groups of devices and cameras with settings in common. One that a device differs from may be asked
 * for again and again (enforce). A device, and a camera, is in one group at most: the server says so.
 */
import { call, post } from './api.js';
import { el } from './dom.js';
import { settingsForm } from './gate_settings.js';
import { t } from './i18n.js';
import { ask, button, complain, confirm, formBody, table } from './parts.js';
import { can } from './session.js';

const NAME = '[A-Za-z0-9._\\-]{1,31}';

/* all: [[id, text]]; members: a Set, changed in place. */
function choose(title, all, members) {
	return all.length ? el('fieldset', { class: 'stack tight' }, el('legend', { text: title }), el('div', { class: 'field-grid' }, all.map(([id, text]) => el('label', { class: 'check' },
		el('input', { type: 'checkbox', checked: members.has(id), on: { change: (e) => (e.target.checked ? members.add(id) : members.delete(id)) } }), el('span', { class: 'clip', text }))))) : null;
}

function edit(group, devices, cameras) {
	return ask(group ? t('groups.edit', { name: group.name }) : t('groups.add'), (close) => {
		const members = new Set(group ? group.devices : []), single = new Set(group ? group.cameras : []), wanted = { ...(group ? group.settings : {}) };
		const name = { name: 'name', label: t('word.name'), required: true, pattern: NAME, maxlength: 31 };
		return el('div', { class: 'stack' }, choose(t('groups.members'), devices.map((d) => [d.name, d.label || d.name]), members), choose(t('groups.cameras'), cameras.map((c) => [c.id, `${c.name} (${c.device})`]), single),
			el('h3', { text: t('settings.title') }), settingsForm(wanted, null, () => {}),
			formBody([...(group ? [] : [name]), { name: 'enforce', label: t('groups.enforce'), value: group && group.enforce ? '1' : '0', options: [['0', t('word.no')], ['1', t('word.yes')]] }], t('word.save'), (v) => {
				const body = { enforce: v.enforce === '1', devices: [...members], cameras: [...single], settings: wanted, ...(group && group.map ? { map: group.map } : {}) };
				return group ? call('PUT', `/v1/groups/${encodeURIComponent(group.name)}`, { body, headers: { 'if-match': `"${group.version}"` } }) : post('/v1/groups', { name: v.name, ...body });
			}, close));
	});
}

/* done(): they are others now. */
export function groupsCard(groups, devices, cameras, done) {
	const change = (group) => edit(group, devices, cameras).then((changed) => changed && done());
	const drop = async (group) => {
		if (await confirm(t('groups.remove', { name: group.name }), t('groups.remove_text'), t('word.remove'), true)) {
			await call('DELETE', `/v1/groups/${encodeURIComponent(group.name)}`).catch(complain);
			done();
		}
	};
	const cameraName = (id) => (cameras.find((c) => c.id === id) || { name: id }).name;
	return el('section', { class: 'stack tight' }, el('div', { class: 'row spread' }, el('h2', { text: t('groups.title') }), can('admin') ? button(t('groups.add'), () => change(null), { icon: 'plus' }) : null),
		groups.length ? table(t('groups.title'), [{ title: t('word.name'), cell: (g) => g.name }, { title: t('nav.devices'), cell: (g) => g.devices.join(', ') }, { title: t('nav.cameras'), cell: (g) => g.cameras.map(cameraName).join(', ') },
			{ title: t('settings.title'), cell: (g) => Object.entries(g.settings).map(([k, v]) => `${t(`setting.${k}`, {}, k)}: ${v}`).join(', ') }, { title: t('groups.enforced'), cell: (g) => t(g.enforce ? 'word.yes' : 'word.no') },
			{ cell: (g) => (can('admin') ? el('div', { class: 'row tight' }, button(t('word.edit'), () => change(g), { kind: 'plain' }), button(t('word.remove'), () => drop(g), { kind: 'plain danger' })) : null) }], groups) :
			el('p', { class: 'soft', text: t('groups.none') }));
}
