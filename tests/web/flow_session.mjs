// SPDX-License-Identifier: MIT
/* The way in and out: wrong words, the right ones, an end from outside, a server that goes and comes back. */
import { spawn } from 'node:child_process';
import { existsSync, unlinkSync } from 'node:fs';
import { codeOf } from './flow_account.mjs';
import { accessible, base, check, env, newPage, same, settled, shot, show, signIn } from './rig.mjs';

export async function wrongPassword(browser) {
	const page = await newPage(browser);
	page.expected.push(/status of 401/);
	await page.goto(`${base}/`);
	await shot(page, 'login-desktop-light');
	await accessible(page, 'login');
	await page.getByLabel('User name').fill(env.WEB_USER);
	await page.getByLabel('Password').fill('not the password at all');
	await page.keyboard.press('Enter');
	await page.locator('.login .note.warn').waitFor();
	check(await page.locator('.shell').count() === 0, 'a wrong password lets one in');
}

/* The session ends elsewhere: the next request leads to the login, and that back to where one was. */
export async function expiry(browser) {
	const page = await newPage(browser, { size: 'phone', theme: 'dark' });
	await signIn(page);
	await show(page, '#/ledger');
	page.expected.push(/status of 401/, /EventSource/);
	await page.context().clearCookies();
	await page.evaluate(() => { location.hash = '#/events'; });
	await page.locator('.login').waitFor();
	await shot(page, 'login-phone-dark');
	check((await page.locator('.login').textContent()).includes('Your session has ended'), 'nothing says that the session has ended');
	await page.getByLabel('User name').fill(env.WEB_USER);
	await page.getByLabel('Password').fill(env.WEB_PASSWORD);
	await page.getByRole('button', { name: 'Sign in' }).click();
	await page.locator('.event-row').first().waitFor();
	same(await page.locator('h1').textContent(), 'Events', 'after signing in again the view is');
	await page.evaluate(() => document.querySelector('[aria-haspopup="dialog"]').click());
	await page.getByRole('button', { name: 'Sign out' }).click();
	await page.locator('.login').waitFor();
	await page.reload();
	await page.locator('.login').waitFor();
}

/* The server ends and starts anew at the same port: the page says so, and is live again by itself. */
export async function restart(browser) {
	const page = await newPage(browser);
	await signIn(page);
	await settled(page);
	const badge = page.locator('.side .live');
	await page.waitForFunction(() => document.querySelector('.side .live').textContent === 'Live');
	page.expected.push(/ERR_|Failed to load resource|EventSource/);
	process.kill(Number(env.WEB_CLOUD), 'SIGTERM');
	await page.locator('.banner').waitFor({ timeout: 30000 });
	same(await badge.textContent(), 'Not live', 'without a server the badge says');
	check((await page.locator('.banner').textContent()).startsWith('Not live'), 'no banner says that it is not live');
	await shot(page, 'not-live-desktop-light');
	await show(page, '#/search').catch(() => {});
	await page.locator('.error').first().waitFor();
	check((await page.locator('.error').first().textContent()).includes('cannot be reached'), 'the error does not say what to do');
	const again = await startCloud();
	await page.waitForFunction(() => document.querySelector('.side .live').textContent === 'Live', null, { timeout: 60000 });
	same(await page.locator('.banner').count(), 0, 'banners once it is live again');
	await page.getByRole('button', { name: 'Try again' }).first().click();
	await page.locator('.event-row').first().waitFor();
	return again;
}

/* The server asks everybody for a second factor from now on: whoever has none is led to where it is turned on, and has all the rest after it. */
export async function factor(browser, cloud) {
	const ended = new Promise((resolve) => { cloud.on('exit', resolve); });
	cloud.kill('SIGTERM');
	await ended;
	const again = await startCloud({ SLUICE_CLOUD_AUTH_TOTP: 'all' });
	const page = await newPage(browser, { size: 'phone' });
	page.expected.push(/status of 40[013]/, /EventSource/);
	await signIn(page);
	await page.locator('.note.warn').waitFor();
	check((await page.locator('.note.warn').textContent()).includes('one-time code'), 'nothing says what is missing');
	await accessible(page, 'second factor needed');
	await shot(page, 'factor-needed-phone');
	await page.evaluate(() => { location.hash = '#/events'; });
	await page.waitForFunction(() => location.hash.startsWith('#/account'));
	await page.getByRole('button', { name: 'Turn on' }).click();
	const dialog = page.locator('dialog'), secret = await dialog.locator('.copy-text').textContent();
	await dialog.getByLabel('One-time code').fill(codeOf(`otpauth://totp/x?secret=${secret}`));
	await dialog.getByRole('button', { name: 'Confirm' }).click();
	await dialog.locator('pre.log').waitFor();
	await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Close' }).click()]);
	await settled(page);
	same(await page.evaluate(() => location.hash), '#/', 'once it is on one is led to');
	await show(page, '#/events');
	await page.locator('.event-row').first().waitFor();
	return again;
}

async function startCloud(more = {}) {
	const words = JSON.parse(env.WEB_CLOUD_COMMAND), end = Date.now() + 30000;
	if (existsSync(env.WEB_PORT_FILE))
		unlinkSync(env.WEB_PORT_FILE);
	for (;;) { // until the one before has let go of the data directory
		const child = spawn(words[0], words.slice(1), { stdio: 'ignore', env: { ...process.env, ...more } });
		let ended = false;
		child.on('exit', () => { ended = true; });
		process.on('exit', () => child.kill('SIGKILL'));
		while (!ended && Date.now() < end) {
			if (existsSync(env.WEB_PORT_FILE))
				return child;
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
		if (Date.now() >= end)
			throw new Error('the server does not come back');
	}
}
