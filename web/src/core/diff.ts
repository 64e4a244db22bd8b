/** From what a journal kept and what is there now: the fewest ops that lead from one to the other. */
import { type Box, width } from "./geometry.ts";
import type { Op } from "./gesture.ts";
import { toMask } from "./masks.ts";
import { type Journal, type Partition, TILE } from "./partition.ts";
import { type Region, blank } from "./region.ts";

type KeyOf = (slot: number) => string | null;

/** Keeps spans of pixels and their boxes, then fills them in: no region is larger than it must be. */
class Gathering {
  readonly #boxes = new Map<number, [number, number, number, number]>();
  readonly #spans: number[] = [];

  add(id: number, x0: number, x1: number, y: number): void {
    this.#spans.push(id, x0, x1, y);
    const box = this.#boxes.get(id);
    if (!box) return void this.#boxes.set(id, [x0, y, x1, y + 1]);
    if (x0 < box[0]) box[0] = x0;
    if (x1 > box[2]) box[2] = x1;
    if (y < box[1]) box[1] = y;
    else if (y >= box[3]) box[3] = y + 1;
  }

  /** The regions by their ids, in order. */
  regions(): [number, Region][] {
    const found = new Map([...this.#boxes].sort((a, b) => a[0] - b[0]).map(([id, box]) => [id, blank(box)]));
    const spans = this.#spans;
    for (let i = 0; i < spans.length; i += 4) {
      const { box, bits } = found.get(spans[i])!;
      const row = (spans[i + 3] - box[1]) * width(box) - box[0];
      bits.fill(1, row + spans[i + 1], row + spans[i + 2]);
    }
    return [...found];
  }
}

/** A span of a row that changed in the same way. */
type Visit = (id: number, x0: number, x1: number, y: number) => void;

const SAME = -1;

function eachChange([x0, y0, x1, y1]: Box, before: ArrayLike<number>, pixels: Partition, visit: Visit): void {
  const { idMap } = pixels;
  for (let y = y0, o = 0; y < y1; y++) {
    let [id, from] = [SAME, x0];
    let [was, now] = [-1, -1];
    for (let x = x0, i = y * pixels.width + x0; x < x1; x++, i++, o++) {
      if (before[o] === was && idMap[i] === now) continue;
      [was, now] = [before[o], idMap[i]];
      const change = was === now ? SAME : was * 65536 + now;
      if (change === id) continue;
      if (id !== SAME) visit(id, from, x, y);
      id = change;
      from = x;
    }
    if (id !== SAME) visit(id, from, x1, y);
  }
}

/** Pixels that changed owner, one op for each pair of owners. */
export function pixelOps(pixels: Partition, journal: Journal, keyOf: KeyOf): Op[] {
  const found = new Gathering();
  const visit: Visit = (id, x0, x1, y) => found.add(id, x0, x1, y);
  for (const [tile, before] of journal.owners) eachChange(pixels.tileBox(tile), before, pixels, visit);
  return found.regions().map(([id, region]) => {
    const [before, after] = [Math.floor(id / 65536), id % 65536].map(keyOf);
    return { op: "pixels", before, after, mask: toMask(region)! };
  });
}

/** What went underneath and what came to light, one op for each segment. */
export function hiddenOps(pixels: Partition, journal: Journal, keyOf: KeyOf): Op[] {
  const ops: Op[] = [];
  for (const [slot, tiles] of journal.hidden) {
    const found = new Gathering();
    const visit: Visit = (id, x0, x1, y) => found.add(id, x0, x1, y);
    for (const [tile, before] of tiles) eachHiddenChange(pixels, slot, tile, before, visit);
    const changed = new Map(found.regions());
    const [add, remove] = [1, 0].map((value) => changed.get(value));
    const key = keyOf(slot);
    if (key !== null && (add || remove))
      ops.push({ op: "hidden", key, add: add ? toMask(add) : null, remove: remove ? toMask(remove) : null });
  }
  return ops;
}

function eachHiddenChange(pixels: Partition, slot: number, tile: number, before: Uint8Array | null, visit: Visit): void {
  const now = pixels.hiddenTile(slot, tile);
  const [x0, y0, x1, y1] = pixels.tileBox(tile);
  for (let y = y0; y < y1; y++) {
    let [id, from] = [SAME, x0];
    for (let x = x0, i = (y % TILE) * TILE; x < x1; x++, i++) {
      const value = now?.[i] ?? 0;
      const change = (before?.[i] ?? 0) === value ? SAME : value;
      if (change === id) continue;
      if (id !== SAME) visit(id, from, x, y);
      id = change;
      from = x;
    }
    if (id !== SAME) visit(id, from, x1, y);
  }
}
