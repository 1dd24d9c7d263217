// SPDX-License-Identifier: MIT
/* Which language the page speaks; the words are in words.js. */
import { words } from './words.js';

const LANGUAGES = ['en', 'zh'];
let chosen = pick();

function pick() {
	const kept = localStorage.getItem('sluice.language');
	if (LANGUAGES.includes(kept))
		return kept;
	return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export function language() {
	return chosen;
}

export function setLanguage(value) {
	chosen = LANGUAGES.includes(value) ? value : 'en';
	localStorage.setItem('sluice.language', chosen);
	document.documentElement.lang = chosen === 'zh' ? 'zh-Hans' : 'en';
}

/* The words of a key with {names} filled in. A key that may be unknown comes with a fallback. */
export function t(key, values = {}, fallback) {
	const both = words[key];
	const text = both ? both[LANGUAGES.indexOf(chosen)] : fallback ?? key;
	return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function className(name) {
	return t(`class.${name}`, {}, name || t('class.unknown'));
}
