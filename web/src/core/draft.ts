/**
 * A gesture while it is being drawn. It changes the document at once, so that one sees it; `commit` gives the gesture
 * that leads from before to after, `cancel` takes everything back.
 */
import { type Document, sameValue } from "./document.ts";
import { pixelOps, hiddenOps } from "./diff.ts";
import { type Box, cover } from "./geometry.ts";
import { type Gesture, GestureError, type Head, type HeadField, type Op, type Value, newGesture } from "./gesture.ts";
import { type Treatment, addHidden, erase, eraseHidden, giveWhere, paint, settle, unsettled } from "./painting.ts";
import type { Journal } from "./partition.ts";
import { type Region, intersect } from "./region.ts";

/** How drawing treats what is there; see `Treatment`. */
export interface Manner {
  readonly mode: Treatment["mode"];
  readonly border: Treatment["border"];
  /** Keys of segments that keep their pixels. */
  readonly locked: ReadonlySet<string>;
  /** Whether a class has instances: only those are tagged truncated and occluded by themselves. */
  readonly isThing: (classId: number) => boolean;
}

export const PLAIN: Manner = { mode: "layered", border: "wins", locked: new Set(), isThing: () => true };

export class Draft {
  readonly document: Document;
  readonly kind: string;
  readonly #manner: Manner;
  readonly #journal: Journal = { owners: new Map(), hidden: new Map() };
  readonly #ops: Op[] = [];
  readonly #doomed = new Set<string>();
  readonly #hadPixels: ReadonlySet<string>;
  readonly #atBorder: ReadonlySet<string>;
  readonly #hidden: ReadonlySet<string>;
  #open = true;

