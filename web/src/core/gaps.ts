/** Pixels that nobody owns: how many, and where the next ones are. */
import type { Document } from "./document.ts";
import type { Point } from "./geometry.ts";
import { flood } from "./parts.ts";
import { type Region, area } from "./region.ts";

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
  const region = flood(at, document.pixels.bounds, (x, y) => idMap[y * width + x] === 0, limit);
  return region && { region, area: area(region), at: [Math.floor(at[0]), Math.floor(at[1])] };
}

/** The next gap in reading order that does not hold `after`, from the top again behind the last; null: none is left. */
export function nextGap(document: Document, after: Gap | null): Gap | null {
  const { idMap, width } = document;
  if (document.unlabelled === 0) return null;
  const start = after ? after.at[1] * width + after.at[0] + 1 : 0;
  const skip = (i: number): boolean => {
    if (!after) return false;
    const { box, bits } = after.region;
    const [x, y] = [i % width, Math.floor(i / width)];
    return x >= box[0] && x < box[2] && y >= box[1] && y < box[3] && bits[(y - box[1]) * (box[2] - box[0]) + x - box[0]] === 1;
  };
  for (const [from, to] of [[start, idMap.length], [0, start]])
    for (let i = idMap.indexOf(0, from); i >= 0 && i < to; i = idMap.indexOf(0, i + 1))
      if (!skip(i)) return gapAt(document, [i % width, Math.floor(i / width)], LOOK);
  return after && gapAt(document, after.at, LOOK);
}
