import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Box, Point } from "../src/core/geometry.ts";
import { boxMask, eachSpan, runsToString, stringToRuns, toMask, toRegion, toRuns } from "../src/core/masks.ts";
import { fillPolygon } from "../src/core/raster.ts";
import { type Region, blank, equalRegions, stamp } from "../src/core/region.ts";
import { randomOf, randomRegion } from "./random.ts";

interface Golden {
  readonly masks: readonly { size: [number, number]; runs: number[]; string: string }[];
  readonly polygons: readonly { size: [number, number]; parts: Point[][][]; string: string }[];
}

const golden = JSON.parse(readFileSync("../tests/golden/masks.json", "utf8")) as Golden;

/** A region on the whole image, so that its runs are those of the image. */
function onImage(region: Region, [height, width]: readonly [number, number]): Region {
  const out = blank([0, 0, width, height]);
  stamp(out, region, 1);
  return out;
}

test("run lengths and strings are those of the golden file", () => {
  for (const { size, runs, string } of golden.masks) {
    assert.equal(runsToString(runs), string);
    assert.deepEqual(stringToRuns(string), runs);
    const box: Box = [0, 0, size[1], size[0]];
    assert.deepEqual(toRuns(toRegion({ box, runs: string })), runs);
  }
});

test("polygons are filled as in the golden file, pixel for pixel", () => {
  golden.polygons.forEach(({ size, parts, string }, i) => {
    const filled = onImage(fillPolygon(parts, [size[1], size[0]]), size);
    assert.equal(runsToString(toRuns(filled)), string, `polygon ${i}`);
  });
});

test("decoding an encoded region gives it back, on its smallest box", () => {
  const random = randomOf(1);
  for (let i = 0; i < 100; i++) {
    const region = randomRegion(random, 60, 60);
    const mask = toMask(region);
    assert.ok(equalRegions(mask && toRegion(mask), region));
  }
  assert.equal(toMask(blank([2, 2, 9, 9])), null);
});

test("the spans of a mask are its pixels, column by column", () => {
  const spans: number[][] = [];
  eachSpan(boxMask([3, 4, 5, 7]), (...span) => spans.push(span));
  assert.deepEqual(spans, [[3, 4, 7], [4, 4, 7]]);
});

test("broken strings are refused in words", () => {
  assert.throws(() => stringToRuns("0é"), /broken at 1/);
  assert.throws(() => toRegion({ box: [0, 0, 2, 2], runs: runsToString([1, 2]) }), /cover 3 pixels; box 0, 0, 2, 2 has 4/);
  assert.throws(() => toRegion({ box: [0, 0, 2, 2], runs: runsToString([1, 9]) }), /more than the 4 pixels/);
});
