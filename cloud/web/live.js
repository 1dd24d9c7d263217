// SPDX-License-Identifier: MIT
/*
 * What happens, as the cloud tells it (server-sent events). Where the stream ends it is opened again,
 * after 1 s and then later and later, at most 30 s; until it is open the page says that it is not live.
 * After each gap 'again' is told: what came meanwhile must be asked for.
 */
const OURS = ['state', 'again', 'closed']; // told by us, not by the cloud
const FIRST_MS = 1000, MOST_MS = 30000;
const listeners = new Map();
let source = null, timer = 0, wait = FIRST_MS, state = 'off', url = null, had = false;

function tell(type, data) {
	for (const l of listeners.get(type) || [])
		l(data);
}

function setState(next) {
	if (state !== next) {
		state = next;
		tell('state', state);
	}
}

/* Returns what ends it; with a signal it ends by itself. */
export function listen(type, listener, signal) {
	if (!listeners.has(type)) {
		listeners.set(type, new Set());
		if (source && !OURS.includes(type))
			bind(type);
	}
	listeners.get(type).add(listener);
	const end = () => listeners.get(type).delete(listener);
	if (signal)
		signal.addEventListener('abort', end);
	return end;
}

function bind(type) {
	source.addEventListener(type, (e) => {
		let data = null;
		try {
			data = JSON.parse(e.data);
		} catch {
			return;
		}
		tell(type, data);
	});
}

function open() {
	timer = 0;
	source = new EventSource(url);
	for (const type of listeners.keys())
		if (!OURS.includes(type))
			bind(type);
	source.addEventListener('gap', () => tell('again'));
	source.addEventListener('open', () => {
		wait = FIRST_MS;
		setState('live');
		if (had)
			tell('again');
		had = true;
	});
	source.addEventListener('error', () => {
		source.close();
		source = null;
		setState('lost');
		tell('closed');
		if (url)
			timer = setTimeout(open, wait * (0.5 + Math.random() / 2));
		wait = Math.min(wait * 2, MOST_MS);
	});
}

export function start(path) {
	stop();
	url = path;
	setState('opening');
	open();
}

export function stop() {
	clearTimeout(timer);
	timer = 0;
	url = null;
	had = false;
	wait = FIRST_MS;
	if (source)
		source.close();
	source = null;
	setState('off');
}

/* The network is back: no need to wait. */
addEventListener('online', () => {
	if (timer) {
		clearTimeout(timer);
		wait = FIRST_MS;
		open();
	}
});

export function liveState() {
	return state;
}
