// SPDX-License-Identifier: MIT
/* What was counted of a camera's gate, what is proposed for it, and what was applied: docs/api.md, "Retuning". */
import { get, post } from './api.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { badge, button, complain, facts, toast } from './parts.js';
import { can, has } from './session.js';
import { ago, count } from './time.js';

const of = (part, all) => t('retune.of', { part: count(part), all: count(all) });

/* An empty place, which is filled when the answer is there; it stays empty while nothing was counted. */
export function retuneCard(c, signal) {
	const place = el('div'), path = `/v1/cameras/${encodeURIComponent(c.id)}/retune`;
	if (!has('GET /v1/cameras/{}/retune'))
		return null;
	const show = (r) => !signal.aborted && fill(place, r.counts.openings || r.counts.samples || r.applied ? card(r, act) : null);
	const act = (word, done) => async (event) => {
		event.currentTarget.disabled = true;
		try {
			show(await post(`${path}/${word}`, {}));
			toast(done);
		} catch (error) {
			complain(error);
			show(await get(path, null, signal));
		}
	};
	get(path, null, signal).then(show).catch(() => {}); /* what else is on the page says so if there is no link */
	return place;
}

function card(r, act) {
	const may = can('operator') && has('POST /v1/cameras/{}/retune/apply');
	return el('section', { class: 'card stack tight' }, el('div', { class: 'row spread' }, el('h2', { text: t('retune.title') }), badge(t(`retune_mode.${r.effective_mode}`))),
		facts([[t('retune.nothing'), of(r.counts.nothing, r.counts.openings)], [t('retune.missed'), of(r.counts.missed, r.counts.samples)]]),
		r.left_alone ? el('p', { class: 'note', text: r.left_alone }) : null,
		r.proposal ? [el('h3', { text: t('retune.proposed') }), el('p', { class: 'small', text: r.proposal.why }),
			may && !r.left_alone ? button(t('retune.apply'), act('apply', t('retune.applied_done'))) : null] : null,
		r.applied ? [el('h3', { text: t('retune.applied', { who: r.applied.by, ago: ago(Date.parse(r.applied.at)) }) }), el('p', { class: 'small', text: r.applied.why }),
			may && r.applied.can_go_back ? button(t('retune.back'), act('rollback', t('retune.back_done'))) : null] : null);
}
