// SPDX-License-Identifier: MIT
/* The list of events, one event, and the search: what is shown is what the server has, and all of it. */
import { ask, base, check, env, newPage, same, settled, shot, show } from './rig.mjs';

const idsOf = (page) => page.locator('.event-row').evaluateAll((rows) => rows.map((r) => r.getAttribute('data-id')));

/* Pages follow each other without a gap and without a row twice, newest first, among 100,000. */
export function paging(state) {
	return async (browser) => {
		const page = await newPage(browser, { state });
		const started = Date.now();
		await page.goto(`${base}/#/events`);
		await page.locator('.event-row').first().waitFor();
		console.log(`events: the first page is shown after ${Date.now() - started} ms`);
		for (let want = 80; want <= 160; want += 40) {
			await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
			await page.waitForFunction((n) => document.querySelectorAll('.event-row').length >= n, want);
		}
		const shown = await idsOf(page), truth = await ask(page, '/v1/summaries?kind=event&limit=400');
		same(shown, truth.summaries.slice(0, shown.length).map((s) => s.id), 'the list');
		/* how long the server takes is told to who has signed in, and to nobody else */
		page.expected.push(/status of 401/);
		const timings = await page.evaluate(async () => {
			const told = async (path, credentials) => (await fetch(path, { cache: 'no-store', credentials })).headers.get('server-timing');
			return { mine: [await told('/v1/summaries?kind=event&limit=40'), await told('/v1/summaries?kind=event&limit=40')], others: await told('/v1/session', 'omit'), health: await told('/healthz', 'omit') };
		});
		check(timings.mine.every((m) => /^app;dur=\d+\.\d+$/.test(m)), `what the server says of its time: ${JSON.stringify(timings.mine)}`);
		same([timings.others, timings.health], [null, null], 'what it says to strangers');
		console.log(`events: a first page of 40 of 100,000: ${timings.mine.join(', ')} (ms at the server)`);
		await page.getByLabel('Camera').selectOption('fill-3');
		await page.waitForFunction(() => [...document.querySelectorAll('.event-row .badge.outline')].every((b) => b.textContent === 'fill-3') && document.querySelector('.event-row'));
		check((await page.evaluate(() => location.hash)).includes('camera='), 'the filter is not in the address');
		await page.getByLabel('Class').selectOption('animal-like');
		await page.waitForFunction(() => [...document.querySelectorAll('.event-row')].length && [...document.querySelectorAll('.event-row')].every((r) => r.textContent.includes('animal-like')));
		same((await idsOf(page)).slice(0, 20), (await ask(page, '/v1/summaries?kind=event&camera=fill-3&class=animal-like&limit=20')).summaries.map((s) => s.id), 'with two filters the list');
	};
}

/* An event that came the whole way: pictures, boxes at the right place, video that plays, words, files. */
export function event(state, camera) {
	return async (browser) => {
		const page = await newPage(browser, { state });
		await page.goto(`${base}/`);
		await settled(page);
		const entry = (await ask(page, `/v1/summaries?kind=event&camera=${camera}&limit=1`)).summaries[0];
		const whole = await ask(page, `/v1/summaries/${entry.id}/summary.json`);
		await show(page, `#/events/${entry.id}`);
		same(await page.locator('h1').textContent(), whole.title, 'title');
		check((await page.locator('.event-text').textContent()) === whole.text, 'the text is another');
		check(await page.getByText('heuristic', { exact: true }).count() > 0, 'what is a guess is not said to be one');
		const img = page.locator('.stage img');
		await page.waitForFunction(() => document.querySelector('.stage img').naturalWidth > 0);
		same(await img.evaluate((i) => [i.naturalWidth, i.naturalHeight]), [whole.width, whole.height], 'size of the key frame');
		const k = whole.keyframes[0];
		const wanted = whole.tracks.map((t) => t.boxes.reduce((best, b) => (Math.abs(b[0] - k.t_s) < Math.abs(best[0] - k.t_s) ? b : best))).filter((b) => Math.abs(b[0] - k.t_s) <= 0.3).map((b) => b.slice(1));
		const drawn = await page.locator('.stage .track-box').evaluateAll((all) => all.map((r) => ['x', 'y', 'width', 'height'].map((a) => Number(r.getAttribute(a)))));
		check(wanted.length > 0, 'the key frame has no track near it');
		same(drawn, wanted, 'boxes on the first key frame');
		await page.getByRole('button', { name: 'Boxes' }).click();
		same(await page.locator('.stage .track-box').count(), 0, 'boxes once they are turned off');
		same(await page.locator('.thumb').count(), whole.keyframes.length, 'key frames');
		await page.locator('.thumb').last().press('Enter');
		check((await page.locator('.stage figcaption').textContent()).length > 0, 'no caption');
		same(await page.locator('table[class=""] tbody tr, .card.flush tbody tr').count(), whole.tracks.length, 'rows of tracks');
		check((await page.locator('.activity-area').getAttribute('d')).length > 20, 'no curve of activity');
		const video = page.locator('video');
		await video.waitFor({ timeout: 30000 });
		const seconds = await video.evaluate((v) => new Promise((resolve) => {
			const look = () => (v.readyState >= 1 ? resolve(v.duration) : v.error ? resolve(-1) : setTimeout(look, 50));
			look();
		}));
		check(seconds > 0.5 && seconds < 21, `the digest is ${seconds} s long`);
		await page.getByRole('button', { name: 'Frame on' }).click();
		await page.waitForFunction(() => document.querySelector('video').currentTime > 0);
		for (const alt of ['The key frames with their times', 'How often each place had motion']) {
			await page.locator(`img[alt^="${alt}"]`).scrollIntoViewIfNeeded();
			await page.waitForFunction((a) => document.querySelector(`img[alt^="${a}"]`).naturalWidth > 0, alt);
		}
		await shot(page, 'event-whole');
		await page.getByRole('button', { name: 'Pin', exact: true }).click();
		await page.getByRole('button', { name: 'Unpin' }).waitFor();
		check((await ask(page, `/v1/summaries?kind=event&camera=${camera}&limit=1`)).summaries[0].pinned, 'the server does not know of the pin');
		await page.getByRole('button', { name: 'Unpin' }).click();
		await page.getByRole('button', { name: 'Pin', exact: true }).waitFor();
	};
}

