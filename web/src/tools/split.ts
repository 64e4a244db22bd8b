/** Split: a line drawn across a segment cuts it in two. */
import type { Draft } from "../core/draft.ts";
import type { Editor } from "../core/editor.ts";
import type { Point } from "../core/geometry.ts";
import { parts } from "../core/parts.ts";
import { fillLine } from "../core/raster.ts";
import { type Region, intersect, isBlank, subtract } from "../core/region.ts";
import type { Pointer, Tool } from "../core/tool.ts";

export class SplitTool implements Tool {
  static readonly id = "split";
  readonly #editor: Editor;
  #points: Point[] = [];

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    this.#points = [pointer.at];
  }

  pointerDrag(_pointer: Pointer, between: readonly Pointer[]): void {
    this.#points.push(...between.map(({ at }) => at));
    this.#editor.show({ lines: [{ points: this.#points, dashed: true }] });
  }

  pointerUp(): void {
    const points = this.#points;
    this.cancel();
    if (points.length < 2) return;
    const line = fillLine(points, this.#editor.document.pixels.bounds);
    this.#editor.do("split", (draft) => {
      const made = this.#crossed(line).flatMap((key) => this.#cut(draft, key, line));
      if (made.length) this.#editor.select([...this.#editor.selection, ...made]);
      else this.#editor.say("The line cuts nothing in two: begin and end it outside the segment");
    });
  }

  cancel(): void {
    this.#points = [];
    this.#editor.show(null);
  }

  /** The selected segments that the line crosses; all that it crosses when none is selected. */
  #crossed(line: Region): string[] {
    const { document, selection } = this.#editor;
    const keys = selection.length ? selection : document.segments.map(({ key }) => key);
    return keys.filter((key) => !this.#editor.isLocked(key) && !isBlank(intersect(line, document.pixels.visible(document.get(key).slot, line.box))));
  }

  /** Gives what the line cuts off to new segments just in front; the largest piece of each part stays. */
  #cut(draft: Draft, key: string, line: Region): string[] {
    const { document } = draft;
    const { slot: _slot, ...head } = document.get(key);
    const made: string[] = [];
    for (const part of parts(document.visible(key))) {
      const [, ...pieces] = isBlank(intersect(part, line)) ? [part] : parts(subtract(part, line));
      for (const piece of pieces) {
        const fresh = this.#editor.newHead(head.class_id);
        made.push(draft.create({ ...head, key: fresh.key, instance_id: head.instance_id && fresh.instance_id, tags: [] }, key));
        draft.transfer(key, fresh.key, piece);
      }
    }
    return made;
  }
}
