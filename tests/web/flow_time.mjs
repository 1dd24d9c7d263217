// SPDX-License-Identifier: MIT
/* The timeline by keys and pointer, and the ledger: each figure is the server's. */
import { ask, base, check, env, newPage, same, settled, shot, show } from './rig.mjs';

const range = async (page) => {
	const q = new URLSearchParams((await page.evaluate(() => location.hash)).split('?')[1] || '');
	return [Number(q.get('from')), Number(q.get('to'))];
};

export function timeline(state, camera) {
	return async (browser) => {
		const page = await newPage(browser, { state });
		await page.goto(`${base}/`);
		await settled(page);
		const event = (await ask(page, `/v1/summaries?kind=event&camera=${camera}&limit=1`)).summaries[0], at = Date.parse(event.start);
		await show(page, `#/timeline?from=${at - 60000}&to=${at + 60000}`);
		await page.locator(`[data-event="${event.id}"]`).waitFor();
		const field = page.locator('.timeline-field'), box = await field.boundingBox(), mark = await page.locator(`[data-event="${event.id}"]`).boundingBox();
		check(Math.abs((mark.x - box.x) / box.width - 0.5) < 0.02, `the event begins at ${(mark.x - box.x) / box.width} of the line, not in its middle`);
		await field.focus();
		const before = await range(page);
		await page.keyboard.press('+');
		await page.waitForFunction((was) => !location.hash.includes(`from=${was}`), before[0]);
		const near = await range(page);
		check(Math.abs((near[1] - near[0]) / (before[1] - before[0]) - 0.5) < 0.02, `plus zooms from ${before[1] - before[0]} to ${near[1] - near[0]} ms`);
		await page.keyboard.press('ArrowRight');
		await page.waitForFunction((was) => !location.hash.includes(`from=${was}`), near[0]);
		check((await range(page))[0] > near[0], 'the right arrow does not move later');
		for (let i = 0; i < 12; i++)
			await page.keyboard.press('-');
		await page.locator('.bucket').first().waitFor();
		const [from, to] = await range(page);
		const counted = await page.locator('.bucket title').evaluateAll((all) => all.reduce((n, t) => n + Number(t.textContent.match(/^[\d,.]+/)[0].replace(/\D/g, '')), 0));
		check(counted > 50 && to - from > 3600000, `far out ${counted} events are counted in ${to - from} ms`);
		const r = await field.boundingBox();
		await page.mouse.move(r.x + r.width / 2, r.y + 30);
		await page.mouse.down();
		await page.mouse.move(r.x + r.width / 2 + 200, r.y + 30, { steps: 4 });
		await page.mouse.up();
		await page.waitForFunction((was) => !location.hash.includes(`from=${was}`), from);
		check((await range(page))[0] < from, 'a drag to the right does not go back in time');
		await shot(page, 'timeline-far');
		await show(page, `#/timeline?from=${at - 30000}&to=${at + 90000}`);
		await page.locator(`[data-event="${event.id}"]`).waitFor();
		await page.locator('.timeline-field').focus();
		let said = '';
		for (let i = 0; i < 4 && !said.includes(event.title); i++) {
			await page.keyboard.press(i ? 'p' : 'n');
			said = await page.locator('.timeline-said').textContent();
		}
		check(said.includes(camera) && said.includes(event.title), `the line says "${said}"`);
		await page.keyboard.press('Enter');
		await page.waitForFunction(() => /^#\/events\/[0-9a-f]{32}$/.test(location.hash));
		await settled(page);
		const opened = await ask(page, `/v1/events/${(await page.evaluate(() => location.hash)).slice(-32)}`);
		check(said.includes(opened.event.camera) && said.includes(opened.event.title), `Enter opens ${opened.event.title} where the line said "${said}"`);
		same(await page.locator('h1').textContent(), opened.event.title, 'the event that Enter opens');
	};
}

export function ledger(state, camera) {
	return async (browser) => {
		const page = await newPage(browser, { state });
		await page.goto(`${base}/#/ledger`);
		await settled(page);
		const c = (await ask(page, '/v1/cameras')).cameras.find((k) => k.name === camera), l = c.ledger;
		const card = page.locator('section.card', { has: page.locator(`h3:text-is("${camera}")`) });
		await card.waitFor();
		const rows = await card.locator('tbody tr').evaluateAll((all) => all.map((r) => [...r.cells].slice(0, 3).map((x) => x.textContent)));
		const words = { passed: 'passed', dropped: 'held back', lost: 'lost' }, number = (s) => Number(s.replace(/\D/g, ''));
		for (const kind of Object.keys(words))
			same(rows.filter((r) => r[0] === words[kind]).reduce((n, r) => n + number(r[2]), 0), Object.values(l[kind]).reduce((a, b) => a + b, 0), `frames ${words[kind]}`);
		const quiet = rows.find((r) => r[1] === 'nothing moved');
		same(quiet && number(quiet[2]), l.dropped.quiet, 'frames in which nothing moved');
		check((await card.textContent()).includes('adds up'), 'the account is not said to add up');
		/* lost has no colour of what was held back or passed, and is red */
		const hues = await page.evaluate(() => {
			const probe = document.createElement('i');
			document.body.append(probe);
			const rgb = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color.match(/\d+/g).map(Number); };
			const out = { lost: [1, 2, 3, 4].map((n) => rgb(`--lost-${n}`)), rest: [1, 2, 3, 4].map((n) => rgb(`--pass-${n}`)).concat([1, 2, 3].map((n) => rgb(`--drop-${n}`))) };
			probe.remove();
			return out;
		});
		check(hues.lost.every(([r, g, b]) => r > g + 40 && r > b + 40) && hues.rest.every(([r, g, b]) => b >= r && g >= r), `colours: ${JSON.stringify(hues)}`);
		if (await page.locator('.chart-field').count()) {
			await page.locator('.chart-field').focus();
			await page.keyboard.press('ArrowLeft');
			check(/passed/.test(await page.locator('.chart-said').textContent()), 'the chart says nothing of the piece that is chosen');
		}
	};
}
