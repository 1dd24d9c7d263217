// SPDX-License-Identifier: MIT
/*
 * What is drawn on a camera's picture, in its pixels. Zones of the gate (ignore, zone) are painted in
 * their order, each over those before, and make a grid of 8 x 8 pixels: a cell belongs to a polygon if
 * its middle lies in it, as sluicectl mask has it. Named zones (place) and lines are the analysis's,
 * in shares of the picture. A privacy mask (mask) is only drawn here: the device alone can set it.
 */
export const CELL = 8;

/* least and most: corners; the gate's share one list, the others have one each of SHAPES_MAX. */
export const KINDS = {
	ignore: { list: 'map', least: 3, most: 64 }, zone: { list: 'map', least: 3, most: 64 },
	place: { list: 'zones', least: 3, most: 16 }, line: { list: 'lines', least: 2, most: 2 }, mask: { list: 'mask', least: 3, most: 64 },
};
export const SHAPES_MAX = 16;
export const NAME_BYTES = 31;

export const ofList = (shapes, list) => shapes.filter((s) => KINDS[s.kind].list === list);
export const hasRoom = (shapes, kind) => ofList(shapes, KINDS[kind].list).length < SHAPES_MAX;
export const isNamed = (kind) => kind === 'place' || kind === 'line';

export function inside(points, x, y) {
	let odd = false;
	for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
		const [xi, yi] = points[i], [xj, yj] = points[j];
		if ((yi > y) !== (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi)
			odd = !odd;
	}
	return odd;
}

/* Of each cell the number of the shape that holds there, -1 for none. */
export function cells(shapes, width, height) {
	const w = Math.ceil(width / CELL), h = Math.ceil(height / CELL), grid = new Int8Array(w * h).fill(-1);
	shapes.forEach((shape, n) => {
		if (KINDS[shape.kind].list !== 'map')
			return;
		const xs = shape.points.map((p) => p[0]), ys = shape.points.map((p) => p[1]);
		const x0 = Math.max(Math.floor(Math.min(...xs) / CELL), 0), x1 = Math.min(Math.ceil(Math.max(...xs) / CELL), w);
		const y0 = Math.max(Math.floor(Math.min(...ys) / CELL), 0), y1 = Math.min(Math.ceil(Math.max(...ys) / CELL), h);
		for (let y = y0; y < y1; y++)
			for (let x = x0; x < x1; x++)
				if (inside(shape.points, (x + 0.5) * CELL, (y + 0.5) * CELL))
					grid[y * w + x] = n;
	});
	return { w, h, grid };
}

/* The cells of one shape as the outline of squares, for a <path>. */
export function cellPath({ w, grid }, n) {
	let d = '';
	for (let i = 0; i < grid.length; i++) {
		let run = 0;
		while (grid[i + run] === n && i % w + run < w)
			run++;
		if (run) {
			d += `M${i % w * CELL} ${Math.floor(i / w) * CELL}h${run * CELL}v${CELL}h${-run * CELL}z`;
			i += run - 1;
		}
	}
	return d;
}

/* ---- zones of the gate ---- */

function readPoints(text) {
	return text.trim().split(/\s+/).map((p) => p.split(',').map(Number)).filter((p) => p.length === 2 && p.every(Number.isFinite));
}

/* As `sluicectl mask` takes them. */
export function pointsText(shape) {
	return shape.points.map(([x, y]) => `${Math.round(x)},${Math.round(y)}`).join(' ');
}

/* The map of desired settings as shapes in a picture of width x height; null if it is no list of zones. */
export function fromMap(map, width, height) {
	if (!map || !map.zones)
		return map ? null : [];
	const sx = width / (map.width || width), sy = height / (map.height || height);
	return map.zones.map((z) => {
		const text = z.ignore || z.zone || '', at = text.indexOf(':');
		return { kind: z.ignore ? 'ignore' : 'zone', factor: z.ignore ? 0 : Number(text.slice(0, at)) || 1,
			points: readPoints(z.ignore ? text : text.slice(at + 1)).map(([x, y]) => [x * sx, y * sy]) };
	}).filter((s) => s.points.length >= 3);
}

export function toMap(shapes, width, height) {
	const gate = ofList(shapes, 'map');
	return gate.length ? { width, height, zones: gate.map((s) => s.kind === 'ignore' ? { ignore: pointsText(s) } : { zone: `${s.factor}:${pointsText(s)}` }) } : null;
}

/* ---- named zones and lines ---- */

export function fromZones(doc, width, height) {
	const read = (kind) => ({ name, concern, dwell_s, points }) => ({ kind, name, concern: concern || '', dwell_s, points: points.map(([x, y]) => [x * width, y * height]) });
	return [...doc.zones.map(read('place')), ...doc.lines.map(read('line'))];
}

export function toZones(shapes, width, height) {
	const share = (v, whole) => Math.round(Math.min(Math.max(v / whole, 0), 1) * 10000) / 10000;
	const write = (s) => ({ name: s.name, ...(s.concern ? { concern: s.concern } : {}), ...(s.dwell_s === undefined ? {} : { dwell_s: s.dwell_s }), points: s.points.map(([x, y]) => [share(x, width), share(y, height)]) });
	return { zones: ofList(shapes, 'zones').map(write), lines: ofList(shapes, 'lines').map(write) };
}

export function rectangle(x, y, w, h) {
	return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
}