  /** Opens a gesture. Throws `GestureError` while another one is open. */
  constructor(document: Document, kind: string, manner: Manner = PLAIN) {
    if (document.pixels.journal) throw new GestureError(-1, "finish or cancel what you are drawing first");
    this.document = document;
    this.kind = kind;
    this.#manner = manner;
    this.#hadPixels = this.#keysWhere((key) => document.area(key) + document.hiddenArea(key) > 0);
    this.#hidden = this.#keysWhere((key) => document.hiddenArea(key) > 0);
    this.#atBorder = this.#keysAtBorder();
    document.pixels.journal = this.#journal;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** A new, empty segment just in front of `above` (null: at the very back). */
  create(head: Head, above: string | null = this.document.frontKey): string {
    this.document.insert(head, above);
    this.#ops.push({ op: "create", segment: head, above });
    return head.key;
  }

  /** Adds a region to a segment, as the manner of drawing says. */
  paint(key: string, region: Region, over: Partial<Pick<Treatment, "mode" | "border">> = {}): void {
    this.#mustBeOpen(key);
    paint(this.document.pixels, this.#slot(key), region, { ...this.#treatment(), ...over });
    this.#show();
  }

  /** Takes a region from a segment (null: from whoever is seen there); what ran underneath comes to light. */
  erase(key: string | null, region: Region, { hidden = false } = {}): void {
    const locked = this.#treatment().locked;
    erase(this.document.pixels, key === null ? 0 : this.#slot(key), region, locked);
    if (hidden && key !== null && !locked.has(this.#slot(key))) eraseHidden(this.document.pixels, this.#slot(key), region);
    this.#show();
  }

  /** Lets a segment run on underneath those in front of it. */
  addHidden(key: string, region: Region): void {
    addHidden(this.document.pixels, this.#slot(key), region);
    this.#show();
  }

  /** Takes part of what a segment has hidden. */
  eraseHidden(key: string, region: Region): void {
    eraseHidden(this.document.pixels, this.#slot(key), region);
    this.#show();
  }

  /** Gives the part of `from` inside `region`, seen and hidden, to `to`. */
  transfer(from: string, to: string, region: Region): void {
    this.#mustBeOpen(from);
    this.#mustBeOpen(to);
    const { pixels } = this.document;
    const [source, target] = [this.#slot(from), this.#slot(to)];
    const hidden = intersect(pixels.hidden(source, region.box), region);
    const seen = intersect(pixels.visible(source, region.box), region);
    eraseHidden(pixels, source, hidden);
    const take = { mode: "flat", border: "wins", locked: new Set<number>() } as const;
    paint(pixels, target, seen, take);
    if (this.#manner.mode === "layered") paint(pixels, target, hidden, this.#treatment());
    else addHidden(pixels, target, hidden);
    this.#show();
  }

  /** Erases a segment; it leaves the stack when the gesture is committed. */
  delete(key: string): void {
    const { pixels } = this.document;
    const slot = this.#slot(key);
    this.#mustBeOpen(key);
    eraseHidden(pixels, slot, pixels.hidden(slot));
    erase(pixels, slot, pixels.visible(slot), new Set());
    this.#doomed.add(key);
    this.#show();
  }

  /** Changes one field of a segment (key null: the tags of the image). */
  set(key: string | null, field: HeadField | "image_tags", after: Value): void {
    const { document } = this;
    const before = key === null || field === "image_tags" ? document.imageTags : document.get(key)[field];
    if (sameValue(before, after)) return;
    if (key === null || field === "image_tags") document.imageTags = after as readonly string[];
    else document.set(key, field, after);
    this.#ops.push({ op: "set", key, field, before, after });
  }

  /** Puts a segment just in front of `above` (null: at the very back); who is seen follows the new order. */
  reorder(key: string, above: string | null): void {
    const { document } = this;
    const { pixels } = document;
    if (document.behind(key) === above || key === above) return;
    this.place(key, above);
    const slot = this.#slot(key);
    const box = cover(pixels.box(slot), pixels.hiddenBox(slot));
    if (!box) return;
    const { locked } = this.#treatment();
    const stuck = locked.size ? [...unsettled(pixels, box)].find((other) => locked.has(other)) : undefined;
    if (stuck !== undefined) throw new GestureError(-1, `a locked segment would gain or lose pixels: unlock it first`);
    settle(pixels, box);
    this.#show();
  }

  /** Puts a segment elsewhere in the stack and leaves pixels as they are. */
  place(key: string, above: string | null): void {
    const before = this.document.behind(key);
    if (before === above || key === above) return;
    this.document.place(key, above);
    this.#ops.push({ op: "order", key, before, after: above });
  }

  /** Deletes a segment when the gesture is committed, if it has no pixel then. */
  doom(key: string): void {
    this.#doomed.add(key);
  }

  /**
   * Gives to `after` those pixels of a region that belong to `before`, to `after` or to nobody; the others stay, and
   * come back by their owner.
   */
  giveWhere(before: string | null, after: string | null, region: Region): Map<string, Region> {
    const [from, to] = [before, after].map((key) => (key !== null && this.document.has(key) ? this.#slot(key) : 0));
    const kept = giveWhere(this.document.pixels, from, to, region);
    this.settle(region.box);
    return new Map([...kept].map(([slot, part]) => [this.document.bySlot(slot)!.key, part]));
  }

  /** Makes owners follow the stack again inside a box. */
  settle(box: Box): void {
    settle(this.document.pixels, box);
    this.#show();
  }

  /** The gesture from before to now; null when nothing changed. Segments without a pixel left are deleted. */
  commit(seconds = 0, undoes: string | null = null): Gesture | null {
    const { document } = this;
    const keyOf = (slot: number): string | null => document.bySlot(slot)?.key ?? null;
    this.#tagByItself();
    const changes = [...pixelOps(document.pixels, this.#journal, keyOf), ...hiddenOps(document.pixels, this.#journal, keyOf)];
    const ops = [...this.#ops, ...changes, ...this.#bury()];
    this.#close();
    const heads = ops.some((op) => op.op !== "pixels" && op.op !== "hidden");
    document.announce(heads, true);
    return isIdle(ops) ? null : newGesture(this.kind, ops, seconds, undoes);
  }

  /** Takes everything back. */
  cancel(): void {
    const { document } = this;
    document.pixels.rollBack();
    for (const op of this.#ops.toReversed()) {
      if (op.op === "create") document.remove(op.segment.key);
      else if (op.op === "order") document.place(op.key, op.before);
      else if (op.op === "set" && op.key !== null && op.field !== "image_tags") document.set(op.key, op.field, op.before);
      else if (op.op === "set") document.imageTags = op.before as readonly string[];
    }
    this.#close();
    document.announce(this.#ops.length > 0, true);
  }

  #close(): void {
    this.#open = false;
    this.document.pixels.journal = null;
  }

  #slot(key: string): number {
    if (!this.#open) throw new GestureError(-1, "this gesture has ended");
    return this.document.get(key).slot;
  }

  #mustBeOpen(key: string): void {
    if (this.#manner.locked.has(key)) throw new GestureError(-1, "the segment is locked: unlock it first");
  }

  #show(): void {
    this.document.announce(false, false);
  }

  #treatment(): Treatment {
    const locked = new Set<number>();
    for (const key of this.#manner.locked) if (this.document.has(key)) locked.add(this.document.get(key).slot);
    return { mode: this.#manner.mode, border: this.#manner.border, locked };
  }

  #keysWhere(holds: (key: string) => boolean): Set<string> {
    return new Set(this.document.segments.map(({ key }) => key).filter(holds));
  }

  #keysAtBorder(): Set<string> {
    const { width, height, idMap } = this.document;
    const slots = new Set<number>();
    for (let x = 0; x < width; x++) slots.add(idMap[x]).add(idMap[(height - 1) * width + x]);
    for (let y = 0; y < height; y++) slots.add(idMap[y * width]).add(idMap[y * width + width - 1]);
    return this.#keysWhere((key) => slots.has(this.document.get(key).slot));
  }

  /** Tags that follow from pixels: set where the fact has changed, so that a hand may overrule them. */
  #tagByItself(): void {
    const facts = [
      ["truncated", this.#atBorder, this.#keysAtBorder()],
      ["occluded", this.#hidden, this.#keysWhere((key) => this.document.hiddenArea(key) > 0)],
    ] as const;
    for (const { key, class_id, tags } of this.document.segments) {
      const changed = facts.filter(([, before, now]) => before.has(key) !== now.has(key));
      if (!changed.length || !this.#manner.isThing(class_id)) continue;
      const next = new Set(tags);
      for (const [tag, , now] of changed) now.has(key) ? next.add(tag) : next.delete(tag);
      this.set(key, "tags", [...next].sort());
    }
  }

  /** Deletes segments that lost their last pixel, front to back. */
  #bury(): Op[] {
    const { document } = this;
    const created = new Set(this.#ops.flatMap((op) => (op.op === "create" ? [op.segment.key] : [])));
    const gone = [...document.segments].reverse().filter(({ key }) => {
      const empty = document.area(key) + document.hiddenArea(key) === 0;
      return empty && (this.#hadPixels.has(key) || this.#doomed.has(key) || created.has(key));
    });
    return gone.map(({ slot: _slot, ...segment }) => {
      const above = document.behind(segment.key);
      document.remove(segment.key);
      return { op: "delete", segment, above };
    });
  }
}

/** Whether ops only create segments and delete them again. */
function isIdle(ops: readonly Op[]): boolean {
  const made = new Set(ops.flatMap((op) => (op.op === "create" ? [op.segment.key] : [])));
  return ops.every(
    (op) =>
      op.op === "create"
        ? ops.some((other) => other.op === "delete" && other.segment.key === op.segment.key)
        : op.op === "delete" ? made.has(op.segment.key) : op.op === "set" && made.has(op.key ?? ""),
  );
}
