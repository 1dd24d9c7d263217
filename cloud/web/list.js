// SPDX-License-Identifier: MIT
/*
 * A list of summaries, newest first, that grows as it is read: a page of them at a time, by the
 * server's cursor. A button does the same for who does not scroll.
 */
import { get } from './api.js';
import { el, fill } from './dom.js';
import { t } from './i18n.js';
import { button, empty, failure, skeleton } from './parts.js';
import { summaryRow } from './summaries.js';
import { count, day } from './time.js';

const PAGE = 40;

export function summaryList(query, signal, nothing) {
	const list = el('ul', { class: 'event-list' }), foot = el('div', { class: 'list-foot' }), said = el('p', { class: 'unseen', role: 'status' });
	const node = el('div', null, list, foot, said);
	let cursor = null, lastDay = '', total = 0, busy = false, over = false;

	function add(summaries) {
		for (const s of summaries) {
			const d = day(Date.parse(s.start));
			if (d !== lastDay)
				list.append(el('li', { class: 'day-head' }, el('h2', { text: d })));
			lastDay = d;
			list.append(summaryRow(s));
		}
		total += summaries.length;
	}

	async function more() {
		if (busy || over || signal.aborted)
			return;
		busy = true;
		fill(foot, total ? skeleton(40) : [skeleton(92), skeleton(92), skeleton(92), skeleton(92)]);
		try {
			let page;
			do { // the server looks at a bounded part a time: an empty page with a cursor is not the end
				page = await get('/v1/summaries', { ...query, limit: PAGE, cursor }, signal);
				cursor = page.next || null;
			} while (cursor && !page.summaries.length);
			add(page.summaries);
			over = !cursor;
			said.textContent = t('events.loaded', { n: count(total) });
			fill(foot, over ? (total ? el('p', { class: 'soft small', text: t('events.all') }) : nothing || empty(t('events.none'), t('events.none_text'))) :
				button(t('events.more'), more));
		} catch (error) {
			seen.disconnect(); // what failed is not asked again and again by itself
			busy = false;
			if (error.name !== 'AbortError' && !error.expired)
				fill(foot, failure(error, more));
			return;
		}
		busy = false;
		watch();
	}

	const seen = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && more(), { rootMargin: '400px' });
	signal.addEventListener('abort', () => seen.disconnect());
	function watch() { // anew each time: what is still in sight is told again
		seen.disconnect();
		if (!over)
			seen.observe(foot);
	}
	more();
	return node;
}
