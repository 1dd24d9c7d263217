// SPDX-License-Identifier: MIT
/*
 * A QR code (ISO/IEC 18004) of some bytes as SVG: byte mode, error correction level M, versions 1 to
 * 15 (412 bytes), which is what an enrolment line needs. Longer text: null.
 */
import { svg } from './dom.js';

const CHECK = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24]; // bytes a block, level M
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10];

/* ---- Reed-Solomon over GF(256) with the polynomial 0x11d ---- */

function multiply(a, b) {
	let z = 0;
	for (let i = 7; i >= 0; i--) {
		z = (z << 1) ^ ((z >>> 7) * 0x11d);
		z ^= ((b >>> i) & 1) * a;
	}
	return z;
}

function divisor(degree) {
	const d = new Array(degree).fill(0);
	d[degree - 1] = 1;
	for (let i = 0, root = 1; i < degree; i++, root = multiply(root, 2))
		for (let j = 0; j < degree; j++)
			d[j] = multiply(d[j], root) ^ (d[j + 1] || 0);
	return d;
}

function remainder(data, d) {
	const rest = d.map(() => 0);
	for (const byte of data) {
		const factor = byte ^ rest.shift();
		rest.push(0);
		d.forEach((c, i) => { rest[i] ^= multiply(c, factor); });
	}
	return rest;
}

/* ---- sizes ---- */

function alignments(version) {
	if (version === 1)
		return [];
	const n = Math.floor(version / 7) + 2;
	const step = Math.ceil((version * 4 + 4) / (n * 2 - 2)) * 2;
	const at = [];
	for (let pos = version * 4 + 10; at.length < n - 1; pos -= step)
		at.unshift(pos);
	return [6, ...at];
}

function capacity(version) { // bytes, check bytes included
	let bits = (16 * version + 128) * version + 64;
	if (version >= 2) {
		const n = Math.floor(version / 7) + 2;
		bits -= (25 * n - 10) * n - 55 + (version >= 7 ? 36 : 0);
	}
	return bits >>> 3;
}

function pack(bytes, version) {
	const room = capacity(version) - CHECK[version - 1] * BLOCKS[version - 1];
	const bits = [];
	const put = (value, n) => { for (let i = n - 1; i >= 0; i--) bits.push((value >>> i) & 1); };
	put(4, 4);
	put(bytes.length, version < 10 ? 8 : 16);
	bytes.forEach((b) => put(b, 8));
	if (bits.length > room * 8)
		return null;
	put(0, Math.min(4, room * 8 - bits.length));
	put(0, (8 - bits.length % 8) % 8);
	const out = [];
	for (let i = 0; i < bits.length; i += 8)
		out.push(parseInt(bits.slice(i, i + 8).join(''), 2));
	for (let pad = 0xec; out.length < room; pad ^= 0xec ^ 0x11)
		out.push(pad);
	return out;
}

/* Blocks with their check bytes, one byte of each in turn. */
function interleave(data, version) {
	const blocks = BLOCKS[version - 1], check = CHECK[version - 1], whole = capacity(version);
	const short = Math.floor(whole / blocks) - check, shorts = blocks - whole % blocks;
	const d = divisor(check), parts = [], out = [];
	for (let i = 0, at = 0; i < blocks; i++) {
		const part = data.slice(at, at += short + (i < shorts ? 0 : 1));
		parts.push({ part, rest: remainder(part, d) });
	}
	for (let i = 0; i <= short; i++)
		for (const p of parts)
			if (i < p.part.length)
				out.push(p.part[i]);
	for (let i = 0; i < check; i++)
		for (const p of parts)
			out.push(p.rest[i]);
	return out;
}

/* ---- drawing ---- */

