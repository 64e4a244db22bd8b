/** Pixels that nobody owns: how many, and where the next ones are. */
import type { Document } from "./document.ts";
import type { Point } from "./geometry.ts";
import { floodGap } from "./parts.ts";
import { type Region, contains } from "./region.ts";

const LOOK = 4_000_000; // pixels of one gap after which nobody needs to know its exact size

export interface Gap {
  readonly region: Region;
  readonly area: number;
  /** A pixel of it: the first in reading order. */
  readonly at: Point;
}

/** The gap round a pixel; null where the pixel has an owner. */
export function gapAt(document: Document, at: Point, limit = Infinity): Gap | null {
  const { idMap, width } = document;
  const found = floodGap(at, idMap, width, limit);
  if (!found) return null;
  const { region, area } = found;
  return { region, area, at: [region.box[0] + region.bits.indexOf(1), region.box[1]] };
}

/** The next gap in reading order of their first pixels, from the top again behind the last; null: none is left. */
export function nextGap(document: Document, after: Gap | null): Gap | null {
  const { idMap, width } = document;
  const start = after ? after.at[1] * width + after.at[0] + 1 : 0;
  const passed: Gap[] = []; // gaps that begin before: their later pixels are met again
  for (const from of [start, 0])
    for (let i = idMap.indexOf(0, from); i >= 0; i = idMap.indexOf(0, i + 1)) {
      const at: Point = [i % width, Math.floor(i / width)];
      if (passed.some(({ region }) => contains(region, ...at))) continue;
      const gap = gapAt(document, at, LOOK)!;
      if (gap.at[1] * width + gap.at[0] >= from) return gap;
      passed.push(gap);
    }
  return null;
}
