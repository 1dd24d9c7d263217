// SPDX-License-Identifier: MIT
/* Who is looking, what they may do, and what this server can do. */
import { call, get, setCsrf } from './api.js';

const SIGNED = 'sluice.signed';
const ROLES = ['viewer', 'operator', 'admin'];
let me = null;
let routes = null;

export async function resume() {
	me = await call('GET', '/v1/session', { quiet: true });
	localStorage.setItem(SIGNED, '1');
	setCsrf(me.csrf);
	const about = await get('/v1/about').catch(() => null);
	routes = new Set(((about && about.routes) || []).map((r) => r.replace(/\{[^}]*\}/g, '{}')));
	return me;
}

export async function login(values) {
	setCsrf('');
	await call('POST', '/v1/session', { quiet: true, body: values });
	return resume();
}

export async function logout() {
	await call('DELETE', '/v1/session', { quiet: true }).catch(() => {});
	forget();
}

/* May there be a session? The cookie cannot be seen from here; where nobody signed in there is no need to ask. */
export function maybe() {
	return localStorage.getItem(SIGNED) !== null;
}

export function forget() {
	me = null;
	localStorage.removeItem(SIGNED);
	setCsrf('');
}

export function who() {
	return me;
}

export function can(role) {
	return Boolean(me) && ROLES.indexOf(me.role) >= ROLES.indexOf(role);
}

/* Has the server that route ("PUT /v1/groups/{}")? What it has not is not shown. */
export function has(route) {
	return Boolean(routes) && routes.has(route);
}
