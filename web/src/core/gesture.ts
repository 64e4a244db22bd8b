/** What a document and a gesture look like on the wire, and how a gesture is undone. */
import type { Box } from "./geometry.ts";

/** Pixels inside a half-open box, as COCO's compressed run lengths of the crop (column-major). */
export interface Mask {
  readonly box: Box;
  readonly runs: string;
}

/** All of a segment but its pixels. */
export interface Head {
  readonly key: string;
  readonly class_id: number;
  readonly instance_id: number;
  readonly crowd: boolean;
  readonly tags: readonly string[];
  readonly score: number | null;
  readonly source: string;
  readonly state: "final" | "proposed";
}

export interface SegmentJson extends Head {
  readonly visible: Mask | null;
  readonly hidden: Mask | null;
}

/** One image: its segments from back to front. */
export interface DocumentJson {
  readonly image_id: number;
  readonly revision: number;
  readonly size: readonly [width: number, height: number];
  readonly image_tags: readonly string[];
  readonly segments: readonly SegmentJson[];
}

export type HeadField = Exclude<keyof Head, "key">;
export type Value = string | number | boolean | null | readonly string[];

export type Op =
  | { readonly op: "pixels"; readonly before: string | null; readonly after: string | null; readonly mask: Mask }
  | { readonly op: "hidden"; readonly key: string; readonly add: Mask | null; readonly remove: Mask | null }
  | { readonly op: "create"; readonly segment: Head; readonly above: string | null }
  | { readonly op: "delete"; readonly segment: Head; readonly above: string | null }
  | {
      readonly op: "set";
      readonly key: string | null;
      readonly field: HeadField | "image_tags";
      readonly before: Value;
      readonly after: Value;
    }
  | { readonly op: "order"; readonly key: string; readonly before: string | null; readonly after: string | null };

/** One thing a person did: the only way in which a document changes. */
export interface Gesture {
  readonly id: string;
  readonly kind: string;
  readonly ops: readonly Op[];
  readonly seconds: number;
  readonly undoes: string | null;
  readonly at: string;
}

/** A gesture that cannot be applied: which op, and why. */
export class GestureError extends Error {
  readonly op: number;
  constructor(op: number, words: string) {
    super(words);
    this.name = "GestureError";
    this.op = op;
  }
}

export function inverseOp(op: Op): Op {
  switch (op.op) {
    case "pixels":
    case "set":
    case "order":
      return { ...op, before: op.after, after: op.before } as Op;
    case "hidden":
      return { ...op, add: op.remove, remove: op.add };
    case "create":
      return { ...op, op: "delete" };
    case "delete":
      return { ...op, op: "create" };
  }
}

/** The ops that take a document back to where it was before `ops`. */
export const inverseOps = (ops: readonly Op[]): Op[] => ops.map(inverseOp).reverse();

/** A new gesture that undoes `gesture`: an undo, or the redo of an undo. */
export function inverse(gesture: Gesture, kind: "undo" | "redo" = "undo"): Gesture {
  return newGesture(kind, inverseOps(gesture.ops), 0, gesture.id);
}

/** A gesture of now with an id of its own. */
export function newGesture(kind: string, ops: readonly Op[], seconds = 0, undoes: string | null = null): Gesture {
  return { id: crypto.randomUUID(), kind, ops, seconds, undoes, at: new Date().toISOString() };
}

/** A key for a new segment. */
export const newKey = (): string => crypto.randomUUID();
