// SPDX-License-Identifier: MIT
/* Zones, lines and settings of a camera: drawn with mouse, keys and fingers; what the server and the device then have. */
import { ask, base, check, newPage, same, settled, shot, show, until } from './rig.mjs';

async function open(browser, state, camera, size) {
	const page = await newPage(browser, { state, size });
	await page.goto(`${base}/`);
	await settled(page);
	const c = (await ask(page, '/v1/cameras')).cameras.find((k) => k.name === camera);
	await show(page, `#/cameras/${c.id}/edit`);
	/* where a place of the camera's picture is on the screen now */
	const at = async (x, y) => {
		const r = await page.locator('.stage-layer').boundingBox();
		return [r.x + x / c.width * r.width, r.y + y / c.height * r.height];
	};
	return { page, c, at, tool: (kind) => page.locator(`button[data-kind="${kind}"]`) };
}

const corners = (page, kind) => page.locator(`.shape.${kind} .shape-outline`).evaluateAll((all) => all.map((n) => n.getAttribute('points').split(' ').map((p) => p.split(',').map((v) => Math.round(Number(v))).join(',')).join(' ')));
const near = (a, b, by) => a.length === b.length && a.every((p, i) => Math.abs(p[0] - b[i][0]) <= by && Math.abs(p[1] - b[i][1]) <= by);

async function save(page) {
	await page.getByRole('button', { name: 'Save', exact: true }).click();
}

/* With the mouse and with keys: zones of the gate and its settings, which the device then has, or refuses. */
export function editor(state, camera) {
	return async (browser) => {
		const { page, c, at, tool } = await open(browser, state, camera);
		/* a box with the mouse */
		await tool('ignore').click();
		await page.mouse.move(...await at(16, 16));
		await page.mouse.down();
		await page.mouse.move(...await at(96, 64), { steps: 4 });
		await page.mouse.up();
		/* a polygon with keys alone: the cross hairs begin in the middle */
		await tool('zone').focus();
		await page.keyboard.press('Enter');
		for (const key of ['Enter', 'ArrowRight', 'ArrowRight', 'Shift+ArrowRight', 'Enter', 'ArrowDown', 'ArrowDown', 'Enter', 'ArrowLeft', 'Enter', 'Backspace', 'Enter'])
			await page.keyboard.press(key);
		check(await page.locator('.pen-point').count() === 4, 'points that the pen has put down');
		await shot(page, 'editor-pen');
		await page.keyboard.press('Enter');
		const [x, y] = [c.width / 2, c.height / 2];
		same(await corners(page, 'zone'), [`${x},${y} ${x + 17},${y} ${x + 17},${y + 16} ${x + 9},${y + 16}`], 'the polygon drawn with keys');
		/* its first corner has the focus: moved, one added after it, taken away, all undone and done again */
		await page.keyboard.press('ArrowUp');
		await page.keyboard.press('ArrowUp');
		await page.keyboard.press('Insert');
		same((await corners(page, 'zone'))[0].split(' ').slice(0, 2), [`${x},${y - 16}`, `${Math.round(x + 8.5)},${y - 8}`], 'the corner moved and the one after it');
		await page.keyboard.press('Delete');
		same((await corners(page, 'zone'))[0].split(' ').length, 4, 'corners once the new one is gone');
		for (let i = 0; i < 3; i++)
			await page.keyboard.press('Control+z');
		same(await corners(page, 'zone'), [`${x},${y} ${x + 17},${y} ${x + 17},${y + 16} ${x + 9},${y + 16}`], 'the polygon after three times undo');
		await page.getByRole('button', { name: 'Redo' }).click();
		/* the whole shape by keys; no corner leaves the picture */
		await page.locator('.shape.zone [data-shape]').focus();
		for (let i = 0; i < 40; i++)
			await page.keyboard.press('ArrowRight');
		same((await corners(page, 'zone'))[0], `${c.width - 17},${y - 16} ${c.width},${y} ${c.width},${y + 16} ${c.width - 8},${y + 16}`, 'the shape at the border');
		await page.locator('.shape-list select').selectOption('2');
		await page.locator('select[name="preset"]').selectOption('high');
		await page.locator('input[name="rate"]').fill('7');
		await page.locator('input[name="rate"]').press('Tab');
		await shot(page, 'editor-drawn');
		await save(page);
		await page.getByText('Saved; the device is asked').waitFor();
		const wish = await ask(page, `/v1/cameras/${c.id}/desired`);
		same(wish.settings, { preset: 'high', rate: 7 }, 'settings that the server has');
		const zones = wish.map.zones, first = zones[0].ignore.split(' ').map((p) => p.split(',').map(Number));
		check(zones.length === 2 && near(first, [[16, 16], [96, 16], [96, 64], [16, 64]], 3), `zones that the server has: ${JSON.stringify(wish.map)}`);
		same(zones[1].zone, `2:${c.width - 17},${y - 16} ${c.width},${y} ${c.width},${y + 16} ${c.width - 8},${y + 16}`, 'the zone drawn with keys');
		await until(page, `/v1/cameras/${c.id}/desired`, (d) => ['in_sync', 'applied'].includes(d.state), 'the device applies it');
		await page.locator('aside .badge', { hasText: 'applied' }).waitFor();
		/* beyond what its owner allows: refused, and the difference is shown */
		await page.locator('input[name="rate"]').fill('50');
		await page.locator('input[name="rate"]').press('Tab');
		await save(page);
		await page.locator('aside .badge', { hasText: 'refused' }).waitFor();
		check((await page.locator('aside .note.warn').textContent()).includes('rate'), 'the reason does not name the setting');
		same((await page.locator('aside table tbody td').allTextContents()).slice(1), ['50', '7'], 'asked and in force');
		await shot(page, 'editor-refused');
		check((await page.textContent('.view')).includes('must not be able to uncover it'), 'no word on privacy masks');
		await page.reload();
		await settled(page);
		same(await page.locator('.shape').count(), 2, 'zones after a reload');
		/* someone else saves meanwhile: nothing is overwritten unseen */
		const status = await page.evaluate(async (id) => {
			const { csrf } = await (await fetch('/v1/session')).json(), { version } = await (await fetch(`/v1/cameras/${id}/desired`)).json();
			return (await fetch(`/v1/cameras/${id}/desired`, { method: 'PUT', headers: { 'content-type': 'application/json', 'x-csrf-token': csrf, 'if-match': `"${version}"` }, body: JSON.stringify({ settings: { preset: 'low' } }) })).status;
		}, c.id);
		same(status, 200, 'another saves');
		page.expected.push(/status of 412/);
		await page.locator('input[name="rate"]').fill('9');
		await page.locator('input[name="rate"]').press('Tab');
		await save(page);
		await page.getByText('Someone else has changed it').waitFor();
		await page.getByRole('button', { name: 'Load anew' }).click();
		await settled(page);
		same(await page.locator('select[name="preset"]').inputValue(), 'low', 'what is shown once it was loaded anew');
	};
}

