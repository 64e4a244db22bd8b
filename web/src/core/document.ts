/** One image's segments: a partition of its pixels, what runs on underneath, and a head for each segment. */
import type { Box } from "./geometry.ts";
import {
  type DocumentJson, GestureError, type Head, type HeadField, type Mask, type Op, type SegmentJson, type Value,
} from "./gesture.ts";
import { eachSpan, toMask, toRegion } from "./masks.ts";
import { Partition, TILE } from "./partition.ts";
import { type Region, eachBit } from "./region.ts";

/** A segment as listeners see it: its head and the slot by which the id map names it. Never changed in place. */
export interface Segment extends Head {
  readonly slot: number;
}

/** What happened to a document. */
export interface Change {
  /** Where pixels changed, null where none did. */
  readonly dirty: Box | null;
  /** Whether heads, order or number of segments changed. */
  readonly heads: boolean;
  /** Whether a gesture has ended (false while one is being drawn). */
  readonly settled: boolean;
}

export type Listener = (change: Change) => void;

export const MAX_SEGMENTS = 20_000; // as on the server; 65 535 slots would fit

export class Document {
  readonly imageId: number;
  readonly pixels: Partition;
  revision: number;
  imageTags: readonly string[];
  #order: Segment[] = [];
  #byKey = new Map<string, Segment>();
  #bySlot: (Segment | null)[] = [null];
  #listeners = new Set<Listener>();

  constructor(imageId: number, size: readonly [width: number, height: number], revision = 0) {
    this.imageId = imageId;
    this.pixels = new Partition(size[0], size[1]);
    this.revision = revision;
    this.imageTags = [];
  }

  /** The document of a server's answer. Throws `GestureError` where its masks overlap or leave the image. */
  static load(json: DocumentJson): Document {
    const document = new Document(json.image_id, json.size, json.revision);
    document.imageTags = json.image_tags;
    const order = json.segments.map(({ visible: _visible, hidden: _hidden, ...head }, i) => ({ ...head, slot: i + 1 }));
    if (order.length > MAX_SEGMENTS) throw new GestureError(-1, `an image holds at most ${MAX_SEGMENTS} segments`);
    for (const { slot } of order) document.pixels.open(slot);
    document.#setOrder(order);
    for (const segment of json.segments) {
      if (segment.visible) document.#own(document.get(segment.key).slot, segment.visible);
      if (segment.hidden) document.#lay(document.get(segment.key).slot, segment.hidden);
    }
    document.pixels.takeDirty();
    return document;
  }

  get width(): number {
    return this.pixels.width;
  }

  get height(): number {
    return this.pixels.height;
  }

  /** Slot of the owner of each pixel, row-major; 0 where there is none. */
  get idMap(): Uint16Array {
    return this.pixels.idMap;
  }

  /** Segments from back to front. A new array after each change of heads. */
  get segments(): readonly Segment[] {
    return this.#order;
  }

  /** Key of the front segment; null when there is none. */
  get frontKey(): string | null {
    return this.#order.at(-1)?.key ?? null;
  }

  /** Pixels that nobody owns. */
  get unlabelled(): number {
    return this.pixels.areas[0];
  }

