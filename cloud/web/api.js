// SPDX-License-Identifier: MIT
/*
 * The cloud, asked. Every request goes to the server that gave this page. An answer that is no
 * success is thrown as a Problem, with the sentence that the server gave for people. 401 ends the
 * session here too: whoever listens for 'expired' shows the login. Where the server asks this person
 * for a second factor first, whoever listens for 'factor' leads there.
 */
const listeners = { expired: [], factor: [], reached: [], unreached: [] };
let csrf = '';

export class Problem extends Error {
	constructor(status, title, detail, type) {
		super(detail || title);
		this.type = type || 'about:blank';
		this.status = status; // 0: there was no answer
		this.detail = detail;
		this.expired = false; // somebody else shows what it means
	}
}

export function on(event, listener) {
	listeners[event].push(listener);
}

export function tell(event) {
	listeners[event].forEach((l) => l());
}

export function setCsrf(value) {
	csrf = value || '';
}

async function read(response) {
	const type = response.headers.get('content-type') || '';
	if (response.status === 204)
		return null;
	if (type.includes('json'))
		return response.json();
	return response.text();
}

export async function call(method, path, { query, body, signal, quiet, headers: more } = {}) {
	const search = new URLSearchParams(Object.entries(query || {}).filter(([, v]) => v !== undefined && v !== null && v !== '')).toString();
	const headers = { accept: 'application/json', ...more };
	let response;
	if (body !== undefined)
		headers['content-type'] = 'application/json';
	if (method !== 'GET' && csrf)
		headers['x-csrf-token'] = csrf;
	try {
		response = await fetch(path + (search ? `?${search}` : ''), { method, headers, signal, cache: 'no-store',
			credentials: 'same-origin', body: body === undefined ? undefined : JSON.stringify(body) });
	} catch (error) {
		if (error.name === 'AbortError')
			throw error;
		tell('unreached');
		throw new Problem(0, 'no answer', '');
	}
	tell('reached');
	const data = await read(response).catch(() => null);
	if (response.ok)
		return data;
	const problem = new Problem(response.status, (data && data.title) || response.statusText, data && data.detail, data && data.type);
	if (response.status === 401 && !quiet) {
		problem.expired = true;
		tell('expired');
	}
	if (response.status === 403 && problem.type === 'urn:sluice:factor-needed') {
		problem.expired = true;
		tell('factor');
	}
	throw problem;
}

export const get = (path, query, signal) => call('GET', path, { query, signal });
export const post = (path, body, options) => call('POST', path, { body, ...options });
export const put = (path, body) => call('PUT', path, { body });
export const patch = (path, body) => call('PATCH', path, { body });
export const remove = (path) => call('DELETE', path);
