// SPDX-License-Identifier: MIT
/*
 * Which view is shown: the part of the address behind the #, `#/events/ID?camera=door`. A view is a
 * function of (place, params, query, signal) that fills place; the signal is aborted when it is left.
 */
const routes = [];
let current = null;
let host = null;
let changed = null;

export function route(pattern, name, view) {
	routes.push({ parts: pattern.split('/').filter(Boolean), name, view });
}

export function parse(hash) {
	const [path, search] = hash.replace(/^#/, '').split('?');
	return { parts: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(search || '') };
}

function decode(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

function match(parts) {
	for (const r of routes) {
		const params = {};
		if (r.parts.length === parts.length && r.parts.every((p, i) =>
			p[0] === ':' ? ((params[p.slice(1)] = parts[i]), true) : p === parts[i]))
			return { r, params };
	}
	return null;
}

export function link(path, query) {
	const q = new URLSearchParams(Object.entries(query || {}).filter(([, v]) => v !== undefined && v !== null && v !== ''));
	const text = q.toString();
	return `#${path}${text ? `?${text}` : ''}`;
}

export function go(path, query) {
	location.hash = link(path, query);
}

/* The query changes in place: no history entry, the view is not made again. */
export function setQuery(query) {
	const { parts } = parse(location.hash);
	history.replaceState(null, '', link(`/${parts.map(encodeURIComponent).join('/')}`, query));
}

export function show() {
	const { parts, query } = parse(location.hash);
	const found = match(parts) || match([]);
	if (current)
		current.abort();
	current = new AbortController();
	const place = document.createElement('div');
	place.className = 'view';
	host.replaceChildren(place);
	changed(found.r.name);
	found.r.view(place, found.params, query, current.signal);
	return place;
}

export function start(node, onChange) {
	host = node;
	changed = onChange;
	addEventListener('hashchange', moved);
	show();
}

export function stop() {
	removeEventListener('hashchange', moved);
	if (current)
		current.abort();
	current = null;
}

function moved() {
	show();
	scrollTo(0, 0);
	const title = host.querySelector('h1');
	if (title) { // a reader of screens hears where it is
		title.tabIndex = -1;
		title.focus({ preventScroll: true });
	}
}
