/** From what a journal kept and what is there now: the fewest ops that lead from one to the other. */
import { type Box, width } from "./geometry.ts";
import type { Op } from "./gesture.ts";
import { toMask } from "./masks.ts";
import { type Journal, type Partition, TILE } from "./partition.ts";
import { type Region, blank } from "./region.ts";

type KeyOf = (slot: number) => string | null;

/** Grows boxes by pixels, then fills them: two passes, so that no region is larger than it must be. */
class Gathering {
  readonly #boxes = new Map<number, [number, number, number, number]>();
  readonly #regions = new Map<number, Region>();
  // Neighbours mostly belong together: looking up only where the id changes halves the time.
  #id = -1;
  #box: [number, number, number, number] = [0, 0, 0, 0];
  #region: Region = { box: [0, 0, 0, 0], bits: new Uint8Array() };

  measure(id: number, x: number, y: number): void {
    if (id !== this.#id) {
      this.#id = id;
      this.#box = this.#boxes.get(id) ?? [x, y, x + 1, y + 1];
      this.#boxes.set(id, this.#box);
    }
    const box = this.#box;
    if (x < box[0]) box[0] = x;
    else if (x >= box[2]) box[2] = x + 1;
    if (y < box[1]) box[1] = y;
    else if (y >= box[3]) box[3] = y + 1;
  }

  allot(): void {
    for (const [id, box] of this.#boxes) this.#regions.set(id, blank(box));
    this.#id = -1;
  }

  put(id: number, x: number, y: number): void {
    if (id !== this.#id) [this.#id, this.#region] = [id, this.#regions.get(id)!];
    const { box, bits } = this.#region;
    bits[(y - box[1]) * width(box) + x - box[0]] = 1;
  }

  *[Symbol.iterator](): Generator<[number, Region]> {
    yield* [...this.#regions].sort((a, b) => a[0] - b[0]);
  }
}

type Visit = (id: number, x: number, y: number) => void;

function eachChange(box: Box, before: ArrayLike<number>, now: (x: number, y: number) => number, visit: Visit): void {
  let o = 0;
  for (let y = box[1]; y < box[3]; y++)
    for (let x = box[0]; x < box[2]; x++, o++) {
      const next = now(x, y);
      if (before[o] !== next) visit(before[o] * 65536 + next, x, y);
    }
}

/** Pixels that changed owner, one op for each pair of owners. */
export function pixelOps(pixels: Partition, journal: Journal, keyOf: KeyOf): Op[] {
  const found = new Gathering();
  const pass = (visit: Visit): void => {
    for (const [tile, before] of journal.owners)
      eachChange(pixels.tileBox(tile), before, (x, y) => pixels.idMap[y * pixels.width + x], visit);
  };
  pass((id, x, y) => found.measure(id, x, y));
  found.allot();
  pass((id, x, y) => found.put(id, x, y));
  return [...found].map(([id, region]) => {
    const [before, after] = [Math.floor(id / 65536), id % 65536].map(keyOf);
    return { op: "pixels", before, after, mask: toMask(region)! };
  });
}

/** What went underneath and what came to light, one op for each segment. */
export function hiddenOps(pixels: Partition, journal: Journal, keyOf: KeyOf): Op[] {
  const ops: Op[] = [];
  for (const [slot, tiles] of journal.hidden) {
    const found = new Gathering();
    const pass = (visit: Visit): void => {
      for (const [tile, before] of tiles) eachHiddenChange(pixels, slot, tile, before, visit);
    };
    pass((id, x, y) => found.measure(id, x, y));
    found.allot();
    pass((id, x, y) => found.put(id, x, y));
    const changed = new Map(found);
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
  for (let y = y0; y < y1; y++)
    for (let x = x0, i = (y % TILE) * TILE; x < x1; x++, i++)
      if ((before?.[i] ?? 0) !== (now?.[i] ?? 0)) visit(now?.[i] ?? 0, x, y);
}