/* With fingers on a phone: a named zone and a line, which the analysis has; a mask, which only the device can have. */
export function places(state, camera) {
	return async (browser) => {
		const { page, c, at, tool } = await open(browser, state, camera, 'phone');
		const tap = async (px, py) => page.touchscreen.tap(...await at(px, py));
		const version = (await ask(page, `/v1/cameras/${c.id}/zones`)).version;
		await tool('place').tap();
		const wanted = [[20, 100], [120, 100], [140, 200], [60, 220], [20, 180]];
		for (const p of wanted)
			await tap(...p);
		await page.getByRole('button', { name: 'Finish' }).tap();
		await tap(...wanted[3]);
		await page.getByRole('button', { name: 'Remove the corner' }).tap();
		await page.getByRole('button', { name: 'Remove the corner' }).tap();
		await page.getByRole('button', { name: 'Undo' }).tap();
		await tool('line').tap();
		await tap(160, 40);
		await tap(160, 220);
		await page.getByRole('button', { name: 'Turn round' }).tap();
		await tool('mask').tap();
		for (const p of [[240, 40], [300, 40], [300, 100], [240, 40]])
			await tap(...p);
		await shot(page, 'editor-places-phone');
		const line = (await page.locator('.copy-text').textContent()).match(/^sluicectl mask (\S+) --privacy '([^']+)'$/);
		check(line && line[1] === camera && near(line[2].split(' ').map((p) => p.split(',').map(Number)), [[240, 40], [300, 40], [300, 100]], 3), `the line for the device: ${line}`);
		await page.getByLabel('Name of number 1').fill('');
		await save(page);
		await page.getByText('It needs a name.').waitFor();
		same((await ask(page, `/v1/cameras/${c.id}/zones`)).version, version, 'version of the zones after a name that cannot be');
		await page.getByLabel('Name of number 1').fill('前门 door');
		await page.getByLabel('Name of number 2').fill('kerb');
		await save(page);
		await page.getByText('Named zones and lines are saved').waitFor();
		const doc = await ask(page, `/v1/cameras/${c.id}/zones`), pixels = (s) => s.points.map(([px, py]) => [px * c.width, py * c.height]);
		same([doc.zones.map((z) => z.name), doc.lines.map((l) => l.name), doc.by], [['前门 door'], ['kerb'], 'ada'], 'names that the server has');
		check(near(pixels(doc.zones[0]), wanted.filter((p, i) => i !== 3), 3), `the zone that the server has: ${JSON.stringify(doc.zones)}`);
		check(near(pixels(doc.lines[0]), [[160, 220], [160, 40]], 3), `the line that the server has: ${JSON.stringify(doc.lines)}`);
		await page.reload();
		await settled(page);
		same([await page.locator('.shape.place').count(), await page.locator('.shape.line').count(), await page.locator('.shape.mask').count()], [1, 1, 0], 'what is drawn after a reload');
		same(await page.getByLabel('Name of number 1').inputValue(), '前门 door', 'its name after a reload');
	};
}
