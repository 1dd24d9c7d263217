// SPDX-License-Identifier: MIT
/* Enrolment to the end, with the real sluicectl; revocation; people of lesser roles; what is asked of a device now. */
import { execFileSync } from 'node:child_process';
import { ask, base, check, env, fail, jsQR, newPage, same, settled, shot, show, signIn, until } from './rig.mjs';

/* The bits of the picture that a phone would see, four pixels a module. */
export function readCode(d, side) {
	const k = 4, w = side * k, pixels = new Uint8ClampedArray(w * w * 4).fill(255);
	for (const [, x, y] of d.matchAll(/M(\d+) (\d+)h1v1h-1z/g))
		for (let j = 0; j < k; j++)
			for (let i = 0; i < k; i++)
				pixels.fill(0, ((Number(y) * k + j) * w + Number(x) * k + i) * 4, ((Number(y) * k + j) * w + Number(x) * k + i) * 4 + 3);
	const code = jsQR(pixels, w, w);
	return code && code.data;
}

export function enrolment(state) {
	return async (browser) => {
		const page = await newPage(browser, { size: 'phone', state });
		await page.goto(`${base}/#/devices`);
		await settled(page);
		await page.getByRole('button', { name: 'Enrol a device' }).click();
		await page.getByLabel('Name of the device').fill('shed');
		await page.getByRole('button', { name: 'Make the token' }).click();
		await page.locator('.qr').waitFor();
		await shot(page, 'enrol-phone-light');
		const line = await page.locator('.copy-text').textContent();
		same(readCode(await page.locator('.qr path').getAttribute('d'), Number((await page.locator('.qr').getAttribute('viewBox')).split(' ')[2])), line, 'the QR code');
		const words = line.split(' ');
		same(words.slice(0, 4).concat(words.length), ['sluicectl', 'enrol', base, '--token', 5], 'the line to run');
		execFileSync(env.WEB_CTL, [...words.slice(1), '--dir', `${env.WEB_TMP}/shed`]);
		await page.getByRole('button', { name: 'Close' }).click();
		await page.locator('td', { hasText: 'shed' }).waitFor();
		await show(page, '#/devices/shed');
		await page.getByRole('button', { name: 'Revoke' }).click();
		await page.locator('dialog').getByRole('button', { name: 'Revoke' }).click();
		await page.locator('.badge', { hasText: 'revoked' }).waitFor();
		check((await ask(page, '/v1/devices')).devices.find((d) => d.name === 'shed').revoked, 'the server has not revoked it');
	};
}

/* A viewer is made, comes in, and sees nothing that a viewer may not do. */
export function people(state) {
	return async (browser) => {
		const page = await newPage(browser, { state }), password = 'only for looking 42';
		await page.goto(`${base}/#/people`);
		await settled(page);
		await page.getByRole('button', { name: 'Add a user' }).click();
		await page.locator('dialog').getByLabel('Name').fill('vera');
		await page.locator('dialog').getByLabel(/^Password/).fill(password);
		await page.locator('dialog button[type="submit"]').click();
		await page.locator('td', { hasText: 'vera' }).waitFor();
		const other = await newPage(browser);
		await signIn(other, 'vera', password);
		await settled(other);
		same(await other.locator('.side .nav a').evaluateAll((all) => all.map((a) => a.getAttribute('data-place'))).then((l) => l.filter((p) => ['people', 'tokens', 'audit'].includes(p))), [], 'places of administrators that a viewer sees');
		await show(other, '#/devices');
		same(await other.getByRole('button', { name: 'Enrol a device' }).count(), 0, 'a viewer may enrol');
		await show(other, '#/cameras');
		await other.getByRole('button', { name: '中文' }).click();
		await settled(other);
		same(await other.locator('h1').textContent(), '摄像头', 'the title in Chinese');
		same(await other.evaluate(() => document.documentElement.lang), 'zh-Hans', 'language of the page');
		await shot(other, 'cameras-desktop-chinese');
		await show(page, '#/tokens');
		await page.getByRole('button', { name: 'Make a token' }).first().click();
		await page.locator('dialog').getByLabel('Name').fill('probe');
		await page.getByRole('button', { name: 'Make it' }).click();
		const token = await page.locator('.copy-text').textContent();
		const status = await page.evaluate(async (k) => (await fetch('/v1/cameras', { credentials: 'omit', headers: { authorization: `Bearer ${k}` } })).status, token);
		same(status, 200, 'with the token made here /v1/cameras answers');
		await page.getByRole('button', { name: 'Close' }).click();
		await show(page, '#/audit');
		check((await page.locator('tbody').textContent()).includes('vera'), 'the audit log does not know of vera');
	};
}

