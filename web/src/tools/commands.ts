/** What the canvas can do by keyboard. The app adds its own commands (saving, next image, panels) to this table. */
import type { Command } from "../core/commands.ts";
import { type Clip, copy, paste } from "../core/clipboard.ts";
import type { Editor } from "../core/editor.ts";
import { cover } from "../core/geometry.ts";
import { type Gap, nextGap } from "../core/gaps.ts";
import type { View } from "../core/settings.ts";
import { FillTool } from "./fill.ts";
import { mergeSegments } from "./merge.ts";
import { resizeBrush } from "./brush.ts";

type Row = readonly [id: string, title: string, keys: readonly string[], run: (editor: Editor) => void];

const group = (name: string, rows: readonly Row[]): Command[] =>
  rows.map(([id, title, keys, run]) => ({ id, title, group: name, keys, run }));

const tool = (name: string, title: string, key: string): Row => [name, title, [key], (editor) => editor.use(name)];

let clipboard: Clip | null = null; // one for the whole page, so that the next image can be pasted into
const gaps = new WeakMap<Editor, Gap | null>();

export const COMMANDS: readonly Command[] = [
  ...group("Tools", [
    tool("select", "Select", "v"),
    tool("brush", "Brush", "b"),
    tool("erase", "Eraser", "e"),
    tool("polygon", "Polygon", "p"),
    tool("box", "Box", "r"),
    tool("lasso", "Lasso", "l"),
    tool("scissors", "Intelligent scissors", "i"),
    tool("fill", "Fill empty area or colour", "f"),
    tool("superpixel", "Superpixel paint", "s"),
    tool("prompt", "Prompt an engine", "q"),
    tool("split", "Split by a line", "x"),
    tool("merge", "Merge segments", "j"),
    tool("edge", "Move a shared edge", "g"),
    tool("pan", "Pan and zoom", "h"),
  ]),
  ...group("Edit", [
    ["undo", "Undo", ["Ctrl+Z"], (editor) => void editor.undo()],
    ["redo", "Redo", ["Ctrl+Shift+Z", "Ctrl+Y"], (editor) => void editor.redo()],
    ["finish", "Finish what is being drawn", ["Enter"], (editor) => editor.tool.finish?.()],
    ["cancel", "Drop what is being drawn, else select nothing", ["Escape"], drop],
    ["delete", "Delete the selected segments", ["Delete", "Backspace"], remove],
    ["copy", "Copy the selected segments", ["Ctrl+C"], (editor) => void (clipboard = copy(editor))],
    ["paste", "Paste, also into the next image", ["Ctrl+V"], (editor) => void (clipboard && paste(editor, clipboard))],
    ["merge-selected", "Merge the selected segments", ["m"], (editor) => void (editor.selection.length > 1 && mergeSegments(editor, editor.selection))],
    ["accept", "Accept the selected proposals, else all", ["Shift+Enter"], accept],
    ["reject", "Reject the selected proposals", ["Shift+Delete"], remove],
  ]),
  ...group("Selection", [
    ["select-all", "Select all segments", ["Ctrl+A"], (editor) => editor.select(editor.document.segments.map(({ key }) => key))],
    ["next-segment", "Next segment", ["Tab"], (editor) => step(editor, 1)],
    ["previous-segment", "Previous segment", ["Shift+Tab"], (editor) => step(editor, -1)],
    ["show-selected", "Zoom to the selected segments", ["z"], showSelected],
    ["crowd", "Crowd: a group that nobody separated", ["Shift+C"], (editor) => toggleField(editor, "crowd")],
    ["difficult", "Tag: difficult", ["Shift+D"], (editor) => toggleTag(editor, "difficult")],
    ["truncated", "Tag: truncated by the border", ["Shift+T"], (editor) => toggleTag(editor, "truncated")],
    ["occluded", "Tag: occluded by another segment", ["Shift+O"], (editor) => toggleTag(editor, "occluded")],
  ]),
  ...group("Stack", [
    ["raise", "One forward", ["PageUp"], (editor) => move(editor, "up")],
    ["lower", "One backward", ["PageDown"], (editor) => move(editor, "down")],
    ["to-front", "To the front", ["Home"], (editor) => move(editor, "front")],
    ["to-back", "To the back", ["End"], (editor) => move(editor, "back")],
  ]),
  ...group("Drawing", [
    ["smaller", "Smaller brush", ["["], (editor) => resizeBrush(editor, 0.8)],
    ["larger", "Larger brush", ["]"], (editor) => resizeBrush(editor, 1.25)],
    ["mode", "Layered or flat", ["t"], (editor) => editor.change({ mode: editor.settings.mode === "flat" ? "layered" : "flat" })],
    ["border", "New wins or new yields", ["w"], (editor) => editor.change({ border: editor.settings.border === "wins" ? "yields" : "wins" })],
    ["behind", "Draw behind everything", ["d"], (editor) => editor.change({ behind: !editor.settings.behind })],
    ["next-gap", "Next gap that nobody owns", ["n"], goToGap],
    ["fill-gap", "Fill the gap in view", ["Shift+N"], fillGap],
  ]),
  ...group("View", [
    ["zoom-in", "Zoom in", ["+", "="], (editor) => editor.viewport.zoom(1.5)],
    ["zoom-out", "Zoom out", ["-"], (editor) => editor.viewport.zoom(1 / 1.5)],
    ["fit", "Whole image", ["Shift+Z"], (editor) => editor.viewport.fit()],
    ["actual", "One image pixel a screen pixel", ["Alt+Z"], (editor) => editor.viewport.zoomTo(1)],
    ["left", "Left", ["ArrowLeft"], (editor) => editor.viewport.pan(80, 0)],
    ["right", "Right", ["ArrowRight"], (editor) => editor.viewport.pan(-80, 0)],
    ["up", "Up", ["ArrowUp"], (editor) => editor.viewport.pan(0, 80)],
    ["down", "Down", ["ArrowDown"], (editor) => editor.viewport.pan(0, -80)],
    ["amodal", "Show what runs on underneath", ["a"], (editor) => editor.look({ amodal: !editor.view.amodal })],
    ["outlines", "Outlines", ["o"], (editor) => editor.look({ outlines: !editor.view.outlines })],
    ["gaps", "Show pixels that nobody owns", ["u"], (editor) => editor.look({ gaps: !editor.view.gaps })],
    ["colours", "Colours of instances, of classes, safe for colour-blind eyes", ["c"], nextColours],
    ["more-opaque", "Segments more opaque", ["."], (editor) => editor.look({ opacity: Math.min(1, editor.view.opacity + 0.1) })],
    ["less-opaque", "Segments less opaque", [","], (editor) => editor.look({ opacity: Math.max(0, editor.view.opacity - 0.1) })],
    ["lock", "Lock or unlock the selected segments", ["Shift+L"], (editor) => toggleKeys(editor, "locked")],
    ["conceal", "Hide or show the selected segments", ["Shift+H"], (editor) => toggleKeys(editor, "concealed")],
    ["solo", "Show only the selected segments", ["Shift+S"], solo],
    ["minimap", "Minimap", ["Shift+M"], (editor) => editor.look({ minimap: !editor.view.minimap })],
  ]),
];

