/** Box: a rectangle of whole pixels. */
import type { Editor } from "../core/editor.ts";
import { type Box, type Point, boxBetween, clip, isEmpty } from "../core/geometry.ts";
import { solid } from "../core/region.ts";
import type { Pointer, Tool } from "../core/tool.ts";
import { purposeOf } from "./purpose.ts";

export class BoxTool implements Tool {
  static readonly id = "box";
  readonly #editor: Editor;
  #from: Point | null = null;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    this.#from = pointer.at;
  }

  pointerDrag(pointer: Pointer): void {
    if (this.#from) this.#editor.show({ box: this.#box(pointer.at) });
  }

  pointerUp(pointer: Pointer): void {
    const box = this.#from && this.#box(pointer.at);
    this.cancel();
    if (box && !isEmpty(box)) this.#editor.draw("box", solid(box), purposeOf(pointer));
  }

  cancel(): void {
    this.#from = null;
    this.#editor.show(null);
  }

  #box(to: Point): Box {
    const round = ([x, y]: Point): Point => [Math.round(x), Math.round(y)];
    return clip(boxBetween(round(this.#from!), round(to)), this.#editor.document.pixels.bounds);
  }
}
