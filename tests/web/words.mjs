// SPDX-License-Identifier: MIT
/* Every word that the dashboard asks for is there in both languages, and none that nobody asks for. */
import { readdirSync, readFileSync } from 'node:fs';

const dir = 'cloud/web/', text = readFileSync(`${dir}words.js`, 'utf8');
const { words } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
const used = new Set(), families = new Set();
let wrong = 0;
const say = (line) => { wrong++; console.log(line); };

for (const file of readdirSync(dir).filter((f) => f.endsWith('.js') && f !== 'words.js')) {
	const source = readFileSync(dir + file, 'utf8');
	for (const [, key] of source.matchAll(/'([a-z_]+\.[a-z_]+)'/g))
		used.add(key);
	for (const [, family] of source.matchAll(/t\(`([a-z_]+)\.\$/g))
		families.add(family);
	if (/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/.test(source))
		say(`${file}: makes markup or code out of text`);
}
for (const key of used)
	if (!words[key] && !/^sluice\.|\.(js|svg|json|jpg)$/.test(key))
		say(`no words for ${key}`);
for (const [key, both] of Object.entries(words)) {
	if (!used.has(key) && !families.has(key.split('.')[0]))
		say(`nobody says ${key}`);
	if (both.length !== 2 || both.some((s) => !s))
		say(`${key} is not there in both languages`);
	const names = (s) => JSON.stringify([...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort());
	if (names(both[0]) !== names(both[1]))
		say(`${key}: other {names} in the two languages`);
}
process.exit(wrong ? 1 : 0);
