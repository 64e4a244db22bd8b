/** Changes that panels and keys make to segments: each is one gesture. */
import type { Draft } from "../core/draft.ts";
import type { Editor } from "../core/editor.ts";
import { type HeadField, newKey, type Value } from "../core/gesture.ts";
import { parts } from "../core/parts.ts";
import { shift } from "../core/region.ts";
import { mergeSegments } from "../tools/merge.ts";
import { t } from "../texts.ts";

const COPY_SHIFT = 12; // image pixels by which a copy is set off

/** Selected segments that may be changed. */
const chosen = (editor: Editor): string[] => editor.selection.filter((key) => editor.document.has(key));

export function removeSelected(editor: Editor): void {
  const keys = chosen(editor);
  if (keys.length) editor.do("delete", (draft) => keys.forEach((key) => draft.delete(key)));
}

export function setField(editor: Editor, kind: string, field: HeadField, value: Value): void {
  editor.do(kind, (draft) => chosen(editor).forEach((key) => draft.set(key, field, value)));
}

/** Adds or takes a tag of the selected segments; of the image where `image` holds. */
export function setTag(editor: Editor, tag: string, on: boolean, image = false): void {
  const next = (tags: readonly string[]): string[] => {
    const rest = tags.filter((other) => other !== tag);
    return on ? [...rest, tag].sort() : rest;
  };
  editor.do("tags", (draft) => {
    if (image) draft.set(null, "image_tags", next(editor.document.imageTags));
    else for (const key of chosen(editor)) draft.set(key, "tags", next(editor.document.get(key).tags));
  });
}

export function mergeSelected(editor: Editor): void {
  if (editor.selection.length > 1) mergeSegments(editor, editor.selection);
  else editor.say(t.toolHints.merge);
}

/** Makes a segment of each connected part of the selected one. */
export function splitParts(editor: Editor): void {
  const { selected, document } = editor;
  if (!selected) return;
  const [, ...others] = parts(document.visible(selected.key));
  if (!others.length) return;
  editor.do("split", (draft) => {
    const keys = others.map((part) => {
      const { instance_id } = editor.newHead(selected.class_id);
      const { slot: _slot, ...head } = document.get(selected.key);
      const key = draft.create({ ...head, key: newKey(), instance_id, tags: [...head.tags] }, selected.key);
      draft.transfer(selected.key, key, part);
      return key;
    });
    editor.select([selected.key, ...keys]);
  });
}

/** A copy of the selected segment, set off a little, where it may lie. */
export function duplicate(editor: Editor): void {
  const { selected, document } = editor;
  if (!selected) return;
  const region = shift(document.visible(selected.key), [COPY_SHIFT, COPY_SHIFT]);
  editor.do("paste", (draft) => {
    const { class_id } = selected;
    const key = draft.create({ ...editor.newHead(class_id) });
    draft.paint(key, region);
    editor.select([key]);
  });
}

/** Moves the selected segment in the stack. */
export function reorder(editor: Editor, where: "forward" | "backward" | "front" | "back"): void {
  const { selected, document } = editor;
  if (!selected) return;
  const rest = document.segments.filter(({ key }) => key !== selected.key).map(({ key }) => key);
  const place = document.segments.findIndex(({ key }) => key === selected.key);
  const to = { forward: place + 1, backward: place - 1, front: rest.length, back: 0 }[where];
  moveTo(editor, selected.key, Math.max(0, Math.min(rest.length, to)), rest);
}

/** Puts a segment at a place of the stack without it, counted from the back. */
export function moveTo(editor: Editor, key: string, place: number, rest: readonly string[]): void {
  editor.do("order", (draft) => draft.reorder(key, place > 0 ? rest[place - 1] : null));
}

/** Selects all that is shown and not locked. */
export function selectAll(editor: Editor): void {
  const keys = editor.document.segments.map(({ key }) => key);
  editor.select(keys.filter((key) => editor.isShown(key) && !editor.isLocked(key)));
}

/** Proposed segments, the surest first. */
export function proposals(editor: Editor): string[] {
  return editor.document.segments
    .filter(({ state }) => state === "proposed")
    .toSorted((a, b) => (b.score ?? 0) - (a.score ?? 0))
    .map(({ key }) => key);
}

export function judge(editor: Editor, keys: readonly string[], accept: boolean): void {
  const judged = (draft: Draft): void =>
    keys.forEach((key) => (accept ? draft.set(key, "state", "final") : draft.delete(key)));
  if (keys.length) editor.do(accept ? "accept" : "reject", judged);
}

/** Judges the selected proposal and shows the next one. */
export function judgeSelected(editor: Editor, accept: boolean): void {
  const waiting = proposals(editor);
  const keys = waiting.filter((key) => editor.selection.includes(key));
  if (!keys.length) return;
  const next = waiting.slice(waiting.indexOf(keys[0])).find((key) => !keys.includes(key)) ?? waiting.find((key) => !keys.includes(key));
  judge(editor, keys, accept);
  if (next) reveal(editor, next);
}

const CLOSE = 6; // screen pixels for an image pixel: closer than this one loses one's way

/** Brings a box into sight with its surroundings. */
export function bring(editor: Editor, box: readonly [number, number, number, number]): void {
  const { viewport } = editor;
  viewport.show([Math.floor(box[0]), Math.floor(box[1]), Math.ceil(box[2]), Math.ceil(box[3])], 1);
  if (viewport.scale < viewport.fitScale) viewport.fit();
  if (viewport.scale > CLOSE) viewport.zoomTo(Math.max(CLOSE, viewport.fitScale));
}

/** Selects a segment and brings it into sight, if it is not. */
export function reveal(editor: Editor, key: string): void {
  if (!editor.document.has(key)) return;
  editor.select([key]);
  const box = editor.document.box(key);
  if (!box) return;
  const [x0, y0, x1, y1] = editor.viewport.seen;
  const inside = box[0] >= x0 && box[1] >= y0 && box[2] <= x1 && box[3] <= y1;
  const small = (box[2] - box[0]) * editor.viewport.scale < 24 && (box[3] - box[1]) * editor.viewport.scale < 24;
  if (!inside || small) bring(editor, box);
}

const flip = (set: ReadonlySet<string>, keys: readonly string[]): Set<string> => {
  const next = new Set(set);
  const on = keys.some((key) => !next.has(key));
  for (const key of keys) if (on) next.add(key); else next.delete(key);
  return next;
};

export const toggleLock = (editor: Editor, keys = editor.selection): void => editor.look({ locked: flip(editor.view.locked, keys) });
export const toggleShown = (editor: Editor, keys = editor.selection): void => editor.look({ concealed: flip(editor.view.concealed, keys) });
export const toggleSolo = (editor: Editor, keys = editor.selection): void => editor.look({ solo: flip(editor.view.solo, keys) });

/** Selects the segment before or after the selected one, front to back. */
export function step(editor: Editor, by: 1 | -1): void {
  const keys = editor.document.segments.map(({ key }) => key).reverse();
  if (!keys.length) return;
  const at = keys.indexOf(editor.selection[0]);
  reveal(editor, keys[(at + by + keys.length + (at < 0 && by < 0 ? 1 : 0)) % keys.length]);
}
