// SPDX-License-Identifier: MIT
/* Light, dark, or as the machine has it. */
const THEMES = ['auto', 'light', 'dark'];

export function theme() {
	const kept = localStorage.getItem('sluice.theme');
	return THEMES.includes(kept) ? kept : 'auto';
}

export function applyTheme() {
	document.documentElement.setAttribute('data-theme', theme());
}

export function nextTheme() {
	localStorage.setItem('sluice.theme', THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
	applyTheme();
}
