/** What a stroke does to a partition: who gives way, who goes underneath, who comes to light again. */
import type { Box } from "./geometry.ts";
import { type Partition, TILE } from "./partition.ts";
import { type Region, blank, eachBit, eachSpanOf } from "./region.ts";

/** How a stroke treats the segments it meets. */
export interface Treatment {
  /** In layers the stack decides and the covered part runs on underneath; flat pixels just change owner. */
  readonly mode: "layered" | "flat";
  /** Who keeps a pixel that has an owner, where the mode is flat. */
  readonly border: "wins" | "yields";
  /** Slots whose pixels nobody may take. */
  readonly locked: ReadonlySet<number>;
}

const place = (x: number, y: number): number => (y % TILE) * TILE + (x % TILE);

/** What one slot has hidden in one tile. */
interface Layer {
  readonly slot: number;
  readonly bytes: Uint8Array;
}

/** What lies underneath in one tile, looked up once for all its pixels. */
class Underneath {
  /** Front to back; only slots that have something hidden here. */
  readonly layers: readonly Layer[];
  readonly #pixels: Partition;
  readonly #tile: number;
  #last: Layer = { slot: -1, bytes: new Uint8Array() };

  constructor(pixels: Partition, tile: number) {
    this.#pixels = pixels;
    this.#tile = tile;
    this.layers = pixels.hiddenSlots(tile).map((slot) => ({ slot, bytes: pixels.hiddenToWrite(slot, tile) }));
  }

  /** The front slot that is hidden at a place of the tile; 0 where none is. */
  front(at: number): number {
    for (const { slot, bytes } of this.layers) if (bytes[at]) return slot;
    return 0;
  }