/* A snapshot that comes, a pause that is seen, the relay's log: from a device that is connected. */
export function commands(state, camera) {
	return async (browser) => {
		const page = await newPage(browser, { size: 'phone', state });
		await page.goto(`${base}/`);
		await settled(page);
		if (!(await ask(page, '/v1/about')).routes.includes('POST /v1/devices/{device}/commands')) {
			console.log('commands: this server has none');
			return;
		}
		await until(page, '/v1/cameras', (a) => a.cameras.some((c) => c.name === camera && c.state === 'live'), 'the camera is live');
		const c = (await ask(page, '/v1/cameras')).cameras.find((k) => k.name === camera);
		await show(page, `#/cameras/${c.id}`);
		await page.locator('.health .badge', { hasText: /Nothing moves|Moving/ }).waitFor();
		page.expected.push(/status of 404/); // the gate has published the frame before it is stored: asked again
		await page.getByRole('button', { name: 'Snapshot' }).click();
		await page.getByText('The snapshot has come').waitFor();
		await page.waitForFunction(() => document.querySelector('img[src*="/frames/"]')?.naturalWidth === 320);
		await page.getByRole('button', { name: 'Pause' }).click();
		await page.locator('.health .badge', { hasText: 'Paused' }).waitFor();
		await page.getByRole('button', { name: 'Resume' }).click();
		await page.getByRole('button', { name: 'Pause' }).waitFor();
		await show(page, `#/devices/${c.device}`);
		const row = page.locator('main li', { hasText: camera });
		await row.getByRole('button', { name: 'Snapshot' }).click();
		await page.waitForFunction(() => document.querySelector('img[src*="/frames/"]')?.naturalWidth === 320);
		await page.getByRole('button', { name: 'Rename' }).click();
		await page.getByLabel('What people call it').fill('Hut by the gate');
		await page.locator('dialog').getByRole('button', { name: 'Save' }).click();
		await page.locator('h1', { hasText: 'Hut by the gate' }).waitFor();
		same((await ask(page, '/v1/devices')).devices.find((d) => d.name === c.device).label, 'Hut by the gate', 'what the server calls it');
		await page.getByRole('button', { name: 'Fetch the log' }).click();
		await page.locator('pre.log').waitFor();
		check((await page.locator('pre.log').textContent()).includes(camera), 'the log does not name the camera');
		await shot(page, 'device-log-phone-light');
	};
}

/* A group asks its devices for a setting: they take it; what asks too much is refused and the difference shown where one looks at the device. */
export function groups(state, camera) {
	return async (browser) => {
		const page = await newPage(browser, { state });
		await page.goto(`${base}/`);
		await settled(page);
		const c = (await ask(page, '/v1/cameras')).cameras.find((k) => k.name === camera), dialog = page.locator('dialog');
		await show(page, '#/devices');
		await page.getByRole('button', { name: 'Add a group' }).click();
		await dialog.getByRole('checkbox', { name: /^(hut|Hut by the gate)$/ }).check();
		await dialog.locator('input[name="keepalive"]').fill('30');
		await dialog.getByLabel('Name', { exact: true }).fill('huts');
		await shot(page, 'group-new');
		await dialog.getByRole('button', { name: 'Save' }).click();
		await page.locator('td', { hasText: 'huts' }).waitFor();
		await until(page, `/v1/cameras/${c.id}/desired`, (d) => d.from.includes('huts') && d.state === 'in_sync' && d.actual.settings.keepalive === 30, 'the device does what its group asks');
		await page.getByRole('button', { name: 'Edit' }).click();
		await dialog.locator('input[name="keepalive"]').fill('3000');
		await dialog.getByRole('button', { name: 'Save' }).click();
		await dialog.waitFor({ state: 'detached' });
		await until(page, `/v1/cameras/${c.id}/desired`, (d) => d.state === 'refused', 'the device refuses what its owner does not allow');
		await show(page, `#/devices/${c.device}`);
		same((await page.locator('main li', { hasText: camera }).locator('tbody td').allTextContents()).slice(1), ['3000', '30'], 'asked and in force, on the page of the device');
		await shot(page, 'device-drift');
		await show(page, '#/devices');
		await page.locator('tr', { hasText: 'huts' }).getByRole('button', { name: 'Remove' }).click();
		await dialog.getByRole('button', { name: 'Remove' }).click();
		await page.getByText('No groups').waitFor();
		same((await ask(page, '/v1/groups')).groups, [], 'groups that the server has');
	};
}
