/** Lasso: the area inside a line drawn with a free hand. */
import type { Editor } from "../core/editor.ts";
import { type Point, simplifyRing } from "../core/geometry.ts";
import { fillPolygon } from "../core/raster.ts";
import { isBlank } from "../core/region.ts";
import type { Pointer, Tool } from "../core/tool.ts";
import { purposeOf } from "./purpose.ts";

export class LassoTool implements Tool {
  static readonly id = "lasso";
  readonly #editor: Editor;
  #points: Point[] = [];

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    this.#points = [pointer.at];
  }

  pointerDrag(_pointer: Pointer, between: readonly Pointer[]): void {
    if (!this.#points.length) return;
    this.#points.push(...between.map(({ at }) => at));
    this.#editor.show({ lines: [{ points: this.#points, closed: true }] });
  }

  pointerUp(pointer: Pointer): void {
    const { document, settings } = this.#editor;
    const ring = simplifyRing(this.#points, settings.smoothing / this.#editor.viewport.scale / 2);
    this.cancel();
    if (ring.length < 3) return;
    const region = fillPolygon([[ring]], [document.width, document.height]);
    if (!isBlank(region)) this.#editor.draw("lasso", region, purposeOf(pointer));
  }

  cancel(): void {
    this.#points = [];
    this.#editor.show(null);
  }
}
