/** Merge: drag from one segment to others, or select several: they become one. */
import type { Editor } from "../core/editor.ts";
import type { Gesture } from "../core/gesture.ts";
import type { Point } from "../core/geometry.ts";
import type { Pointer, Tool } from "../core/tool.ts";
import { cover } from "../core/geometry.ts";
import { solid } from "../core/region.ts";

export class MergeTool implements Tool {
  static readonly id = "merge";
  readonly #editor: Editor;
  #keys: string[] = [];
  #points: Point[] = [];

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    this.#keys = [];
    this.#points = [];
    this.#meet(pointer);
  }

  pointerDrag(_pointer: Pointer, between: readonly Pointer[]): void {
    for (const each of between) this.#meet(each);
    this.#editor.show({ lines: [{ points: this.#points }] });
  }

  pointerUp(): void {
    const keys = this.#keys;
    this.cancel();
    if (keys.length > 1) mergeSegments(this.#editor, keys);
    else this.#editor.say("Drag from the segment that stays to those that join it");
  }

  key(key: string): boolean {
    if (key !== "Enter" || this.#editor.selection.length < 2) return false;
    mergeSegments(this.#editor, this.#editor.selection);
    return true;
  }

  cancel(): void {
    [this.#keys, this.#points] = [[], []];
    this.#editor.show(null);
  }

  #meet({ at }: Pointer): void {
    const segment = this.#editor.document.at(at[0], at[1]);
    this.#points.push(at);
    if (segment && !this.#keys.includes(segment.key)) this.#keys.push(segment.key);
    this.#editor.select(this.#keys);
  }
}

/** Makes one segment of several: it keeps the head of the first and the place of the front one. */
export function mergeSegments(editor: Editor, keys: readonly string[]): Gesture | null {
  return editor.do("merge", (draft) => {
    const { document } = editor;
    const stack = document.segments.filter(({ key }) => keys.includes(key)).map(({ key }) => key);
    const front = stack.at(-1)!;
    const { class_id, instance_id, crowd, source, state } = document.get(keys[0]);
    const tags = [...new Set(keys.flatMap((key) => document.get(key).tags))].sort();
    for (const key of stack.slice(0, -1)) {
      const { slot } = document.get(key);
      const all = cover(document.box(key), document.pixels.hiddenBox(slot));
      if (all) draft.transfer(key, front, solid(all));
      draft.delete(key);
    }
    for (const [field, value] of Object.entries({ class_id, instance_id, crowd, source, state, tags }))
      draft.set(front, field as "tags", value);
    editor.select([front]);
  });
}
