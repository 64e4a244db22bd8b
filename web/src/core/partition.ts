/**
 * Who owns which pixel, and what runs on underneath: one id map of slots, and hidden tiles per slot.
 *
 * Slot 0 is nobody. No pixel can have two owners, so nothing here can break the partition. All writes go tile by
 * tile through `visit`, which lets an open journal keep what was there.
 */
import { type Box, clip, cover, height, isEmpty, width } from "./geometry.ts";
import { type Region, blank } from "./region.ts";

export const TILE = 64;
const AREA = TILE * TILE;

/** The tiles as they were before the first write since the journal was opened. */
export interface Journal {
  readonly owners: Map<number, Uint16Array>;
  readonly hidden: Map<number, Map<number, Uint8Array | null>>;
}

/** A window of one tile: where it begins in the id map and how far it goes. */
export interface Window {
  readonly tile: number;
  readonly box: Box;
}

export class Partition {
  readonly width: number;
  readonly height: number;
  readonly idMap: Uint16Array;
  readonly across: number;
  /** Pixels each slot owns; of slot 0, pixels that nobody owns. */
  areas: number[] = [];
  hiddenAreas: number[] = [];
  /** Place of each slot in the stack, back to front; -1 where there is none. */
  rank: number[] = [-1];
  journal: Journal | null = null;
  #hidden: (Map<number, Uint8Array> | undefined)[] = [];
  #boxes: (Box | null)[] = [];
  #dirty: Box | null = null;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.across = Math.ceil(width / TILE);
    this.idMap = new Uint16Array(width * height);
    this.areas[0] = width * height;
  }

  get bounds(): Box {
    return [0, 0, this.width, this.height];
  }

  /** Makes room for a slot. */
  open(slot: number): void {
    this.areas[slot] = this.hiddenAreas[slot] = 0;
    this.rank[slot] = -1;
    this.#hidden[slot] = undefined;
    this.#boxes[slot] = null;
  }

  ownerAt(x: number, y: number): number {
    return x >= 0 && y >= 0 && x < this.width && y < this.height ? this.idMap[y * this.width + x] : 0;
  }

  isHiddenAt(slot: number, x: number, y: number): boolean {
    const tile = this.#hidden[slot]?.get(Math.floor(y / TILE) * this.across + Math.floor(x / TILE));
    return !!tile && tile[(y % TILE) * TILE + (x % TILE)] !== 0;
  }

  /** The windows of all tiles that `box` touches, cut to it and to the image. */
  *windows(box: Box): Generator<Window> {
    const [x0, y0, x1, y1] = clip(box, this.bounds);
    if (x1 <= x0 || y1 <= y0) return;
    for (let ty = Math.floor(y0 / TILE); ty * TILE < y1; ty++)
      for (let tx = Math.floor(x0 / TILE); tx * TILE < x1; tx++) {
        const whole: Box = [tx * TILE, ty * TILE, (tx + 1) * TILE, (ty + 1) * TILE];
        yield { tile: ty * this.across + tx, box: clip(whole, [x0, y0, x1, y1]) };
      }
  }

  tileBox(tile: number): Box {
    const [x, y] = [(tile % this.across) * TILE, Math.floor(tile / this.across) * TILE];
    return clip([x, y, x + TILE, y + TILE], this.bounds);
  }

  /** Keeps the owners of a tile for the journal; to be called before the first write into it. */
  keepOwners(tile: number): void {
    if (!this.journal || this.journal.owners.has(tile)) return;
    this.journal.owners.set(tile, this.copyOwners(tile));
  }

  /** The owners of a tile, row-major on its box. */
  copyOwners(tile: number): Uint16Array {
    const box = this.tileBox(tile);
    const out = new Uint16Array(width(box) * height(box));
    for (let y = box[1], o = 0; y < box[3]; y++)
      for (let i = y * this.width + box[0], end = i + width(box); i < end; i++) out[o++] = this.idMap[i];
    return out;
  }

  /** Moves one pixel, at index `i` of the id map, to `slot`. Callers keep the tile and mark what they changed. */
  give(i: number, slot: number): void {
    this.areas[this.idMap[i]]--;
    this.areas[slot]++;
    this.idMap[i] = slot;
  }

  /** Moves a span of pixels of one owner. */
  giveSpan(from: number, to: number, slot: number): void {
    this.areas[this.idMap[from]] -= to - from;
    this.areas[slot] += to - from;
    this.idMap.fill(slot, from, to);
  }

  /** Says that `slot` may have gained pixels anywhere in `box`. */
  mark(box: Box, slot = 0): void {
    const seen = clip(box, this.bounds);
    if (isEmpty(seen)) return;
    this.#dirty = cover(this.#dirty, seen);
    if (slot) this.#boxes[slot] = cover(this.#boxes[slot], seen);
  }

  /** The box of all that changed since the last call. */
  takeDirty(): Box | null {
    const dirty = this.#dirty;
    this.#dirty = null;
    return dirty;
  }

  /** The hidden bytes of a tile to read, or undefined: TILE x TILE, row-major. */
  hiddenTile(slot: number, tile: number): Uint8Array | undefined {
    return this.#hidden[slot]?.get(tile);
  }

  /** Tiles in which `slot` has something hidden. */
  hiddenTiles(slot: number): Iterable<number> {
    return this.#hidden[slot]?.keys() ?? [];
  }

  /** The hidden bytes of a tile to write, kept for the journal and made where there were none. */
  hiddenToWrite(slot: number, tile: number): Uint8Array {
    const tiles = (this.#hidden[slot] ??= new Map());
    let bytes = tiles.get(tile);
    if (this.journal) {
      let kept = this.journal.hidden.get(slot);
      if (!kept) this.journal.hidden.set(slot, (kept = new Map()));
      if (!kept.has(tile)) kept.set(tile, bytes ? bytes.slice() : null);
    }
    if (!bytes) tiles.set(tile, (bytes = new Uint8Array(AREA)));
    return bytes;
  }

  /** Sets one hidden byte. */
  hide(slot: number, bytes: Uint8Array, i: number, value: 0 | 1): void {
    this.hiddenAreas[slot] += value - bytes[i];
    bytes[i] = value;
  }

  /** Slots with something hidden in the tile, front to back. */
  hiddenSlots(tile: number): number[] {
    const slots: number[] = [];
    for (let slot = 1; slot < this.rank.length; slot++)
      if (this.hiddenAreas[slot] && this.rank[slot] >= 0 && this.#hidden[slot]?.has(tile)) slots.push(slot);
    return slots.sort((a, b) => this.rank[b] - this.rank[a]);
  }

  /** The smallest box of what a slot owns; null when it owns nothing. */
  box(slot: number): Box | null {
    const loose = this.#boxes[slot];
    if (!loose || !this.areas[slot]) return (this.#boxes[slot] = null);
    let [x0, y0, x1, y1] = loose;
    const ids = this.idMap;
    const w = this.width;
    const inRow = (y: number): boolean => {
      for (let i = y * w + x0; i < y * w + x1; i++) if (ids[i] === slot) return true;
      return false;
    };
    const inColumn = (x: number): boolean => {
      for (let i = y0 * w + x; i < y1 * w; i += w) if (ids[i] === slot) return true;
      return false;
    };
    while (y0 < y1 && !inRow(y0)) y0++;
    while (y1 > y0 && !inRow(y1 - 1)) y1--;
    while (x0 < x1 && !inColumn(x0)) x0++;
    while (x1 > x0 && !inColumn(x1 - 1)) x1--;
    return (this.#boxes[slot] = [x0, y0, x1, y1]);
  }

  /** What a slot owns (0: what nobody owns), on its smallest box or inside `within`. */
  visible(slot: number, within?: Box): Region {
    const own = slot ? (this.box(slot) ?? ([0, 0, 0, 0] as const)) : this.bounds;
    const out = blank(within ? clip(own, within) : own);
    const [x0, y0, x1, y1] = out.box;
    for (let y = y0, o = 0; y < y1; y++)
      for (let i = y * this.width + x0; i < y * this.width + x1; i++) out.bits[o++] = this.idMap[i] === slot ? 1 : 0;
    return out;
  }

  /** A box round what a slot has hidden (whole tiles); null when that is nothing. */
  hiddenBox(slot: number): Box | null {
    let box: Box | null = null;
    if (this.hiddenAreas[slot]) for (const tile of this.hiddenTiles(slot)) box = cover(box, this.tileBox(tile));
    return box;
  }

  /** What a slot has hidden. */
  hidden(slot: number, within?: Box): Region {
    const own = this.hiddenBox(slot) ?? ([0, 0, 0, 0] as const);
    const out = blank(within ? clip(own, within) : own);
    const wide = width(out.box);
    for (const { tile, box } of this.windows(out.box)) {
      const bytes = this.hiddenTile(slot, tile);
      if (!bytes) continue;
      for (let y = box[1]; y < box[3]; y++) {
        const from = (y % TILE) * TILE + (box[0] % TILE);
        out.bits.set(bytes.subarray(from, from + width(box)), (y - out.box[1]) * wide + box[0] - out.box[0]);
      }
    }
    return out;
  }

  /** Takes everything back to where the open journal began, and closes it. */
  rollBack(): void {
    const { journal } = this;
    this.journal = null;
    if (!journal) return;
    for (const [tile, owners] of journal.owners) {
      const box = this.tileBox(tile);
      let o = 0;
      for (let y = box[1]; y < box[3]; y++)
        for (let i = y * this.width + box[0]; i < y * this.width + box[2]; i++, o++)
          if (this.idMap[i] !== owners[o]) this.give(i, owners[o]);
      for (const slot of new Set(owners)) this.mark(box, slot);
      this.mark(box);
    }
    for (const [slot, tiles] of journal.hidden)
      for (const [tile, before] of tiles) {
        const bytes = this.hiddenToWrite(slot, tile);
        for (let i = 0; i < AREA; i++) this.hide(slot, bytes, i, before?.[i] ? 1 : 0);
        this.mark(this.tileBox(tile));
      }
  }
}
