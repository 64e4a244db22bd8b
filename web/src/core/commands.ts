/** Commands as data: the palette, the cheat sheet and the keyboard all read one table. */
import type { Editor } from "./editor.ts";

export interface Command {
  readonly id: string;
  /** What it does, as one reads it in the palette. */
  readonly title: string;
  readonly group: string;
  /** Keys that run it, as `keyName` writes them. */
  readonly keys: readonly string[];
  readonly run: (editor: Editor) => void;
}

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** The name of a key press: "b", "Shift+L", "Ctrl+Shift+Z", "Escape". Command on a Mac counts as Ctrl. */
export function keyName({ key, ctrlKey, metaKey, shiftKey, altKey }: KeyPress): string {
  const isLetter = /^\p{L}$/u.test(key);
  const modified = ctrlKey || metaKey || altKey;
  const name = key === " " ? "Space" : isLetter && (shiftKey || modified) ? key.toUpperCase() : key;
  const shift = shiftKey && (isLetter || key.length > 1);
  return [ctrlKey || metaKey ? "Ctrl" : "", altKey ? "Alt" : "", shift ? "Shift" : "", name].filter(Boolean).join("+");
}

/**
 * What a key press does: first what the tool makes of it, then the commands, then the keys of classes. True when it
 * was used. `commands` may leave out or change keys: the first that has the key runs.
 */
export function press(editor: Editor, commands: readonly Command[], event: KeyPress): boolean {
  const modifiers = { shift: event.shiftKey, alt: event.altKey, ctrl: event.ctrlKey || event.metaKey };
  if (!modifiers.ctrl && editor.tool.key?.(event.key, modifiers)) return true;
  const name = keyName(event);
  const command = commands.find(({ keys }) => keys.includes(name));
  if (command) {
    command.run(editor);
    return true;
  }
  const row = editor.classes.byHotkey(name);
  if (row) chooseClass(editor, row.class_id);
  return row !== null;
}

/**
 * Chooses the class to draw with. What somebody selected takes it; what was selected only because it was drawn just
 * now is done, and the class is for what comes next.
 */
export function chooseClass(editor: Editor, classId: number): void {
  editor.change({ classId });
  if (editor.isFresh) editor.select([]);
  else relabel(editor, classId);
}

/** Gives the selected segments a class. */
export function relabel(editor: Editor, classId: number): void {
  if (editor.selection.length)
    editor.do("class", (draft) => {
      for (const key of editor.selection) {
        if (editor.document.get(key).class_id === classId) continue;
        draft.set(key, "class_id", classId);
        const isThing = editor.classes.isThing(classId);
        const { instance_id } = editor.document.get(key);
        if (isThing !== instance_id > 0) draft.set(key, "instance_id", isThing ? editor.newHead(classId).instance_id : 0);
      }
    });
}
