// SPDX-License-Identifier: MIT
/*
 * Zones of a camera's picture as polygons in its pixels, painted in their order, each over those
 * before, and the grid of 8 x 8 pixels that they make for the gate: a cell belongs to a polygon if its
 * middle lies in it, as sluicectl mask has it.
 */
export const CELL = 8;
export const SHAPES_MAX = 16;
export const POINTS_MAX = 64;

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

function readPoints(text) {
	return text.trim().split(/\s+/).map((p) => p.split(',').map(Number)).filter((p) => p.length === 2 && p.every(Number.isFinite));
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
	const points = (s) => s.points.map(([x, y]) => `${Math.round(x)},${Math.round(y)}`).join(' ');
	return shapes.length ? { width, height, zones: shapes.map((s) => s.kind === 'ignore' ? { ignore: points(s) } : { zone: `${s.factor}:${points(s)}` }) } : null;
}

export function rectangle(x, y, w, h) {
	return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
}
