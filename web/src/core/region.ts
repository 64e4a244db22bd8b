/** Regions: masks in memory, one byte a pixel inside a box, row-major. What tools and the document reckon with. */
import { type Box, type Point, clip, cover, height, isEmpty, width } from "./geometry.ts";

export interface Region {
  readonly box: Box;
  readonly bits: Uint8Array;
}

/** A region of `box` without a pixel. */
export function blank(box: Box): Region {
  const whole: Box = isEmpty(box) ? [0, 0, 0, 0] : box;
  return { box: whole, bits: new Uint8Array(width(whole) * height(whole)) };
}

/** A region that fills `box`. */
export function solid(box: Box): Region {
  const region = blank(box);
  region.bits.fill(1);
  return region;
}

/** The pixels of `box` for which `has` holds. */
export function regionOf(box: Box, has: (x: number, y: number) => boolean): Region {
  const region = blank(box);
  let i = 0;
  for (let y = region.box[1]; y < region.box[3]; y++)
    for (let x = region.box[0]; x < region.box[2]; x++) region.bits[i++] = has(x, y) ? 1 : 0;
  return region;
}

export function contains(region: Region, x: number, y: number): boolean {
  const [x0, y0, x1, y1] = region.box;
  return x >= x0 && y >= y0 && x < x1 && y < y1 && region.bits[(y - y0) * (x1 - x0) + x - x0] !== 0;
}

/** Pixels of the region. */
export function area(region: Region): number {
  let sum = 0;
  for (let i = 0; i < region.bits.length; i++) sum += region.bits[i];
  return sum;
}

export const isBlank = (region: Region): boolean => !region.bits.includes(1);

/** The part of the region inside `box`, on the box they share. */
export function crop(region: Region, box: Box): Region {
  const both = clip(region.box, box);
  const out = blank(both);
  if (isEmpty(both)) return out;
  const [x0, y0, x1, y1] = both;
  const [stride, wide] = [width(region.box), x1 - x0];
  for (let y = y0; y < y1; y++) {
    const from = (y - region.box[1]) * stride + x0 - region.box[0];
    out.bits.set(region.bits.subarray(from, from + wide), (y - y0) * wide);
  }
  return out;
}

/** The region on its smallest box; null when it has no pixel. */
export function trim(region: Region): Region | null {
  const [x0, y0, x1, y1] = region.box;
  const wide = x1 - x0;
  const { bits } = region;
  let top = 0;
  const first = bits.indexOf(1);
  if (first < 0) return null;
  top = Math.floor(first / wide);
  const bottom = Math.floor(bits.lastIndexOf(1) / wide) + 1;
  let [left, right] = [wide, 0];
  for (let y = top; y < bottom; y++) {
    const row = y * wide;
    for (let x = 0; x < left; x++) if (bits[row + x]) left = x;
    for (let x = wide - 1; x >= right; x--) if (bits[row + x]) right = x + 1;
  }
  const box: Box = [x0 + left, y0 + top, x0 + right, y0 + bottom];
  return left === 0 && right === wide && top === 0 && bottom === y1 - y0 ? region : crop(region, box);
}

/** Every pixel of either. */
export function unite(a: Region, b: Region): Region {
  const box = cover(a.box, b.box);
  if (!box) return blank([0, 0, 0, 0]);
  const out = blank(box);
  for (const part of [a, b]) stamp(out, part, 1);
  return out;
}

/** The pixels of `a` that `b` has not. */
export function subtract(a: Region, b: Region): Region {
  const out: Region = { box: a.box, bits: a.bits.slice() };
  stamp(out, b, 0);
  return out;
}

/** The pixels both have, on the box they share. */
export function intersect(a: Region, b: Region): Region {
  const out = crop(a, b.box);
  const other = crop(b, a.box);
  for (let i = 0; i < out.bits.length; i++) out.bits[i] &= other.bits[i];
  return out;
}

/** Sets the pixels of `part` inside `onto` to `value`. */
export function stamp(onto: Region, part: Region, value: 0 | 1): void {
  const [x0, y0, x1, y1] = clip(onto.box, part.box);
  const [wide, stride] = [width(onto.box), width(part.box)];
  for (let y = y0; y < y1; y++) {
    let to = (y - onto.box[1]) * wide + x0 - onto.box[0];
    let from = (y - part.box[1]) * stride + x0 - part.box[0];
    for (let x = x0; x < x1; x++, to++, from++) if (part.bits[from]) onto.bits[to] = value;
  }
}

/** Calls `visit(x, y)` for each pixel of the region inside `box`. */
export function eachBit(region: Region, box: Box, visit: (x: number, y: number) => void): void {
  const [x0, y0, x1, y1] = clip(region.box, box);
  const wide = width(region.box);
  for (let y = y0; y < y1; y++)
    for (let x = x0, i = (y - region.box[1]) * wide + x0 - region.box[0]; x < x1; x++, i++)
      if (region.bits[i]) visit(x, y);
}

/** Calls `visit(y, x0, x1)` for each span of a row that the region has inside `box`. */
export function eachSpanOf(region: Region, box: Box, visit: (y: number, x0: number, x1: number) => void): void {
  const [x0, y0, x1, y1] = clip(region.box, box);
  const [wide, { bits }] = [width(region.box), region];
  for (let y = y0; y < y1; y++) {
    const row = (y - region.box[1]) * wide - region.box[0];
    for (let x = x0; x < x1; x++) {
      if (!bits[row + x]) continue;
      const from = x;
      for (x++; x < x1 && bits[row + x]; ) x++;
      visit(y, from, x);
    }
  }
}

/** The same pixels elsewhere. */
export function shift(region: Region, by: Point): Region {
  const [x0, y0, x1, y1] = region.box;
  return { box: [x0 + by[0], y0 + by[1], x1 + by[0], y1 + by[1]], bits: region.bits };
}

export function equalRegions(a: Region | null, b: Region | null): boolean {
  const [one, other] = [a && trim(a), b && trim(b)];
  if (!one || !other) return one === other;
  return one.box.every((v, i) => v === other.box[i]) && one.bits.every((v, i) => v === other.bits[i]);
}
