// SPDX-License-Identifier: MIT
/*
 * Long work as lists show it: how far it has come, what it became, what can be done about it. A row is
 * made anew only when its state is another, so that who is at one of its buttons stays there.
 */
import { get } from './api.js';
import { el, fill } from './dom.js';
import { badge } from './parts.js';
import { percent } from './time.js';

const IDLE_MS = 15000;

/*
 * A list of the server's, looked at now and then: every busyMs while one of them is being done. show(list)
 * at once and after each look; failed(error) if it is the first look that fails. Returns what looks now.
 */
export function watchList({ path, name, busy, busyMs }, signal, show, failed) {
	let timer = 0, seen = false;
	async function look() {
		clearTimeout(timer);
		let list = null;
		try {
			list = (await get(path, null, signal))[name];
		} catch (error) {
			if (!signal.aborted && !seen && failed)
				failed(error);
		}
		if (signal.aborted)
			return;
		seen = seen || Boolean(list);
		if (list)
			show(list);
		clearTimeout(timer);
		timer = setTimeout(look, list && list.some(busy) ? busyMs : IDLE_MS);
	}
	signal.addEventListener('abort', () => clearTimeout(timer));
	look();
	return look;
}

/* share: 0..1 */
export function progressBar(share, label) {
	const filled = el('i'), node = el('div', { class: 'progress', role: 'progressbar', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': 100 }, filled);
	const set = (value) => {
		filled.style.width = `${value * 100}%`;
		node.setAttribute('aria-valuenow', Math.round(value * 100));
	};
	set(share);
	return { node, set };
}

/* task: {id, state, title, badge: [text, kind], progress (absent: none is shown), detail (text), reason, actions()} */
function row(task) {
	const bar = task.progress === undefined ? null : progressBar(task.progress, String(task.label));
	const detail = el('span', { class: 'small soft number', text: task.detail }), share = el('span', { class: 'small number' });
	const update = (now) => {
		detail.textContent = now.detail;
		share.textContent = bar ? percent(now.progress) : '';
		if (bar)
			bar.set(now.progress);
	};
	update(task);
	return { state: task.state, update, node: el('li', { class: 'card stack tight task', 'data-task': task.id, 'data-state': task.state },
		el('div', { class: 'row spread' }, el('h3', null, task.title), badge(...task.badge)), bar ? el('div', { class: 'task-bar' }, bar.node, share) : null,
		task.reason ? el('p', { class: 'note warn', text: task.reason }) : null, el('div', { class: 'row spread' }, detail, el('div', { class: 'row tight' }, task.actions()))) };
}

/* show(tasks): these and no others, in their order. */
export function taskList(label, nothing) {
	const list = el('ul', { class: 'stack tight', 'aria-label': label }), node = el('div', null, list);
	let rows = new Map();
	return { node, show(tasks) {
		const next = new Map();
		for (const task of tasks) {
			const had = rows.get(task.id), same = had && had.state === task.state;
			if (same)
				had.update(task);
			next.set(task.id, same ? had : row(task));
		}
		const changed = [...rows.values()].some((r) => ![...next.values()].includes(r)) || next.size !== rows.size;
		rows = next;
		if (changed || !tasks.length) {
			fill(list, [...rows.values()].map((r) => r.node));
			fill(node, tasks.length ? list : nothing());
		}
	} };
}
