/** All that can be done on the desk, with its words and keys: for keyboard, palette and cheat sheet. */
import { signal } from "@preact/signals";
import { copy, paste, type Clip } from "../core/clipboard.ts";
import { chooseClass, type Command } from "../core/commands.ts";
import { toRegion } from "../core/masks.ts";
import { gapAt, nextGap, type Gap } from "../core/gaps.ts";
import { t } from "../texts.ts";
import type { Desk } from "./desk.ts";
import * as edits from "./edits.ts";
import { dark, setPreferences } from "./settings.ts";

/** What the page around the desk can do. */
export interface Page {
  readonly submit: () => void;
  readonly open: (image: number | null) => void;
  readonly propagate: () => void;
  readonly follow: () => void;
}

export const TOOL_KEYS: Readonly<Record<string, string>> = {
  select: "v", brush: "b", erase: "e", polygon: "p", box: "r", lasso: "l", scissors: "s", fill: "g", superpixel: "u",
  prompt: "c", everything: "Shift+E", split: "k", merge: "m", edge: "d", pan: "h",
};

/** Which window is open in front of the desk. */
export const shown = signal<"palette" | "sheet" | null>(null);

let gap: Gap | null = null;

export function goToNextGap(desk: Desk): void {
  const { editor } = desk;
  gap = nextGap(editor.document, gap);
  if (!gap) return editor.say(t.coverage.none);
  edits.bring(editor, gap.region.box);
  editor.show({ region: gap.region });
}

/** Gives the gap that is shown to the chosen class, and shows the next one; where none is shown, shows one first. */
export function fillGap(desk: Desk): void {
  const { editor } = desk;
  const there = gap && gapAt(editor.document, gap.at);
  if (!there) return goToNextGap(desk);
  const { selected, settings } = editor;
  editor.draw("fill", there.region, selected?.class_id === settings.classId ? "add" : "new");
  if (editor.document.unlabelled) goToNextGap(desk);
  else editor.show(null);
}

/** Which finding was shown last. */
export const finding = signal<string | null>(null);

export function showFinding(desk: Desk, fingerprint: string): void {
  const found = desk.findings.peek()?.findings.find((one) => one.fingerprint === fingerprint);
  if (!found) return;
  finding.value = fingerprint;
  const { editor } = desk;
  editor.select(found.keys.filter((key) => editor.document.has(key)));
  const box = found.region?.box ?? found.box ?? (found.keys[0] && editor.document.has(found.keys[0]) ? editor.document.box(found.keys[0]) : null);
  if (box) edits.bring(editor, box);
  if (found.region) editor.show({ region: toRegion(found.region) });
}

export function nextFinding(desk: Desk): void {
  const found = desk.findings.peek()?.findings ?? [];
  if (!found.length) return desk.editor.say(t.findings.none);
  const at = found.findIndex(({ fingerprint }) => fingerprint === finding.peek());
  showFinding(desk, found[(at + 1) % found.length].fingerprint);
}

export function fixShown(desk: Desk): void {
  const found = desk.findings.peek()?.findings.find(({ fingerprint }) => fingerprint === finding.peek());
  if (found?.fix) void desk.fix(found.fingerprint);
  else if (found) desk.editor.say(t.findings.noFix);
}

/** All commands, for a desk on a page. */
export function commandsOf(desk: Desk, page: Page): readonly Command[] {
  const tools = Object.keys(desk.editor.tools).map((name): Command => ({
    id: `tool-${name}`, title: t.commands.tool(t.tools[name] ?? name), keys: TOOL_KEYS[name] ? [TOOL_KEYS[name]] : [],
    group: t.commands.group.tools, run: (editor) => editor.use(name),
  }));
  const rows = desk.editor.classes.rows.map((row): Command => ({
    id: `class-${row.class_id}`, title: t.commands.setClass(row.name), keys: row.hotkey ? [row.hotkey] : [],
    group: t.commands.group.classes, run: (editor) => chooseClass(editor, row.class_id),
  }));
  return [...tools, ...editing(desk), ...viewing(desk), ...working(desk, page), ...rows];
}