function drop(editor: Editor): void {
  const busy = editor.preview !== null || editor.isDrawing;
  editor.tool.cancel?.();
  if (!busy || editor.preview?.brush) editor.select([]);
}

function remove(editor: Editor): void {
  const keys = editor.selection;
  editor.do("delete", (draft) => keys.forEach((key) => draft.delete(key)));
}

function accept(editor: Editor): void {
  const keys = editor.selection.length ? editor.selection : editor.document.segments.map(({ key }) => key);
  editor.do("accept", (draft) => keys.forEach((key) => draft.set(key, "state", "final")));
}

function step(editor: Editor, by: number): void {
  const keys = editor.document.segments.map(({ key }) => key).filter((key) => editor.isShown(key));
  const at = keys.indexOf(editor.selection[0]);
  if (keys.length) editor.select([keys[(at + by + keys.length + (at < 0 && by < 0 ? 1 : 0)) % keys.length]]);
}

function showSelected(editor: Editor): void {
  const box = editor.selection.map((key) => editor.document.box(key)).reduce(cover, null);
  if (box) editor.viewport.show(box);
}

function toggleField(editor: Editor, field: "crowd"): void {
  editor.do(field, (draft) => editor.selection.forEach((key) => draft.set(key, field, !editor.document.get(key)[field])));
}

/** Adds a tag to the selected segments, or takes it from all of them where all have it. */
export function toggleTag(editor: Editor, tag: string): void {
  const all = editor.selection.every((key) => editor.document.get(key).tags.includes(tag));
  editor.do("tags", (draft) => {
    for (const key of editor.selection) {
      const others = editor.document.get(key).tags.filter((other) => other !== tag);
      draft.set(key, "tags", all ? others : [...others, tag].sort());
    }
  });
}

function move(editor: Editor, where: "up" | "down" | "front" | "back"): void {
  const { selected, document } = editor;
  if (!selected) return;
  const keys = document.segments.map(({ key }) => key).filter((key) => key !== selected.key);
  const at = document.segments.findIndex(({ key }) => key === selected.key);
  const place = { up: at + 1, down: at - 1, front: keys.length, back: 0 }[where];
  editor.do("order", (draft) => draft.reorder(selected.key, keys[Math.min(keys.length, place) - 1] ?? null));
}

function goToGap(editor: Editor): void {
  const gap = nextGap(editor.document, gaps.get(editor) ?? null);
  gaps.set(editor, gap);
  if (!gap) return editor.say("Every pixel has an owner");
  editor.viewport.show(gap.region.box, 1);
  editor.say(`Gap of ${gap.area} px: fill it with Shift+N`);
}

function fillGap(editor: Editor): void {
  const gap = gaps.get(editor);
  if (gap) new FillTool(editor).fillGap(gap.at);
}

function nextColours(editor: Editor): void {
  const kinds: readonly View["colours"][] = ["instance", "class", "safe"];
  editor.look({ colours: kinds[(kinds.indexOf(editor.view.colours) + 1) % kinds.length] });
}

function toggleKeys(editor: Editor, which: "locked" | "concealed"): void {
  const next = new Set(editor.view[which]);
  const all = editor.selection.every((key) => next.has(key));
  for (const key of editor.selection) all ? next.delete(key) : next.add(key);
  editor.look({ [which]: next });
}

function solo(editor: Editor): void {
  editor.look({ solo: editor.view.solo.size ? new Set() : new Set(editor.selection) });
}
