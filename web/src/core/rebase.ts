/**
 * Gestures of two people on one image. What touches different pixels and fields simply follows; where both changed
 * the same, the other's choice stays and the difference is listed, so that nobody loses anything unseen.
 */
import type { Document } from "./document.ts";
import { sameValue } from "./document.ts";
import { Draft, PLAIN } from "./draft.ts";
import { type Gesture, type Head, type Op, inverseOps } from "./gesture.ts";
import { toRegion } from "./masks.ts";
import type { Region } from "./region.ts";

/** Something that both changed. `mine` is what was wanted here, `theirs` what stands now. */
export type Conflict =
  | { readonly kind: "pixels"; readonly mine: string | null; readonly theirs: string | null; readonly region: Region }
  | { readonly kind: "field"; readonly key: string | null; readonly field: string; readonly mine: unknown; readonly theirs: unknown }
  | { readonly kind: "segment"; readonly key: string; readonly words: string };

export interface Rebased {
  /** Gestures that fit the document as it is now, under their old ids; those with nothing left to do are missing. */
  readonly gestures: readonly Gesture[];
  readonly conflicts: readonly Conflict[];
}

/** Applies as much of a gesture as fits, as a gesture under the same id; null when nothing is left of it. */
export function rebase(document: Document, gesture: Gesture): { gesture: Gesture | null; conflicts: Conflict[] } {
  const draft = new Draft(document, gesture.kind, { ...PLAIN, isThing: () => false });
  const conflicts: Conflict[] = [];
  for (const op of gesture.ops) conflicts.push(...follow(draft, op));
  for (const op of gesture.ops) {
    if (op.op === "pixels") draft.settle(op.mask.box);
    else if (op.op === "hidden") for (const mask of [op.add, op.remove]) if (mask) draft.settle(mask.box);
    if (op.op === "order" && document.has(op.key)) draft.settle([0, 0, document.width, document.height]);
  }
  const done = draft.commit(gesture.seconds, gesture.undoes);
  for (const op of gesture.ops)
    if (op.op === "delete" && document.has(op.segment.key))
      conflicts.push({ kind: "segment", key: op.segment.key, words: "was deleted here and has pixels of somebody else" });
  return { gesture: done && { ...done, id: gesture.id, at: gesture.at }, conflicts };
}

/**
 * Takes `mine`, the last gestures of the document, back; applies `theirs`; then does mine again on top, but for those
 * that are among theirs: they were saved, only the answer was lost.
 */
export function merge(document: Document, mine: readonly Gesture[], theirs: readonly Gesture[]): Rebased {
  for (const gesture of mine.toReversed()) document.apply({ ops: inverseOps(gesture.ops) });
  for (const gesture of theirs) document.apply(gesture);
  const saved = new Set(theirs.map(({ id }) => id));
  const done = mine.filter(({ id }) => !saved.has(id)).map((gesture) => rebase(document, gesture));
  return {
    gestures: done.flatMap(({ gesture }) => (gesture ? [gesture] : [])),
    conflicts: done.flatMap(({ conflicts }) => conflicts),
  };
}

function follow(draft: Draft, op: Op): Conflict[] {
  const { document } = draft;
  switch (op.op) {
    case "create":
      if (!document.has(op.segment.key))
        draft.create(withOwnInstance(document, op.segment), op.above === null || document.has(op.above) ? op.above : document.frontKey);
      return [];
    case "delete":
      if (document.has(op.segment.key)) draft.doom(op.segment.key);
      return [];
    case "order":
      if (!document.has(op.key) || (op.after !== null && !document.has(op.after)))
        return [{ kind: "segment", key: op.key, words: "cannot be moved: it or what lay behind it is gone" }];
      draft.place(op.key, op.after);
      return [];
    case "set":
      return followSet(draft, op);
    case "hidden":
      if (!document.has(op.key)) return [];
      if (op.remove) draft.eraseHidden(op.key, toRegion(op.remove));
      if (op.add) draft.addHidden(op.key, toRegion(op.add));
      return [];
    case "pixels":
      return followPixels(draft, op);
  }
}

/** A new segment with an instance that no other has: both may have begun the same next one. */
function withOwnInstance({ segments }: Document, head: Head): Head {
  const taken = segments.map(({ instance_id }) => instance_id);
  if (!head.instance_id || !taken.includes(head.instance_id)) return head;
  return { ...head, instance_id: Math.max(...taken) + 1 };
}

function followSet(draft: Draft, { key, field, before, after }: Extract<Op, { op: "set" }>): Conflict[] {
  const { document } = draft;
  if (key !== null && !document.has(key)) return [{ kind: "field", key, field, mine: after, theirs: null }];
  const now = key === null || field === "image_tags" ? document.imageTags : document.get(key)[field];
  if (Array.isArray(now) && Array.isArray(before) && Array.isArray(after)) {
    const kept = now.filter((tag) => after.includes(tag) || !before.includes(tag));
    const added = after.filter((tag) => !before.includes(tag) && !kept.includes(tag));
    draft.set(key, field, [...kept, ...added].sort());
    return [];
  }
  if (!sameValue(now, before)) return sameValue(now, after) ? [] : [{ kind: "field", key, field, mine: after, theirs: now }];
  draft.set(key, field, after);
  return [];
}

function followPixels(draft: Draft, op: Extract<Op, { op: "pixels" }>): Conflict[] {
  const region = toRegion(op.mask);
  if (op.after !== null && !draft.document.has(op.after))
    return [{ kind: "segment", key: op.after, words: "was drawn on here and is gone" }];
  const conflicts = draft.giveWhere(op.before, op.after, region);
  return [...conflicts].map(([theirs, part]) => ({ kind: "pixels", mine: op.after, theirs, region: part }));
}
