// SPDX-License-Identifier: MIT
/* Every view in both sizes and both themes: a picture, nothing too wide, nothing inaccessible, all within reach. */
import { accessible, ask, check, fits, newPage, reachable, settled, shot, show } from './rig.mjs';

export function views(state, real) {
	return async (browser) => {
		for (const [size, theme, thorough] of [['desktop', 'light', true], ['phone', 'dark', true], ['desktop', 'dark', false], ['phone', 'light', false]]) {
			const page = await newPage(browser, { size, theme, state });
			await page.goto(`${real.base}/`);
			await settled(page);
			const list = await places(page, real);
			for (const [name, hash, quick] of list) {
				if (!thorough && !quick)
					continue;
				await show(page, hash);
				await shot(page, `${name}-${size}-${theme}`);
				await fits(page, size, `${name}, ${size}`);
				if (thorough)
					await accessible(page, `${name}, ${size}, ${theme}`);
				check(await page.locator('.error').count() === 0, `${name}: shows an error: ${await page.locator('.error').allTextContents()}`);
				check(await page.locator('h1').count() === 1, `${name}: has no title`);
				if (size === 'desktop' && thorough && ['event', 'events', 'editor', 'ledger', 'timeline'].includes(name))
					await reachable(page, name);
			}
			await page.context().close();
		}
	};
}

/* What a person can open from here; views that this server has no routes for are not linked. */
async function places(page, real) {
	const { routes } = await ask(page, '/v1/about'), has = (route) => routes.includes(route);
	const event = (await ask(page, `/v1/summaries?kind=event&camera=${real.camera}&limit=1`)).summaries[0];
	const id = event.camera_id, at = Date.parse(event.start);
	return [['cameras', '#/cameras', true], ['camera', `#/cameras/${id}`], ['editor', `#/cameras/${id}/edit`, true, 'GET /v1/cameras/{camera}/desired'], ['timeline', `#/timeline?from=${at - 120000}&to=${at + 120000}`, true],
		['timeline-days', `#/timeline?from=${at - 20 * 86400000}&to=${at}`], ['events', '#/events'], ['event', `#/events/${event.id}`, true], ['search', `#/search?camera=${real.camera}`], ['ledger', '#/ledger', true],
		['work', '#/work', false, 'GET /v1/exports'], ['devices', '#/devices'], ['device', `#/devices/${event.device}`], ['people', '#/people', false, 'GET /v1/users'], ['tokens', '#/tokens', false, 'GET /v1/apitokens'], ['audit', '#/audit', false, 'GET /v1/audit'],
		['account', '#/account', false, 'GET /v1/sessions']].filter(([, , , route]) => !route || has(route));
}
