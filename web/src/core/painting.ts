/** What a stroke does to a partition: who gives way, who goes underneath, who comes to light again. */
import type { Box } from "./geometry.ts";
import { type Partition, TILE } from "./partition.ts";
import { type Region, blank, eachBit } from "./region.ts";

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

/** Gives the pixels of a region to `slot`, as the treatment says. */
export function paint(pixels: Partition, slot: number, region: Region, how: Treatment): void {
  const { idMap, rank, width } = pixels;
  for (const { tile, box } of pixels.windows(region.box)) {
    pixels.keepOwners(tile);
    let below: number[] | undefined;
    eachBit(region, box, (x, y) => {
      const i = y * width + x;
      const owner = idMap[i];
      if (owner === slot) return;
      if (owner) {
        if (how.mode === "layered" && rank[owner] > rank[slot]) return conceal(pixels, slot, tile, x, y);
        if (how.locked.has(owner) || (how.mode === "flat" && how.border === "yields")) return;
      }
      below ??= pixels.hiddenSlots(tile);
      for (const other of below) if (rank[other] >= rank[slot]) uncover(pixels, other, tile, x, y);
      pixels.give(i, slot);
      if (owner && how.mode === "layered") conceal(pixels, owner, tile, x, y);
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
    const below = pixels.hiddenSlots(tile);
    const before = pixels.journal?.owners.get(tile);
    const [left, top, right] = pixels.tileBox(tile);
    eachBit(region, box, (x, y) => {
      const i = y * pixels.width + x;
      const owner = pixels.idMap[i];
      const meant = slot || (before ? before[(y - top) * (right - left) + x - left] : owner);
      if (owner && owner === meant && !locked.has(owner)) reveal(pixels, i, below, tile, x, y);
    });
    for (const other of below) pixels.mark(box, other);
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
  for (const { tile, box } of pixels.windows(region.box))
    if (pixels.hiddenTile(slot, tile)) eachBit(region, box, (x, y) => uncover(pixels, slot, tile, x, y));
  pixels.mark(region.box);
}

/** Adds to what `slot` has hidden, wherever a segment in front of it is seen. */
export function addHidden(pixels: Partition, slot: number, region: Region): void {
  for (const { tile, box } of pixels.windows(region.box))
    eachBit(region, box, (x, y) => {
      if (pixels.rank[pixels.ownerAt(x, y)] > pixels.rank[slot]) conceal(pixels, slot, tile, x, y);
    });
  pixels.mark(region.box);
}

/**
 * Makes owners follow the stack inside `box`: where something hidden has come in front of who is seen, they change
 * places; what nobody hides any more comes to light.
 */
export function settle(pixels: Partition, box: Box): void {
  for (const { tile, box: window } of pixels.windows(box)) {
    const below = pixels.hiddenSlots(tile);
    if (!below.length) continue;
    pixels.keepOwners(tile);
    for (let y = window[1]; y < window[3]; y++)
      for (let x = window[0]; x < window[2]; x++) settlePixel(pixels, below, tile, x, y);
    for (const slot of below) pixels.mark(window, slot);
  }
}

function settlePixel(pixels: Partition, below: readonly number[], tile: number, x: number, y: number): void {
  const i = y * pixels.width + x;
  const owner = pixels.idMap[i];
  if (owner) uncover(pixels, owner, tile, x, y);
  const front = below.find((slot) => pixels.isHiddenAt(slot, x, y));
  if (front === undefined || pixels.rank[front] < pixels.rank[owner]) return;
  uncover(pixels, front, tile, x, y);
  pixels.give(i, front);
  if (owner) conceal(pixels, owner, tile, x, y);
}

/** Slots that would win or lose pixels if `settle` ran inside `box`. */
export function unsettled(pixels: Partition, box: Box): Set<number> {
  const slots = new Set<number>();
  for (const { tile, box: window } of pixels.windows(box)) {
    const below = pixels.hiddenSlots(tile);
    if (!below.length) continue;
    for (let y = window[1]; y < window[3]; y++)
      for (let x = window[0]; x < window[2]; x++) {
        const owner = pixels.ownerAt(x, y);
        const front = below.find((slot) => pixels.isHiddenAt(slot, x, y));
        if (front !== undefined && pixels.rank[front] > pixels.rank[owner]) slots.add(front).add(owner);
      }
  }
  return slots;
}

function reveal(pixels: Partition, i: number, below: readonly number[], tile: number, x: number, y: number): void {
  const next = below.find((other) => pixels.isHiddenAt(other, x, y)) ?? 0;
  if (next) uncover(pixels, next, tile, x, y);
  pixels.give(i, next);
}

function conceal(pixels: Partition, slot: number, tile: number, x: number, y: number): void {
  if (pixels.hiddenTile(slot, tile)?.[place(x, y)]) return;
  pixels.hide(slot, pixels.hiddenToWrite(slot, tile), place(x, y), 1);
}

function uncover(pixels: Partition, slot: number, tile: number, x: number, y: number): void {
  if (!pixels.hiddenTile(slot, tile)?.[place(x, y)]) return;
  pixels.hide(slot, pixels.hiddenToWrite(slot, tile), place(x, y), 0);
}
