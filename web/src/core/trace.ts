/** Outlines along the edges of pixels: rings of regions, and the edge that two owners share. */
import { type Point, distance, width } from "./geometry.ts";
import { type Region, contains } from "./region.ts";

const STEPS: readonly Point[] = [[1, 0], [0, 1], [-1, 0], [0, -1]]; // right, down, left, up

/** For each way, the pixels ahead of a corner on the right and on the left hand. */
const AHEAD: readonly (readonly [Point, Point])[] = [
  [[0, 0], [0, -1]],
  [[-1, 0], [0, 0]],
  [[-1, -1], [-1, 0]],
  [[0, -1], [-1, -1]],
];

/** The rings of a region, corners only, the region on the right hand: outer ones clockwise, holes the other way. */
export function rings(region: Region): Point[][] {
  const [x0, y0, x1, y1] = region.box;
  const wide = width(region.box);
  const seen = new Uint8Array(region.bits.length);
  const has = (x: number, y: number): boolean => contains(region, x, y);
  const found: Point[][] = [];
  for (let y = y0; y < y1; y++)
    for (let x = x0; x < x1; x++) {
      if (!has(x, y) || has(x, y - 1) || seen[(y - y0) * wide + x - x0]) continue;
      const visit = (px: number, py: number): void => void (seen[(py - y0) * wide + px - x0] = 1);
      found.push(walkRing([x, y], has, visit));
    }
  return found;
}

function walkRing(start: Point, has: (x: number, y: number) => boolean, visit: (x: number, y: number) => void): Point[] {
  const ring: Point[] = [];
  let [x, y] = start;
  let way = 0;
  do {
    if (way === 0) visit(x, y);
    [x, y] = [x + STEPS[way][0], y + STEPS[way][1]];
    const [right, left] = AHEAD[way];
    let next = way;
    if (!has(x + right[0], y + right[1])) next = (way + 1) % 4;
    else if (has(x + left[0], y + left[1])) next = (way + 3) % 4;
    if (next !== way) ring.push([x, y]);
    way = next;
  } while (x !== start[0] || y !== start[1] || way !== 0);
  return ring;
}

/** Twice the area inside a ring; negative for holes as `rings` gives them. */
export function signedArea(ring: readonly Point[]): number {
  let sum = 0;
  ring.forEach(([x, y], i) => {
    const [nx, ny] = ring[(i + 1) % ring.length];
    sum += x * ny - nx * y;
  });
  return sum;
}

/** Whether a point lies inside a ring, by the even-odd rule. */
export function inRing([x, y]: Point, ring: readonly Point[]): boolean {
  let odd = false;
  ring.forEach(([ax, ay], i) => {
    const [bx, by] = ring[(i + 1) % ring.length];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  });
  return odd;
}

/** Rings as parts: each outer ring followed by its holes. */
export function partsOf(found: readonly Point[][]): Point[][][] {
  const outer = found.filter((ring) => signedArea(ring) > 0).sort((a, b) => signedArea(a) - signedArea(b));
  const result = outer.map((ring) => [ring]);
  for (const hole of found.filter((ring) => signedArea(ring) <= 0)) {
    const probe: Point = [hole[0][0], hole[0][1]];
    const home = result.find(([ring]) => inRing(probe, ring)) ?? result.find(([ring]) => ring.some((p) => distance(p, probe) < 1));
    home?.push(hole);
  }
  return result;
}

/** An edge between two owners: the points along it, corners of pixels, with `left` and `right` of the way they run. */
export interface Edge {
  readonly points: readonly Point[];
  readonly left: number;
  readonly right: number;
}

/** The edge nearest to `at` within `reach`, up to `length` steps to either side; null where there is none. */
export function edgeNear(at: Point, reach: number, length: number, owner: (x: number, y: number) => number): Edge | null {
  const first = nearestCrack(at, reach, owner);
  if (!first) return null;
  const [corner, way] = first;
  const sides = (c: Point, w: number): [number, number] => {
    const [right, left] = AHEAD[w];
    return [owner(c[0] + left[0], c[1] + left[1]), owner(c[0] + right[0], c[1] + right[1])];
  };
  const [left, right] = sides(corner, way);
  const ahead = followCrack(corner, way, length, left, right, sides);
  const end = ahead[1];
  const back = followCrack(end, (way + 2) % 4, length + 1, right, left, sides);
  const closed = ahead.length > 2 && ahead.at(-1)![0] === corner[0] && ahead.at(-1)![1] === corner[1];
  return { points: closed ? ahead : [...back.slice(2).reverse(), ...ahead], left, right };
}

function followCrack(
  from: Point, way: number, length: number, left: number, right: number, sides: (c: Point, w: number) => [number, number],
): Point[] {
  const points: Point[] = [from];
  let [at, heading] = [from, way];
  for (let i = 0; i < length; i++) {
    at = [at[0] + STEPS[heading][0], at[1] + STEPS[heading][1]];
    points.push(at);
    if (at[0] === from[0] && at[1] === from[1]) return points;
    const next = [(heading + 1) % 4, heading, (heading + 3) % 4].find((w) => {
      const [l, r] = sides(at, w);
      return l === left && r === right;
    });
    if (next === undefined) return points;
    heading = next;
  }
  return points;
}

/** The piece of border between two owners nearest to a point: its corner and the way along it. */
function nearestCrack(at: Point, reach: number, owner: (x: number, y: number) => number): [Point, number] | null {
  let [best, found]: [number, [Point, number] | null] = [reach, null];
  const [cx, cy, r] = [Math.floor(at[0]), Math.floor(at[1]), Math.ceil(reach)];
  for (let y = cy - r; y <= cy + r; y++)
    for (let x = cx - r; x <= cx + r; x++) {
      const here = owner(x, y);
      if (here < 0) continue;
      const [above, before] = [owner(x, y - 1), owner(x - 1, y)];
      const across = distance(at, [x + 0.5, y]);
      if (above >= 0 && above !== here && across < best) [best, found] = [across, [[x, y], 0]];
      const down = distance(at, [x, y + 0.5]);
      if (before >= 0 && before !== here && down < best) [best, found] = [down, [[x, y], 1]];
    }
  return found;
}
