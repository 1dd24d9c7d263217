// SPDX-License-Identifier: MIT
/* One's own account: a second factor from its QR code to the sign-in that asks for it, and sessions that one ends from elsewhere. */
import { createHmac } from 'node:crypto';
import { readCode } from './flow_devices.mjs';
import { accessible, ask, base, check, newPage, same, settled, shot, show, signIn } from './rig.mjs';

/* The code of now for an otpauth: address (RFC 6238). */
export function codeOf(uri) {
	const q = new URL(uri).searchParams, bits = [...q.get('secret')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
	const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2))), step = Buffer.alloc(8), digits = Number(q.get('digits') || 6);
	step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000 / Number(q.get('period') || 30))));
	const mac = createHmac((q.get('algorithm') || 'SHA1').toLowerCase(), key).update(step).digest(), at = mac[mac.length - 1] & 15;
	return String((mac.readUInt32BE(at) & 0x7fffffff) % 10 ** digits).padStart(digits, '0');
}

export function account(state) {
	return async (browser) => {
		const admin = await newPage(browser, { state }), password = 'a factor more than one';
		await admin.goto(`${base}/`);
		await settled(admin);
		const made = await admin.evaluate(async (p) => {
			const { csrf } = await (await fetch('/v1/session')).json();
			return (await fetch('/v1/users', { method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': csrf }, body: JSON.stringify({ name: 'tess', role: 'viewer', password: p }) })).status;
		}, password);
		same(made, 201, 'making a user');
		const page = await newPage(browser, { size: 'phone' });
		await signIn(page, 'tess', password);
		await show(page, '#/account');
		await page.getByRole('button', { name: 'Turn on' }).click();
		await page.locator('.qr').waitFor();
		const uri = readCode(await page.locator('.qr path').getAttribute('d'), Number((await page.locator('.qr').getAttribute('viewBox')).split(' ')[2]));
		same([uri.slice(0, 15), new URL(uri).searchParams.get('secret')], ['otpauth://totp/', await page.locator('.copy-text').textContent()], 'what the QR code says');
		await accessible(page, 'second factor');
		await shot(page, 'account-totp-phone');
		page.expected.push(/status of 40[013]/);
		const dialog = page.locator('dialog'), code = codeOf(uri), wrong = String((Number(code) + 500000) % 1000000).padStart(6, '0');
		await dialog.getByLabel('One-time code').fill(wrong);
		await dialog.getByRole('button', { name: 'Confirm' }).click();
		await dialog.locator('.note.warn').waitFor();
		check(!(await ask(page, '/v1/session')).totp, 'a wrong code turns it on');
		await dialog.getByLabel('One-time code').fill(codeOf(uri));
		await dialog.getByRole('button', { name: 'Confirm' }).click();
		await dialog.locator('pre.log').waitFor();
		const recovery = (await dialog.locator('pre.log').textContent()).split('\n');
		same(recovery.length, 10, 'recovery codes');
		await page.getByRole('button', { name: 'Close' }).click();
		await page.getByRole('button', { name: 'Turn off' }).waitFor();
		/* elsewhere the password alone is not enough; a recovery code is as good as the authenticator, once */
		const other = await newPage(browser);
		other.expected.push(/status of 401/);
		await signIn(other, 'tess', password, recovery[0]);
		await settled(other);
		await show(page, '#/cameras');
		await show(page, '#/account');
		await page.locator('tbody tr').nth(1).waitFor();
		same([await page.locator('tbody tr').count(), await page.locator('tbody tr', { hasText: 'this one' }).count()], [2, 1], 'sessions, and this one of them');
		await shot(page, 'account-sessions-phone');
		await page.locator('tbody tr').filter({ hasNotText: 'this one' }).getByRole('button', { name: 'Sign out' }).click();
		await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
		await other.evaluate(() => { location.hash = '#/events'; });
		await other.locator('.login').waitFor();
		await page.getByRole('button', { name: 'Turn off' }).click();
		await page.locator('dialog').getByLabel('One-time code').fill(recovery[1]);
		await page.locator('dialog').getByRole('button', { name: 'Turn off' }).click();
		await page.getByRole('button', { name: 'Turn on' }).waitFor();
		check(!(await ask(page, '/v1/session')).totp, 'the server still asks for a code');
	};
}