type Line = readonly [id: string, keys: readonly string[], words: string, run: () => void];

const group = (name: keyof typeof t.commands.group, lines: readonly Line[]): Command[] =>
  lines.map(([id, keys, title, run]) => ({ id, keys, title, run, group: t.commands.group[name] }));

function editing(desk: Desk): Command[] {
  const { editor } = desk;
  const words = t.commands;
  return group("edit", [
    ["undo", ["Ctrl+Z"], words.undo, () => void editor.undo()],
    ["redo", ["Ctrl+Shift+Z", "Ctrl+Y"], words.redo, () => void editor.redo()],
    ["finish", ["Enter"], words.finish, () => (editor.tool.finish ? editor.tool.finish() : edits.judgeSelected(editor, true))],
    ["deselect", ["Escape"], words.deselect, () => dropOrDeselect(desk)],
    ["fresh", ["n"], words.fresh, () => editor.select([])],
    ["select-all", ["Ctrl+A"], words.selectAll, () => edits.selectAll(editor)],
    ["remove", ["Delete", "Backspace"], words.remove, () => edits.removeSelected(editor)],
    ["merge", ["Ctrl+M"], words.merge, () => edits.mergeSelected(editor)],
    ["split-parts", ["Shift+K"], words.splitParts, () => edits.splitParts(editor)],
    ["duplicate", ["Ctrl+D"], words.duplicate, () => edits.duplicate(editor)],
    ["copy", ["Ctrl+C"], words.copy, () => keepClip(copy(editor))],
    ["paste", ["Ctrl+V"], words.paste, () => pasteClip(desk)],
    ["forward", ["Ctrl+]"], words.forward, () => edits.reorder(editor, "forward")],
    ["backward", ["Ctrl+["], words.backward, () => edits.reorder(editor, "backward")],
    ["front", ["Ctrl+}"], words.front, () => edits.reorder(editor, "front")],
    ["back", ["Ctrl+{"], words.back, () => edits.reorder(editor, "back")],
    ["lock", ["Shift+L"], words.lock, () => edits.toggleLock(editor)],
    ["crowd", ["Shift+C"], words.crowd, () => editor.selected && edits.setField(editor, "tags", "crowd", !editor.selected.crowd)],
    ["next-segment", ["ArrowDown"], words.nextSegment, () => edits.step(editor, 1)],
    ["previous-segment", ["ArrowUp"], words.previousSegment, () => edits.step(editor, -1)],
    ["bigger", ["]"], words.bigger, () => editor.change({ brush: Math.min(400, Math.ceil(editor.settings.brush * 1.2)) })],
    ["smaller", ["["], words.smaller, () => editor.change({ brush: Math.max(1, Math.floor(editor.settings.brush / 1.2)) })],
    ["mode", ["t"], words.mode, () => editor.change({ mode: editor.settings.mode === "flat" ? "layered" : "flat" })],
    ["border", ["w"], words.border, () => editor.change({ border: editor.settings.border === "wins" ? "yields" : "wins" })],
    ["behind", ["Shift+B"], words.behind, () => editor.change({ behind: !editor.settings.behind })],
  ]);
}

const CLIP = "inlay.clip";

function keepClip(clip: Clip): void {
  try {
    sessionStorage.setItem(CLIP, JSON.stringify(clip));
  } catch {
    // too large for the browser's storage: nothing is copied, and paste says so
    sessionStorage.removeItem(CLIP);
  }
}

function pasteClip({ editor }: Desk): void {
  const kept = sessionStorage.getItem(CLIP);
  if (kept) paste(editor, JSON.parse(kept) as Clip);
  else editor.say(t.commands.nothingCopied);
}

function dropOrDeselect({ editor }: Desk): void {
  const { lines, dots, box } = editor.preview ?? {}; // a brush or a patch that follows the pointer is no drawing
  if (lines || dots || box || editor.isDrawing) editor.tool.cancel?.();
  else editor.select([]);
}

const COLOURS = ["instance", "class", "safe"] as const;

