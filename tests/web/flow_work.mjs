// SPDX-License-Identifier: MIT
/* Long work: asked for at an event, seen wherever one goes, cancelled, downloaded, forgotten. */
import { ask, base, check, newPage, same, settled, shot, show } from './rig.mjs';

export function work(state, camera) {
	return async (browser) => {
		const page = await newPage(browser, { state });
		await page.goto(`${base}/`);
		await settled(page);
		const { id } = (await ask(page, `/v1/summaries?kind=event&camera=${camera}&limit=1`)).summaries[0];
		await show(page, `#/events/${id}`);
		await page.locator('.export-ask select').selectOption('zip');
		await page.getByRole('button', { name: 'Make it' }).click();
		const link = page.locator('.task[data-state="ready"]').getByRole('link', { name: 'Download' });
		await link.waitFor();
		const [made] = (await ask(page, '/v1/exports')).exports;
		same([made.event, made.format, made.state], [id, 'zip', 'ready'], 'the export that the server has');
		const file = await page.evaluate(async (f) => {
			const all = await (await fetch(f)).arrayBuffer();
			return { begins: new TextDecoder().decode(all.slice(0, 2)), size: all.byteLength };
		}, await link.getAttribute('href'));
		same(file, { begins: 'PK', size: made.size }, 'what is downloaded, a ZIP');
		const download = page.waitForEvent('download');
		await link.click();
		check((await (await download).suggestedFilename()).endsWith('.zip'), 'the file is not called .zip');
		await shot(page, 'event-export');
		await page.getByRole('link', { name: 'All my work' }).click();
		await page.locator(`.task[data-task="${made.id}"]`).waitFor();
		same(await page.locator('h1').textContent(), 'Work', 'where the link leads');
		/* An event of the scene is exported at once: what the server says of it is told as if it took longer. */
		let share = 0.25;
		page.on('request', (r) => { share = r.method() === 'DELETE' ? null : share; });
		await page.route('**/v1/exports', (route) => (share === null ? route.continue() :
			route.fulfill({ json: { exports: [{ ...made, state: 'running', progress: share, size: null, ended: null, kept_until: null }] } })));
		await page.reload();
		const bar = page.getByRole('progressbar');
		await page.locator('[role="progressbar"][aria-valuenow="25"]').waitFor();
		await page.getByRole('button', { name: 'Cancel' }).focus();
		share = 0.75;
		await page.locator('[role="progressbar"][aria-valuenow="75"]').waitFor();
		check(await page.evaluate(() => document.activeElement.textContent === 'Cancel'), 'the focus is lost while it goes on');
		await shot(page, 'work-running');
		await page.keyboard.press('Enter');
		await page.getByText('Nothing is being made').waitFor();
		page.expected.push(/status of 404/);
		same([await bar.count(), (await ask(page, `/v1/exports/${made.id}`)).status], [0, 404], 'bars, and what is left of it at the server, once it was cancelled');
	};
}