  conceal(slot: number, at: number): void {
    if (slot !== this.#last.slot) this.#last = { slot, bytes: this.#pixels.hiddenToWrite(slot, this.#tile) };
    if (!this.#last.bytes[at]) this.#pixels.hide(slot, this.#last.bytes, at, 1);
  }

  uncover(slot: number, at: number): void {
    for (const layer of this.layers) if (layer.slot === slot && layer.bytes[at]) this.#pixels.hide(slot, layer.bytes, at, 0);
  }

  /** Uncovers whatever is hidden at a place and does not lie behind `rank`. */
  uncoverFrom(rank: number, at: number): void {
    for (const { slot, bytes } of this.layers) {
      if (this.#pixels.rank[slot] < rank) return;
      if (bytes[at]) this.#pixels.hide(slot, bytes, at, 0);
    }
  }
}

/** Gives the pixels of a region to `slot`, as the treatment says. */
export function paint(pixels: Partition, slot: number, region: Region, how: Treatment): void {
  const { idMap, rank, width } = pixels;
  const layered = how.mode === "layered";
  for (const { tile, box } of pixels.windows(region.box)) {
    pixels.keepOwners(tile);
    const under = new Underneath(pixels, tile);
    eachSpanOf(region, box, (y, from, to) => {
      for (let x = from, end = from; x < to; x = end) {
        const owner = idMap[y * width + x];
        for (end = x + 1; end < to && idMap[y * width + end] === owner; ) end++;
        if (owner === slot) continue;
        if (owner && layered && rank[owner] > rank[slot]) {
          for (let each = x; each < end; each++) under.conceal(slot, place(each, y));
          continue;
        }
        if (owner && (how.locked.has(owner) || (!layered && how.border === "yields"))) continue;
        if (under.layers.length) for (let each = x; each < end; each++) under.uncoverFrom(rank[slot], place(each, y));
        pixels.giveSpan(y * width + x, y * width + end, slot);
        if (owner && layered) for (let each = x; each < end; each++) under.conceal(owner, place(each, y));
      }
    });
  }
  pixels.mark(region.box, slot);
}

/**
 * Takes the pixels of a region from `slot`; what ran underneath comes to light. Slot 0 stands for whoever owned them
 * before the gesture: a stroke that passes twice does not dig deeper.
 */
export function erase(pixels: Partition, slot: number, region: Region, locked: ReadonlySet<number>): void {
  for (const { tile, box } of pixels.windows(region.box)) {
    pixels.keepOwners(tile);
    const under = new Underneath(pixels, tile);
    const before = pixels.journal?.owners.get(tile);
    const [left, top, right] = pixels.tileBox(tile);
    eachBit(region, box, (x, y) => {
      const i = y * pixels.width + x;
      const owner = pixels.idMap[i];
      const meant = slot || (before ? before[(y - top) * (right - left) + x - left] : owner);
      if (!owner || owner !== meant || locked.has(owner)) return;
      const next = under.front(place(x, y));
      if (next) under.uncover(next, place(x, y));
      pixels.give(i, next);
    });
    for (const layer of under.layers) pixels.mark(box, layer.slot);
  }
  pixels.mark(region.box);
}

/** Gives to `to` the pixels of a region that belong to `from` or nobody; the others come back by their owner. */
export function giveWhere(pixels: Partition, from: number, to: number, region: Region): Map<number, Region> {
  const kept = new Map<number, Region>();
  for (const { tile, box } of pixels.windows(region.box)) {
    pixels.keepOwners(tile);
    eachBit(region, box, (x, y) => {
      const i = y * pixels.width + x;
      const owner = pixels.idMap[i];
      if (owner === from || owner === 0) return pixels.give(i, to);
      if (owner === to) return;
      let part = kept.get(owner);
      if (!part) kept.set(owner, (part = blank(region.box)));
      part.bits[(y - region.box[1]) * (region.box[2] - region.box[0]) + x - region.box[0]] = 1;
    });
  }
  pixels.mark(region.box, to);
  return kept;
}

/** Takes what `slot` has hidden inside a region. */
export function eraseHidden(pixels: Partition, slot: number, region: Region): void {
  for (const { tile, box } of pixels.windows(region.box)) {
    if (!pixels.hiddenTile(slot, tile)) continue;
    const bytes = pixels.hiddenToWrite(slot, tile);
    eachBit(region, box, (x, y) => pixels.hide(slot, bytes, place(x, y), 0));
  }
  pixels.mark(region.box);
}

/** Adds to what `slot` has hidden, wherever a segment in front of it is seen. */
export function addHidden(pixels: Partition, slot: number, region: Region): void {
  for (const { tile, box } of pixels.windows(region.box)) {
    const bytes = pixels.hiddenToWrite(slot, tile);
    eachBit(region, box, (x, y) => {
      if (pixels.rank[pixels.ownerAt(x, y)] > pixels.rank[slot]) pixels.hide(slot, bytes, place(x, y), 1);
    });
  }
  pixels.mark(region.box);
}

/**
 * Makes owners follow the stack inside `box`: where something hidden has come in front of who is seen, they change
 * places; what nobody hides any more comes to light.
 */
export function settle(pixels: Partition, box: Box): void {
  for (const { tile, box: window } of pixels.windows(box)) {
    const under = new Underneath(pixels, tile);
    if (!under.layers.length) continue;
    pixels.keepOwners(tile);
    for (let y = window[1]; y < window[3]; y++)
      for (let x = window[0]; x < window[2]; x++) settlePixel(pixels, under, y * pixels.width + x, place(x, y));
    for (const { slot } of under.layers) pixels.mark(window, slot);
  }
}

function settlePixel(pixels: Partition, under: Underneath, i: number, at: number): void {
  const owner = pixels.idMap[i];
  if (owner) under.uncover(owner, at);
  const front = under.front(at);
  if (!front || pixels.rank[front] < pixels.rank[owner]) return;
  under.uncover(front, at);
  pixels.give(i, front);
  if (owner) under.conceal(owner, at);
}

/** Slots that would win or lose pixels if `settle` ran inside `box`. */
export function unsettled(pixels: Partition, box: Box): Set<number> {
  const slots = new Set<number>();
  for (const { tile, box: window } of pixels.windows(box)) {
    const { layers } = new Underneath(pixels, tile);
    if (!layers.length) continue;
    eachPlace(window, (x, y) => {
      const owner = pixels.ownerAt(x, y);
      const front = layers.find(({ bytes }) => bytes[place(x, y)])?.slot;
      if (front !== undefined && pixels.rank[front] > pixels.rank[owner]) slots.add(front).add(owner);
    });
  }
  return slots;
}

function eachPlace([x0, y0, x1, y1]: Box, visit: (x: number, y: number) => void): void {
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) visit(x, y);
}
