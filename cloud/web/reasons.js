// SPDX-License-Identifier: MIT
/*
 * What became of a frame, and in which family of colours that is drawn. Passed is blue, held back
 * (nothing moved) is grey, lost is red: they share no colour, so that one is never taken for another.
 */
import { t } from './i18n.js';

export const CLASSES = ['passed', 'dropped', 'lost'];

const SHADE = {
	motion: '--pass-1', preroll: '--pass-2', postroll: '--pass-2', keepalive: '--pass-3', audit: '--pass-3', warmup: '--pass-4',
	scene_change: '--pass-2', snapshot: '--pass-3', tamper: '--pass-2', corrupt: '--pass-4',
	quiet: '--drop-1', unconfirmed: '--drop-2', rate: '--drop-3',
	overrun: '--lost-1', late: '--lost-2', driver: '--lost-3', errorflag: '--lost-4',
};
const LAST = { passed: '--pass-4', dropped: '--drop-3', lost: '--lost-2' };

export function shade(kind, reason) {
	return `var(${SHADE[reason] || LAST[kind]})`;
}

export function reasonText(reason) {
	return t(`reason.${reason}`, {}, reason.replaceAll('_', ' '));
}

export function sum(counts) {
	return Object.values(counts || {}).reduce((a, b) => a + b, 0);
}

export function addCounts(into, counts) {
	for (const [reason, n] of Object.entries(counts || {}))
		into[reason] = (into[reason] || 0) + n;
	return into;
}