function viewing(desk: Desk): Command[] {
  const { editor } = desk;
  const { viewport } = editor;
  const words = t.commands;
  const opacity = (by: number): void => editor.look({ opacity: Math.round(Math.min(1, Math.max(0, editor.view.opacity + by)) * 100) / 100 });
  return group("view", [
    ["fit", ["Home"], words.fit, () => viewport.fit()],
    ["zoom-in", ["+", "="], words.zoomIn, () => viewport.zoom(1.5)],
    ["zoom-out", ["-"], words.zoomOut, () => viewport.zoom(1 / 1.5)],
    ["actual", ["Shift+Home"], words.actual, () => viewport.zoomTo(1)],
    ["zoom-selection", ["z"], words.zoomSelection, () => zoomToSelection(desk)],
    ["hide", ["Shift+H"], words.hide, () => edits.toggleShown(editor)],
    ["solo", ["Shift+S"], words.solo, () => edits.toggleSolo(editor)],
    ["amodal", ["a"], words.amodal, () => editor.look({ amodal: !editor.view.amodal })],
    ["gaps", ["Shift+G"], words.gaps, () => editor.look({ gaps: !editor.view.gaps })],
    ["outlines", ["o"], words.outlines, () => editor.look({ outlines: !editor.view.outlines })],
    ["opacity-up", ["Shift+ArrowUp"], words.opacityUp, () => opacity(0.1)],
    ["opacity-down", ["Shift+ArrowDown"], words.opacityDown, () => opacity(-0.1)],
    ["colours", ["q"], words.colours, () => editor.look({ colours: COLOURS[(COLOURS.indexOf(editor.view.colours) + 1) % COLOURS.length] })],
    ["minimap", ["Shift+M"], words.minimap, () => editor.look({ minimap: !editor.view.minimap })],
    ["theme", ["Shift+T"], words.theme, () => setPreferences({ theme: dark.peek() ? "light" : "dark" })],
  ]);
}

function zoomToSelection({ editor }: Desk): void {
  const box = editor.selected && editor.document.box(editor.selected.key);
  if (box) editor.viewport.show(box);
}

function working(desk: Desk, page: Page): Command[] {
  const { editor } = desk;
  const words = t.commands;
  return group("work", [
    ["next-gap", ["."], words.nextGap, () => goToNextGap(desk)],
    ["fill-gap", [","], words.fillGap, () => fillGap(desk)],
    ["next-finding", ["j"], words.nextFinding, () => nextFinding(desk)],
    ["fix", ["f"], words.fix, () => fixShown(desk)],
    ["accept", ["y"], words.accept, () => edits.judgeSelected(editor, true)],
    ["reject", ["x"], words.reject, () => edits.judgeSelected(editor, false)],
    ["accept-all", ["Shift+Y"], words.acceptAll, () => edits.judge(editor, edits.proposals(editor), true)],
    ["reject-all", ["Shift+X"], words.rejectAll, () => edits.judge(editor, edits.proposals(editor), false)],
    ["next-proposal", ["i"], t.proposals.next, () => nextProposal(desk)],
    ["submit", ["Ctrl+Enter"], words.submit, page.submit],
    ["next-image", ["PageDown"], words.nextImage, () => page.open(desk.image.peek().next)],
    ["previous-image", ["PageUp"], words.previousImage, () => page.open(desk.image.peek().previous)],
    ["propagate", ["Shift+P"], words.propagate, page.propagate],
    ["follow", ["Shift+F"], words.follow, page.follow],
    ["palette", ["Ctrl+K"], words.palette, () => void (shown.value = "palette")],
    ["sheet", ["?"], words.sheet, () => void (shown.value = "sheet")],
  ]);
}

export function nextProposal({ editor }: Desk): void {
  const waiting = edits.proposals(editor);
  if (!waiting.length) return editor.say(t.proposals.none);
  edits.reveal(editor, waiting[(waiting.indexOf(editor.selection[0]) + 1) % waiting.length]);
}

/** Whether a key pressed there is meant for a control. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "range", "color", "button"].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** A key as one reads it on a keyboard. */
export const shownKey = (key: string): string => (/^[a-z]$/.test(key) ? key.toUpperCase() : key.replace("Arrow", ""));
