/** Laws of regions, outlines, parts, superpixels and live wires. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Point, distance, simplify, simplifyRing } from "../src/core/geometry.ts";
import { Livewire } from "../src/core/livewire.ts";
import { fillHoles, flood, parts } from "../src/core/parts.ts";
import { fillDab, fillLine, fillPolygon, fillStroke } from "../src/core/raster.ts";
import { area, blank, contains, equalRegions, intersect, regionOf, subtract, trim, unite } from "../src/core/region.ts";
import { superpixels } from "../src/core/superpixels.ts";
import { edgeNear, partsOf, rings } from "../src/core/trace.ts";
import { squarePicture } from "./hand.ts";
import { randomOf, randomRegion, whole } from "./random.ts";

const SIZE = [60, 50] as const;
const FRAME = [0, 0, ...SIZE] as const;

test("filling the rings of a region gives the region back, holes and parts in parts included", () => {
  for (let seed = 0; seed < 80; seed++) {
    const region = intersect(randomRegion(randomOf(seed), ...SIZE), fillPolygon([[[[0, 0], [60, 0], [60, 50], [0, 50]]]], SIZE));
    const found = partsOf(rings(region));
    assert.ok(equalRegions(fillPolygon(found, SIZE), region), `seed ${seed}`);
  }
});

test("union, difference and intersection are those of sets", () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = randomOf(seed);
    const [a, b] = [randomRegion(random, ...SIZE), randomRegion(random, ...SIZE)];
    assert.equal(area(unite(a, b)), area(a) + area(b) - area(intersect(a, b)));
    assert.equal(area(subtract(a, b)), area(a) - area(intersect(a, b)));
    assert.ok(equalRegions(unite(subtract(a, b), intersect(a, b)), a));
    const [x, y] = [whole(random, 60), whole(random, 50)];
    assert.equal(contains(unite(a, b), x, y), contains(a, x, y) || contains(b, x, y));
    const small = trim(a);
    if (small) assert.ok([...small.bits.subarray(0, small.box[2] - small.box[0])].includes(1), "its first row holds a pixel");
  }
});

test("parts are disjoint, connected, largest first, and make up the region", () => {
  for (let seed = 0; seed < 40; seed++) {
    const region = randomRegion(randomOf(seed), ...SIZE);
    const found = parts(region);
    assert.equal(found.reduce((sum, part) => sum + area(part), 0), area(region));
    assert.ok(found.every((part, i) => i === 0 || area(part) <= area(found[i - 1])));
    assert.ok(equalRegions(found.reduce(unite, blank([0, 0, 0, 0])), region));
    const [first] = found;
    if (!first) continue;
    const start: Point = [first.box[0] + first.bits.indexOf(1), first.box[1]];
    assert.ok(equalRegions(flood(start, region.box, (x, y) => contains(region, x, y)), first));
  }
});

test("a region with its holes filled has the same outer rings and no others", () => {
  for (let seed = 0; seed < 40; seed++) {
    const region = randomRegion(randomOf(seed), ...SIZE);
    const full = fillHoles(region);
    assert.equal(area(subtract(region, full)), 0);
    assert.ok(equalRegions(fillHoles(full), full));
  }
});

test("a stroke is its dabs and all between; a line leaves no way through", () => {
  const stroke = fillStroke([10, 10], [40, 30], 4, FRAME);
  for (const t of [0, 0.3, 0.7, 1]) assert.equal(area(subtract(fillDab([10 + 30 * t, 10 + 20 * t], 4, FRAME), stroke)), 0);
  for (let seed = 0; seed < 30; seed++) {
    const random = randomOf(seed);
    const line = fillLine([[-2, 1 + whole(random, 48)], [20, whole(random, 50)], [62, 1 + whole(random, 48)]], FRAME);
    const rest = subtract(regionOf(FRAME, () => true), line);
    const top = flood([0, 0], FRAME, (x, y) => contains(rest, x, y));
    if (top) assert.ok(!contains(top, 0, 49) && !contains(top, 59, 49), `seed ${seed}`);
  }
});

test("simplified lines keep their ends and stay within the tolerance", () => {
  const random = randomOf(5);
  const points = Array.from({ length: 80 }, (_, i): Point => [i, 10 * Math.sin(i / 9) + random()]);
  const few = simplify(points, 2);
  assert.deepEqual([few[0], few.at(-1)], [points[0], points.at(-1)]);
  assert.ok(few.length < 30);
  const square: Point[] = [[0, 0], [5, 0], [10, 0], [10, 10], [0, 10], [0, 5]];
  assert.deepEqual(simplifyRing(square, 0.5).length, 4);
});

test("superpixels cover all pixels, hang together and respect a strong edge", () => {
  const picture = squarePicture(60, 50, [13, 17, 41, 38]);
  const labels = superpixels(picture.crop([0, 0, 60, 50]), 10);
  assert.ok(labels.every((label) => label >= 0));
  let mixed = 0;
  for (const label of new Set(labels)) {
    const patch = trim(regionOf(FRAME, (x, y) => labels[y * 60 + x] === label))!;
    assert.equal(parts(patch).length, 1);
    const bright = area(intersect(patch, regionOf([13, 17, 41, 38], () => true)));
    mixed += Math.min(bright, area(patch) - bright);
  }
  assert.ok(mixed < 60, `${mixed} pixels lie on the wrong side`);
});

test("a live wire goes step by step from its seed to the pointer, and prefers the edge to the straight way", () => {
  const picture = squarePicture(60, 50, [10, 10, 50, 40]);
  const wire = new Livewire(picture.crop(FRAME), FRAME, [10, 10]);
  const path = wire.path([50, 40]);
  assert.deepEqual([path[0], path.at(-1)], [[10.5, 10.5], [50.5, 40.5]]);
  path.slice(1).forEach((p, i) => assert.ok(distance(p, path[i]) < 1.5));
  const middle = path.filter(([x, y]) => x > 14 && x < 46 && y > 14 && y < 36);
  assert.equal(middle.length, 0);
});

test("the edge near a point separates two owners along its whole length", () => {
  const owner = (x: number, y: number): number => (x < 0 || y < 0 || x >= 60 || y >= 50 ? -1 : x < 30 + 5 * Math.sin(y / 6) ? 1 : 2);
  const edge = edgeNear([31, 25], 8, 40, owner)!;
  assert.deepEqual([edge.left, edge.right].toSorted(), [1, 2]);
  assert.ok(edge.points.length > 60);
  edge.points.slice(1).forEach((p, i) => assert.equal(distance(p, edge.points[i]), 1));
  assert.equal(edgeNear([5, 25], 8, 40, owner), null);
  const island = (x: number, y: number): number => (x >= 20 && x < 24 && y >= 20 && y < 24 ? 1 : 0);
  assert.equal(edgeNear([20, 22], 3, 100, island)!.points.length, 17, "a loop ends where it began");
});
