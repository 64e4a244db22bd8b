/** Pan: drags the image under the screen; shift zooms into a band. Panning by space bar or wheel works with every tool. */
import type { Editor } from "../core/editor.ts";
import { type Point, boxBetween, width } from "../core/geometry.ts";
import type { Pointer, Tool } from "../core/tool.ts";

export class PanTool implements Tool {
  static readonly id = "pan";
  readonly #editor: Editor;
  #from: Point | null = null;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    this.#from = pointer.at;
    if (pointer.double) this.#editor.viewport.fit();
  }

  pointerDrag(pointer: Pointer): void {
    const { viewport } = this.#editor;
    if (!this.#from) return;
    if (pointer.shift) return this.#editor.show({ box: boxBetween(this.#from, pointer.at) });
    viewport.pan((pointer.at[0] - this.#from[0]) * viewport.scale, (pointer.at[1] - this.#from[1]) * viewport.scale);
  }

  pointerUp(pointer: Pointer): void {
    const box = this.#from && boxBetween(this.#from, pointer.at);
    if (box && pointer.shift && width(box) > 2) this.#editor.viewport.show(box, 0);
    this.cancel();
  }

  cancel(): void {
    this.#from = null;
    this.#editor.show(null);
  }
}