function blank(version) {
	const size = version * 4 + 17;
	const dark = Array.from({ length: size }, () => new Array(size).fill(false));
	const fixed = Array.from({ length: size }, () => new Array(size).fill(false));
	const set = (x, y, v) => {
		if (x >= 0 && y >= 0 && x < size && y < size) {
			dark[y][x] = v;
			fixed[y][x] = true;
		}
	};
	for (let i = 0; i < size; i++) {
		set(6, i, i % 2 === 0);
		set(i, 6, i % 2 === 0);
	}
	for (const [cx, cy] of [[3, 3], [size - 4, 3], [3, size - 4]])
		for (let dy = -4; dy <= 4; dy++)
			for (let dx = -4; dx <= 4; dx++) {
				const ring = Math.max(Math.abs(dx), Math.abs(dy));
				set(cx + dx, cy + dy, ring !== 2 && ring !== 4);
			}
	const at = alignments(version);
	for (const y of at)
		for (const x of at)
			if (!(x === 6 && (y === 6 || y === size - 7)) && !(x === size - 7 && y === 6))
				for (let dy = -2; dy <= 2; dy++)
					for (let dx = -2; dx <= 2; dx++)
						set(x + dx, y + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
	if (version >= 7) {
		let rest = version;
		for (let i = 0; i < 12; i++)
			rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
		for (let i = 0, bits = (version << 12) | rest; i < 18; i++) {
			const a = size - 11 + i % 3, b = Math.floor(i / 3), v = ((bits >>> i) & 1) === 1;
			set(a, b, v);
			set(b, a, v);
		}
	}
	return { size, dark, fixed, set };
}

function putFormat(code, mask) { // level M is 0
	let rest = mask;
	for (let i = 0; i < 10; i++)
		rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
	const bits = ((mask << 10) | rest) ^ 0x5412, size = code.size;
	const bit = (i) => ((bits >>> i) & 1) === 1;
	for (let i = 0; i <= 5; i++)
		code.set(8, i, bit(i));
	code.set(8, 7, bit(6));
	code.set(8, 8, bit(7));
	code.set(7, 8, bit(8));
	for (let i = 9; i < 15; i++)
		code.set(14 - i, 8, bit(i));
	for (let i = 0; i < 8; i++)
		code.set(size - 1 - i, 8, bit(i));
	for (let i = 8; i < 15; i++)
		code.set(8, size - 15 + i, bit(i));
	code.set(8, size - 8, true);
}

function putData(code, data) {
	let i = 0;
	for (let right = code.size - 1; right >= 1; right -= 2) {
		if (right === 6)
			right = 5;
		for (let step = 0; step < code.size; step++)
			for (let j = 0; j < 2; j++) {
				const x = right - j, up = ((right + 1) & 2) === 0;
				const y = up ? code.size - 1 - step : step;
				if (!code.fixed[y][x] && i < data.length * 8) {
					code.dark[y][x] = ((data[i >>> 3] >>> (7 - (i & 7))) & 1) === 1;
					i++;
				}
			}
	}
}

const MASKS = [
	(x, y) => (x + y) % 2, (x, y) => y % 2, (x) => x % 3, (x, y) => (x + y) % 3,
	(x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2, (x, y) => x * y % 2 + x * y % 3,
	(x, y) => (x * y % 2 + x * y % 3) % 2, (x, y) => ((x + y) % 2 + x * y % 3) % 2,
];

function flip(code, mask) {
	for (let y = 0; y < code.size; y++)
		for (let x = 0; x < code.size; x++)
			if (!code.fixed[y][x] && MASKS[mask](x, y) === 0)
				code.dark[y][x] = !code.dark[y][x];
}

/* Long rows of one colour, squares, and how far from half of it is dark: less is better. */
function penalty({ size, dark }) {
	let sum = 0, black = 0;
	for (let y = 0; y < size; y++)
		for (const at of [(x) => dark[y][x], (x) => dark[x][y]])
			for (let x = 1, run = 1; x <= size; x++) {
				if (x < size && at(x) === at(x - 1)) {
					run++;
				} else {
					sum += run >= 5 ? run - 2 : 0;
					run = 1;
				}
			}
	for (let y = 0; y < size; y++)
		for (let x = 0; x < size; x++) {
			black += dark[y][x] ? 1 : 0;
			if (x && y && dark[y][x] === dark[y][x - 1] && dark[y][x] === dark[y - 1][x] && dark[y][x] === dark[y - 1][x - 1])
				sum += 3;
		}
	return sum + Math.floor(Math.abs(black * 20 / (size * size) - 10)) * 10;
}

export function qr(text, label) {
	const bytes = [...new TextEncoder().encode(text)];
	for (let version = 1; version <= CHECK.length; version++) {
		const data = pack(bytes, version);
		if (!data)
			continue;
		const code = blank(version);
		putFormat(code, 0); // reserves its places
		putData(code, interleave(data, version));
		let best = 0, least = Infinity;
		for (let mask = 0; mask < 8; mask++) {
			flip(code, mask);
			putFormat(code, mask);
			const p = penalty(code);
			if (p < least)
				[best, least] = [mask, p];
			flip(code, mask);
		}
		flip(code, best);
		putFormat(code, best);
		return draw(code, label);
	}
	return null;
}

/* Black on white in the dark too: readers want it. */
function draw({ size, dark }, label) {
	let d = '';
	for (let y = 0; y < size; y++)
		for (let x = 0; x < size; x++)
			if (dark[y][x])
				d += `M${x + 4} ${y + 4}h1v1h-1z`;
	return svg('svg', { class: 'qr', viewBox: `0 0 ${size + 8} ${size + 8}`, role: 'img', 'aria-label': label, 'shape-rendering': 'crispEdges' },
		svg('rect', { width: size + 8, height: size + 8, fill: '#fff' }), svg('path', { d, fill: '#000' }));
}