  /** Share of pixels that have an owner, 0 .. 1. */
  get coverage(): number {
    return 1 - this.unlabelled / (this.width * this.height || 1);
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  get(key: string): Segment {
    const segment = this.#byKey.get(key);
    if (!segment) throw new GestureError(-1, `there is no segment ${key}`);
    return segment;
  }

  bySlot(slot: number): Segment | null {
    return this.#bySlot[slot] ?? null;
  }

  /** The segment one sees at a pixel. */
  at(x: number, y: number): Segment | null {
    return this.bySlot(this.pixels.ownerAt(Math.floor(x), Math.floor(y)));
  }

  /** All segments at a pixel, front to back: the one that is seen and those that run underneath. */
  under(x: number, y: number): Segment[] {
    const [px, py] = [Math.floor(x), Math.floor(y)];
    const owner = this.at(px, py);
    const below = this.#order.filter((segment) => this.pixels.isHiddenAt(segment.slot, px, py)).reverse();
    return owner ? [owner, ...below] : below;
  }

  /** Key of the segment just behind `key`; null when it is the last one. */
  behind(key: string): string | null {
    const at = this.#order.indexOf(this.get(key));
    return at > 0 ? this.#order[at - 1].key : null;
  }

  area(key: string): number {
    return this.pixels.areas[this.get(key).slot];
  }

  hiddenArea(key: string): number {
    return this.pixels.hiddenAreas[this.get(key).slot];
  }

  /** The smallest box of what one sees of a segment; null when nothing. */
  box(key: string): Box | null {
    return this.pixels.box(this.get(key).slot);
  }

  visible(key: string): Region {
    return this.pixels.visible(this.get(key).slot);
  }

  hidden(key: string): Region {
    return this.pixels.hidden(this.get(key).slot);
  }

  toJson(): DocumentJson {
    const segments = this.#order.map(({ slot: _slot, ...head }): SegmentJson => ({
      ...head,
      visible: toMask(this.visible(head.key)),
      hidden: toMask(this.hidden(head.key)),
    }));
    return {
      image_id: this.imageId,
      revision: this.revision,
      size: [this.width, this.height],
      image_tags: this.imageTags,
      segments,
    };
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells listeners; `dirty` is what changed in the pixels since the last call. */
  announce(heads: boolean, settled: boolean): Box | null {
    const dirty = this.pixels.takeDirty();
    for (const listener of this.#listeners) listener({ dirty, heads, settled });
    return dirty;
  }

  /**
   * Applies a gesture and gives the box of pixels that changed.
   * Throws `GestureError` naming the op that does not fit; then nothing has changed.
   */
  apply(gesture: { readonly ops: readonly Op[] }): Box | null {
    if (this.pixels.journal) throw new GestureError(-1, "finish or cancel what you are drawing first");
    const [order, tags] = [this.#order, this.imageTags];
    this.pixels.journal = { owners: new Map(), hidden: new Map() };
    let at = 0;
    try {
      for (const op of gesture.ops) {
        this.#apply(op);
        at++;
      }
    } catch (error) {
      this.pixels.rollBack();
      this.#restore(order, tags);
      throw new GestureError(at, error instanceof Error ? error.message : String(error));
    }
    this.pixels.journal = null;
    return this.announce(gesture.ops.some((op) => op.op !== "pixels" && op.op !== "hidden"), true);
  }

  /** Puts a new, empty segment just in front of `above` (null: at the very back). */
  insert(head: Head, above: string | null): Segment {
    if (this.#byKey.has(head.key)) throw new GestureError(-1, `segment ${head.key} is there already`);
    const place = above === null ? 0 : this.#order.indexOf(this.get(above)) + 1;
    let slot = this.#bySlot.indexOf(null, 1);
    if (slot < 0) slot = this.#bySlot.length;
    if (slot > MAX_SEGMENTS) throw new GestureError(-1, `an image holds at most ${MAX_SEGMENTS} segments`);
    const segment: Segment = { ...head, slot };
    this.pixels.open(slot);
    this.#setOrder(this.#order.toSpliced(place, 0, segment));
    return segment;
  }

  /** Takes an empty segment away. */
  remove(key: string): void {
    const segment = this.get(key);
    const left = this.area(key) + this.hiddenArea(key);
    if (left) throw new GestureError(-1, `segment ${key} still has ${left} pixels: erase them first`);
    this.#setOrder(this.#order.filter((other) => other !== segment));
  }

  /** Changes one field of a segment. */
  set(key: string, field: HeadField, value: Value): void {
    const segment = this.get(key);
    const next = { ...segment, [field]: value };
    this.#setOrder(this.#order.map((other) => (other === segment ? next : other)));
  }

  /** Puts a segment just in front of `above` (null: at the very back), its pixels as they are. */
  place(key: string, above: string | null): void {
    const segment = this.get(key);
    const rest = this.#order.filter((other) => other !== segment);
    const place = above === null ? 0 : rest.indexOf(this.get(above)) + 1;
    if (above === key) throw new GestureError(-1, `segment ${key} cannot lie in front of itself`);
    this.#setOrder(rest.toSpliced(place, 0, segment));
  }

  /** What breaks the laws of a document: none, unless a gesture was wrong. */
  problems(): string[] {
    const found: string[] = [];
    for (const { key, slot } of this.#order) {
      const { box, bits } = this.hidden(key);
      bits.forEach((bit, i) => {
        if (!bit) return;
        const [x, y] = [box[0] + (i % (box[2] - box[0])), box[1] + Math.floor(i / (box[2] - box[0]))];
        const owner = this.pixels.ownerAt(x, y);
        if (owner === slot) found.push(`${key} is hidden under itself at ${x}, ${y}`);
        else if (this.pixels.rank[owner] < this.pixels.rank[slot]) found.push(`nobody hides ${key} at ${x}, ${y}`);
      });
    }
    return found;
  }

  #setOrder(order: Segment[]): void {
    this.#order = order;
    this.#byKey = new Map(order.map((segment) => [segment.key, segment]));
    this.#bySlot = Array(this.pixels.rank.length).fill(null);
    this.pixels.rank.fill(-1);
    order.forEach((segment, i) => {
      this.#bySlot[segment.slot] = segment;
      this.pixels.rank[segment.slot] = i;
    });
  }

  /** Heads and order as they were: for a gesture that broke off. */
  #restore(order: Segment[], tags: readonly string[]): void {
    this.#setOrder(order);
    this.imageTags = tags;
    this.pixels.takeDirty();
  }

  /** Gives the pixels of a mask to a slot, when the document is loaded. */
  #own(slot: number, mask: Mask): void {
    const { pixels } = this;
    this.#mustLieInside(mask.box);
    const { idMap, width } = pixels;
    let seen = 0;
    eachSpan(mask, (x, y0, y1) => {
      for (let i = y0 * width + x, end = y1 * width; i < end; i += width) {
        if (idMap[i]) throw new GestureError(-1, `pixel ${x}, ${Math.floor(i / width)} has two owners`);
        idMap[i] = slot;
      }
      seen += y1 - y0;
    });
    pixels.areas[slot] += seen;
    pixels.areas[0] -= seen;
    pixels.mark(mask.box, slot);
  }

  /** Lays a mask underneath, when the document is loaded. */
  #lay(slot: number, mask: Mask): void {
    const { pixels } = this;
    this.#mustLieInside(mask.box);
    eachSpan(mask, (x, y0, y1) => {
      for (let y = y0; y < y1; ) {
        const end = Math.min(y1, (Math.floor(y / TILE) + 1) * TILE);
        const bytes = pixels.hiddenToWrite(slot, Math.floor(y / TILE) * pixels.across + Math.floor(x / TILE));
        pixels.hiddenAreas[slot] += end - y;
        for (; y < end; y++) bytes[(y % TILE) * TILE + (x % TILE)] = 1;
      }
    });
  }

  #mustLieInside(box: Box): void {
    const [x0, y0, x1, y1] = box;
    if (!(x0 >= 0 && y0 >= 0 && x0 <= x1 && y0 <= y1 && x1 <= this.width && y1 <= this.height))
      throw new GestureError(-1, `box ${box.join(", ")} leaves the image of ${this.width} x ${this.height} pixels`);
  }

  #apply(op: Op): void {
    switch (op.op) {
      case "pixels":
        return this.#move(op.mask, op.before, op.after);
      case "hidden":
        if (op.remove) this.#hide(op.key, toRegion(op.remove), 0);
        if (op.add) this.#hide(op.key, toRegion(op.add), 1);
        return;
      case "create":
        this.insert(op.segment, op.above);
        return;
      case "delete":
        if (this.behind(op.segment.key) !== op.above) throw new GestureError(-1, `${op.segment.key} lies elsewhere in the stack`);
        return this.remove(op.segment.key);
      case "set":
        return this.#change(op);
      case "order":
        if (this.behind(op.key) !== op.before) throw new GestureError(-1, `${op.key} lies elsewhere in the stack`);
        return this.place(op.key, op.after);
    }
  }

  #change({ key, field, before, after }: Extract<Op, { op: "set" }>): void {
    const now = key === null || field === "image_tags" ? this.imageTags : this.get(key)[field];
    if (!sameValue(now, before))
      throw new GestureError(-1, `${field} of ${key ?? "the image"} is ${JSON.stringify(now)}, not ${JSON.stringify(before)}`);
    if (key === null || field === "image_tags") this.imageTags = after as readonly string[];
    else this.set(key, field, after);
  }

  #move(mask: Mask, before: string | null, after: string | null): void {
    const [from, to] = [before, after].map((key) => (key === null ? 0 : this.get(key).slot));
    const { pixels } = this;
    this.#mustLieInside(mask.box);
    const region = toRegion(mask);
    for (const { tile, box } of pixels.windows(mask.box)) {
      pixels.keepOwners(tile);
      eachBit(region, box, (x, y) => {
        const i = y * pixels.width + x;
        if (pixels.idMap[i] !== from)
          throw new GestureError(-1, `pixel ${x}, ${y} belongs to ${this.at(x, y)?.key ?? "nobody"}, not to ${before ?? "nobody"}`);
        pixels.give(i, to);
      });
    }
    pixels.mark(mask.box, to);
  }

  #hide(key: string, region: Region, value: 0 | 1): void {
    const { slot } = this.get(key);
    this.#mustLieInside(region.box);
    for (const { tile, box } of this.pixels.windows(region.box)) {
      let bytes: Uint8Array | undefined;
      eachBit(region, box, (x, y) => {
        bytes ??= this.pixels.hiddenToWrite(slot, tile);
        const i = (y % TILE) * TILE + (x % TILE);
        if (bytes[i] === value) throw new GestureError(-1, `${key} is ${value ? "already" : "not"} hidden at ${x}, ${y}`);
        this.pixels.hide(slot, bytes, i, value);
      });
    }
    this.pixels.mark(region.box);
  }
}

/** Whether two values of a field are the same. */
export const sameValue = (a: Value, b: Value): boolean => JSON.stringify(a) === JSON.stringify(b);
