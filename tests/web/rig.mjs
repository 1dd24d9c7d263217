// SPDX-License-Identifier: MIT
/*
 * What every flow stands on: a browser, pages that are watched, and words for what must hold. A page
 * fails its flow by an error on its console, a violation of its policy or a request to another origin,
 * unless the flow has said that it expects one.
 */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

export const env = process.env;
const require = createRequire(`${env.WEB_MODULES}/`);
const { chromium } = require('playwright-core');
export const jsQR = require('jsqr');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export const base = env.WEB_URL;
export const SIZES = { desktop: { width: 1360, height: 860 }, phone: { width: 390, height: 844 } };

let failed = 0;
let flow = '';
const findings = new Map();

export function fail(text) {
	failed++;
	console.log(`FAILED: ${flow}: ${text}`);
}

export function check(held, text) {
	if (!held)
		fail(text);
}

export function same(got, want, text) {
	const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
	if (a !== b)
		fail(`${text}: ${a.slice(0, 400)} instead of ${b.slice(0, 400)}`);
}

export async function open() {
	return chromium.launch({ executablePath: env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
		'--no-first-run', `--ignore-certificate-errors-spki-list=${env.WEB_SPKI}`, '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'] });
}

/* A window of its own: size "desktop" or "phone", theme "light" or "dark", state of an earlier one. */
export async function newPage(browser, { size = 'desktop', theme = 'light', state, locale = 'en-GB' } = {}) {
	const context = await browser.newContext({ viewport: SIZES[size], colorScheme: theme, storageState: state, locale,
		timezoneId: 'Europe/Berlin', hasTouch: size === 'phone', isMobile: size === 'phone', deviceScaleFactor: size === 'phone' ? 2 : 1, reducedMotion: 'reduce' });
	const page = await context.newPage();
	page.expected = [];
	page.setDefaultTimeout(60000); // of a machine that has much else to do
	const wrong = (text) => {
		if (!page.expected.some((e) => e.test(text)))
			fail(`${size}, ${theme}, ${page.url()}: ${text}`);
	};
	page.on('console', (m) => (m.type() === 'error' || m.type() === 'warning') && wrong(`console: ${m.text()} (${m.location().url})`));
	page.on('pageerror', (e) => wrong(`exception: ${e.stack}`));
	page.on('request', (r) => !/^(blob:|data:)/.test(r.url()) && new URL(r.url()).origin !== base && wrong(`asks another origin: ${r.url()}`));
	await page.exposeBinding('sluiceViolation', (source, text) => wrong(`policy: ${text}`));
	await page.addInitScript(() => addEventListener('securitypolicyviolation', (e) => globalThis.sluiceViolation(`${e.violatedDirective} ${e.blockedURI}`)));
	return page;
}

/* code: of a second factor, which is asked for once the password was right. */
export async function signIn(page, user = env.WEB_USER, password = env.WEB_PASSWORD, code = '') {
	await page.goto(`${base}/`);
	await page.getByLabel('User name').fill(user);
	await page.getByLabel('Password').fill(password);
	await page.getByRole('button', { name: 'Sign in' }).click();
	if (code) {
		await page.getByLabel('One-time code').fill(code);
		await page.getByRole('button', { name: 'Sign in' }).click();
	}
	await page.locator('.shell').waitFor();
}

/* To a view, and until it has what it shows. */
export async function show(page, hash) {
	await page.evaluate((h) => { location.hash = h; }, hash);
	await settled(page);
}

export async function settled(page) {
	await page.waitForFunction(() => document.querySelector('.view') && !document.querySelector('[aria-busy="true"], .skeleton'));
}

/* What the server itself says. */
export async function ask(page, path) {
	return page.evaluate(async (p) => (await fetch(p, { headers: { accept: 'application/json' } })).json(), path);
}

/* Until what the server says of a path holds. */
export async function until(page, path, holds, text) {
	const end = Date.now() + 40000;
	for (let answer = await ask(page, path); !holds(answer); answer = await ask(page, path)) {
		if (Date.now() > end)
			throw new Error(`${text}: waited in vain; ${path} says ${JSON.stringify(answer).slice(0, 600)}`);
		await page.waitForTimeout(200);
	}
}

export async function shot(page, name) {
	await page.screenshot({ path: `${env.WEB_OUT}/${name}.png`, fullPage: true });
}

/* Accessibility: nothing serious or critical; what is less is counted. */
export async function accessible(page, name) {
	await page.evaluate(axe);
	const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }));
	for (const v of violations) {
		findings.set(v.impact, (findings.get(v.impact) || 0) + 1);
		if (v.impact === 'serious' || v.impact === 'critical')
			fail(`${name}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')}`);
	}
}

export async function fits(page, size, name) {
	const wide = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth));
	check(wide <= SIZES[size].width, `${name}: ${wide} pixels wide in a window of ${SIZES[size].width}`);
}

/* Every control that can be seen is reached with Tab, and shows that it is. */
export async function reachable(page, name) {
	const CONTROLS = 'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), summary, video[controls], [tabindex="0"]';
	const wanted = await page.evaluate((controls) => {
		const all = [...document.querySelectorAll(controls)].filter((n) => n.checkVisibility({ visibilityProperty: true }) && n.tabIndex >= 0 && !n.closest('.list-foot')); // its button goes when more has come
		all.forEach((n, i) => n.setAttribute('data-reach', i));
		document.activeElement.blur();
		return all.length;
	}, CONTROLS);
	const seen = new Set();
	let unseen = '';
	await page.evaluate(() => document.body.setAttribute('tabindex', '-1'));
	await page.evaluate(() => { document.body.focus(); document.body.removeAttribute('tabindex'); });
	for (let i = 0; i < wanted * 2 + 20 && seen.size < wanted; i++) {
		await page.keyboard.press('Tab');
		const at = await page.evaluate(() => {
			const n = document.activeElement, s = getComputedStyle(n), shown = s.outlineStyle !== 'none' || s.stroke !== 'none' || ['datetime-local', 'time'].includes(n.type) || n.tagName === 'VIDEO'; // their parts show it themselves
			return { reach: n.getAttribute('data-reach'), shown, what: n.outerHTML.slice(0, 100) };
		});
		if (at.reach !== null)
			seen.add(at.reach);
		if (at.reach !== null && !at.shown)
			unseen = at.what;
	}
	check(wanted > 0 && seen.size === wanted, `${name}: Tab reaches ${seen.size} of ${wanted} controls`);
	check(!unseen, `${name}: the focus is not seen on ${unseen}`);
}

export async function run(browser, flows) {
	for (const [name, work] of flows) {
		const before = failed, start = Date.now();
		flow = name;
		try {
			await work(browser);
		} catch (error) {
			fail(error.stack);
		}
		for (const context of browser.contexts())
			await context.close();
		console.log(`${failed === before ? 'ok' : 'not ok'} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
	}
	console.log(`accessibility: ${['critical', 'serious', 'moderate', 'minor'].map((k) => `${findings.get(k) || 0} ${k}`).join(', ')}`);
	return failed;
}