export function search(state, camera) {
	return async (browser) => {
		const page = await newPage(browser, { state });
		await page.goto(`${base}/#/search`);
		await page.locator('.event-row').first().waitFor();
		const go = async () => {
			await page.getByRole('button', { name: 'Search', exact: true }).click();
			await settled(page);
			await page.locator('.list-foot').filter({ hasText: /That is all|Nothing found|Load more/ }).waitFor();
		};
		await page.getByLabel('Words').fill('needle');
		await go();
		same(await idsOf(page), [(777 + 0x10000).toString(16).padStart(32, '0')], 'events with the word');
		await page.getByLabel('Words').fill('');
		await page.getByLabel('Zone').fill('gate');
		await page.getByLabel('Camera').selectOption('fill-3');
		await go();
		const numbers = (await idsOf(page)).map((id) => parseInt(id, 16) - 0x10000);
		check(numbers.length >= 40 && numbers.every((n) => n % 50 === 0 && n % 8 === 2), `events in the zone: ${numbers.slice(0, 10)}`);
		await page.getByLabel('Zone').fill('');
		await page.getByLabel('Camera').selectOption('fill-1');
		const day = (n) => new Date(Date.now() - n * 86400000).toISOString().slice(0, 16);
		await page.getByLabel('From', { exact: true }).fill(day(9));
		await page.getByLabel('To', { exact: true }).fill(day(8));
		await go();
		const found = await ask(page, `/v1/summaries?kind=event&camera=fill-1&from=${Date.parse(day(9) + '+01:00')}000000&to=${Date.parse(day(8) + '+01:00')}000000&limit=40`);
		same(await idsOf(page), found.summaries.map((s) => s.id), 'events of a day');
		check(found.summaries.length === 40, 'there are fewer than a page of them');
		/* the walker of the scene goes through the lower half, never through the upper tenth */
		await page.goto(`${base}/#/search?camera=${camera}`);
		const region = page.locator('.region');
		await region.scrollIntoViewIfNeeded();
		await page.waitForFunction(() => document.querySelector('.region img') ? document.querySelector('.region img').naturalWidth > 0 : false);
		const drag = async (y0, y1) => {
			await region.scrollIntoViewIfNeeded();
			const r = await region.boundingBox();
			await page.mouse.move(r.x + r.width * 0.3, r.y + r.height * y0);
			await page.mouse.down();
			await page.mouse.move(r.x + r.width * 0.6, r.y + r.height * y1, { steps: 4 });
			await page.mouse.up();
			await settled(page);
		};
		await drag(0.02, 0.1);
		await page.getByText('Nothing found').waitFor();
		await drag(0.6, 0.8);
		await page.locator('.event-row').first().waitFor();
		check((await page.locator('.event-row').count()) >= 1, 'nothing is found where something moved');
		await region.press('Shift+ArrowRight');
		await shot(page, 'search-region');
	};
}

/* Markup in names, titles and texts is text. */
export function markup(state) {
	return async (browser) => {
		const page = await newPage(browser, { state }), id = (1000 + 0x10000).toString(16).padStart(32, '0');
		await page.addInitScript(() => { globalThis.boom = () => { globalThis.exploded = true; }; });
		await page.goto(`${base}/#/cameras`);
		await settled(page);
		const name = '<img/src=x/onerror=boom()>';
		await page.locator('.camera-card h2', { hasText: name }).waitFor();
		for (const hash of [`#/events?camera=${encodeURIComponent(name)}`, `#/events/${id}`, `#/search?text=${encodeURIComponent(name)}`, '#/timeline', '#/ledger', `#/cameras/${encodeURIComponent(name)}`, `#/${name}`]) {
			page.expected.push(/status of 40[04]/); // no name that a query may have
			await show(page, hash);
			const bad = await page.evaluate(() => ({ nodes: document.querySelectorAll('script:not([src]), [onerror], [onload], img[src="x"]').length, exploded: Boolean(globalThis.exploded) }));
			same(bad, { nodes: 0, exploded: false }, `${hash}: markup of others`);
		}
		await page.goto(`${base}/#/events`);
		await settled(page);
		await page.getByLabel('Camera').selectOption(name);
		await page.locator(`[data-id="${id}"]`).waitFor();
		check((await page.locator(`[data-id="${id}"]`).textContent()).includes('<script>boom()</script><b>1000'), 'the title is not shown as it is');
	};
}
