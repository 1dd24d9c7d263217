// SPDX-License-Identifier: MIT
/* Times and amounts as people read them, in the zone of their machine. */
import { language, t } from './i18n.js';

const cache = new Map();

function format(kind, options) {
	const key = kind + language();
	if (!cache.has(key))
		cache.set(key, new Intl.DateTimeFormat(navigator.language.startsWith(language()) ? navigator.language : language(), options));
	return cache.get(key);
}

export function clock(ms) {
	return format('clock', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(ms);
}

export function minute(ms) {
	return format('minute', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(ms);
}

export function day(ms) {
	return format('day', { weekday: 'short', day: 'numeric', month: 'short' }).format(ms);
}

export function date(ms) {
	return format('date', { day: 'numeric', month: 'short', year: 'numeric' }).format(ms);
}

export function moment(ms) {
	return `${date(ms)}, ${clock(ms)}`;
}

/* "12 s", "3 min 5 s", "2 h 10 min", "4 d". */
export function span(seconds) {
	const s = Math.max(0, seconds);
	if (s < 9.95)
		return `${s.toFixed(1).replace(/\.0$/, '')} s`;
	if (s < 90)
		return `${Math.round(s)} s`;
	if (s < 3600)
		return `${Math.floor(s / 60)} min${s < 600 && Math.round(s % 60) ? ` ${Math.floor(s % 60)} s` : ''}`;
	if (s < 48 * 3600)
		return `${Math.floor(s / 3600)} h${Math.floor(s % 3600 / 60) ? ` ${Math.floor(s % 3600 / 60)} min` : ''}`;
	return `${Math.floor(s / 86400)} d`;
}

/* "1:07.4" since the stream's first frame, as the report and the pictures have it. */
export function offset(seconds) {
	const tenths = Math.round(Math.abs(seconds) * 10);
	return `${seconds < 0 ? '-' : ''}${Math.floor(tenths / 600)}:${(tenths % 600 / 10).toFixed(1).padStart(4, '0')}`;
}

export function ago(ms) {
	const s = (Date.now() - ms) / 1000;
	return s < 2 ? t('time.now') : t('time.ago', { span: span(Math.floor(s)) });
}

export function count(n) {
	return new Intl.NumberFormat(language()).format(n);
}

export function percent(share, digits = 0) {
	if (share > 0 && share < 0.5 / 10 ** (digits + 2)) // not nothing
		return `< ${(1 / 10 ** digits).toFixed(digits)} %`;
	return `${(share * 100).toFixed(digits)} %`;
}

export function bytes(n) {
	if (n >= 1e9)
		return `${(n / 1e9).toFixed(2)} GB`;
	if (n >= 1e6)
		return `${(n / 1e6).toFixed(1)} MB`;
	if (n >= 1e3)
		return `${(n / 1e3).toFixed(1)} kB`;
	return `${n} B`;
}

/* What <input type=datetime-local> wants, and back; NaN: nothing. */
export function toInput(ms) {
	const d = new Date(ms);
	const two = (n) => String(n).padStart(2, '0');
	return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}

export function fromInput(text) {
	return text ? new Date(text).getTime() : NaN;
}

/* Milliseconds of UTC as nanoseconds, in digits: no float holds them. */
export function toNs(ms) {
	return `${Math.floor(ms)}000000`;
}

export function fromNs(text) {
	return Number(String(text).slice(0, -6) || 0) + Number(String(text).slice(-6)) / 1e6;
}
