/** The codec of masks: COCO's compressed run-length strings, equal to Python's `Masks.to_strings` byte for byte. */
import { type Box, height, isEmpty, width } from "./geometry.ts";
import type { Mask } from "./gesture.ts";
import { type Region, blank, trim } from "./region.ts";

export class MaskError extends Error {
  override name = "MaskError";
}

/** The string of run lengths: each as its difference to the one before last, five bits a character. */
export function runsToString(runs: ArrayLike<number>): string {
  const bytes: number[] = [];
  const parts: string[] = [];
  for (let i = 0; i < runs.length; i++) {
    let value = i > 2 ? runs[i] - runs[i - 2] : runs[i];
    for (let more = true; more; ) {
      let bits = value & 31;
      value >>= 5;
      more = bits & 16 ? value !== -1 : value !== 0;
      if (more) bits |= 32;
      bytes.push(bits + 48);
    }
    if (bytes.length > 8000) parts.push(String.fromCharCode(...bytes.splice(0)));
  }
  return parts.join("") + String.fromCharCode(...bytes);
}

/** The run lengths of a string. */
export function stringToRuns(text: string): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let place = 0;
    for (let more = true; more; ) {
      const bits = text.charCodeAt(at) - 48;
      if (!(bits >= 0 && bits < 64) || place > 30) throw new MaskError(`run-length string is broken at ${at}: ${text.slice(0, 40)}`);
      at++;
      value |= (bits & 31) << place;
      place += 5;
      more = (bits & 32) !== 0;
      if (!more && bits & 16 && place < 32) value |= -1 << place;
    }
    if (runs.length > 2) value += runs[runs.length - 2];
    if (value < 0) throw new MaskError(`run ${runs.length} is ${value} pixels long: ${text.slice(0, 40)}`);
    runs.push(value);
  }
  return runs;
}

/** Calls `visit(x, y0, y1)` for each piece of a column that the mask covers, image pixels. */
export function eachSpan(mask: Mask, visit: (x: number, y0: number, y1: number) => void): void {
  const [x0, y0] = mask.box;
  const tall = height(mask.box);
  const pixels = isEmpty(mask.box) ? 0 : width(mask.box) * tall;
  let at = 0;
  stringToRuns(mask.runs).forEach((run, i) => {
    const end = at + run;
    if (end > pixels) throw new MaskError(`run lengths cover more than the ${pixels} pixels of box ${mask.box.join(", ")}`);
    for (; i % 2 && at < end; ) {
      const column = Math.floor(at / tall);
      const stop = Math.min(end, (column + 1) * tall);
      visit(x0 + column, y0 + at - column * tall, y0 + stop - column * tall);
      at = stop;
    }
    at = end;
  });
  if (at !== pixels) throw new MaskError(`run lengths cover ${at} pixels; box ${mask.box.join(", ")} has ${pixels}`);
}

/** The pixels of a mask from the wire. */
export function toRegion(mask: Mask): Region {
  const out = blank(mask.box);
  const [x0, y0] = mask.box;
  const wide = width(mask.box);
  const { bits } = out;
  eachSpan(mask, (x, top, bottom) => {
    for (let y = top, i = (top - y0) * wide + x - x0; y < bottom; y++, i += wide) bits[i] = 1;
  });
  return out;
}

/** The run lengths of a region, down the columns, first run background. Read row by row: columns lie far apart. */
export function toRuns(region: Region): number[] {
  const [wide, tall] = [width(region.box), height(region.box)];
  const { bits } = region;
  const turns: number[][] = Array.from({ length: wide }, () => []); // rows at which a column changes
  for (let y = 0, i = 0; y < tall; y++)
    for (let x = 0; x < wide; x++, i++) if (bits[i] !== (y ? bits[i - wide] : 0)) turns[x].push(y);
  const runs: number[] = [];
  let [value, begun] = [0, 0];
  const turn = (at: number): void => {
    runs.push(at - begun);
    [value, begun] = [1 - value, at];
  };
  turns.forEach((rows, x) => {
    let inside = 0;
    if (value && rows[0] !== 0) turn(x * tall); // the column before ended inside, this one begins outside
    for (const y of rows) {
      inside = 1 - inside;
      if (inside !== value) turn(x * tall + y);
    }
  });
  if (wide * tall > begun) runs.push(wide * tall - begun);
  return runs;
}

/** The mask of a region on its smallest box, ready for the wire; null when it has no pixel. */
export function toMask(region: Region): Mask | null {
  const small = trim(region);
  return small && { box: small.box, runs: runsToString(toRuns(small)) };
}

/** A mask that fills `box`. */
export const boxMask = (box: Box): Mask => ({ box, runs: runsToString([0, width(box) * height(box)]) });
