// SPDX-License-Identifier: MIT
/* Long work: asked for at an event, seen wherever one goes, cancelled, downloaded, forgotten. */
import { accessible, ask, base, check, env, newPage, same, settled, shot, show } from './rig.mjs';

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
		/* A time is summed up: asked for here, done by the server, opened from here. */
		const minutes = (n) => page.evaluate((m) => new Date(Date.now() + m * 60000 - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 16), n);
		await page.getByRole('button', { name: 'Sum up a time' }).click();
		const dialog = page.locator('dialog');
		await dialog.getByLabel('Camera').selectOption({ label: camera });
		await dialog.getByLabel('From', { exact: true }).fill(await minutes(-30));
		await dialog.getByLabel('To', { exact: true }).fill(await minutes(2));
		await dialog.getByLabel('Seconds of video').fill('30');
		await accessible(page, 'sum up a time');
		await dialog.getByRole('button', { name: 'Begin' }).click();
		await page.locator('ul[aria-label="Summaries of hours and days"] .task').waitFor();
		await shot(page, 'work-job');
		await page.locator('.task[data-state="done"]').getByRole('link', { name: 'Open' }).waitFor({ timeout: 150000 });
		const [job] = (await ask(page, '/v1/jobs?limit=1')).jobs;
		same([job.kind, job.camera, job.state, job.by], ['period', camera, 'done', `user:${env.WEB_USER}`], 'the job that the server has');
		await page.getByRole('link', { name: 'Open' }).click();
		await page.waitForFunction((id) => location.hash.includes(id), job.result.summary);
		await settled(page);
		await shot(page, 'summary-period');
		await accessible(page, 'summary of a period');
		await show(page, '#/work');
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
