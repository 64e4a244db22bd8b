/** Brush: paints the selected segment, or a new one, with a round tip. */
import type { Draft } from "../core/draft.ts";
import type { Editor } from "../core/editor.ts";
import type { Point } from "../core/geometry.ts";
import { fillDab, fillStroke } from "../core/raster.ts";
import type { Region } from "../core/region.ts";
import type { Pointer, Tool } from "../core/tool.ts";
import { GestureError } from "../core/gesture.ts";

export class BrushTool implements Tool {
  static readonly id: string = "brush";
  protected readonly editor: Editor;
  protected readonly kind: string = "brush";
  #draft: Draft | null = null;
  #key: string | null = null;
  #last: Point | null = null;

  constructor(editor: Editor) {
    this.editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    const { editor } = this;
    if (pointer.shift && editor.selected && this.#last) return this.#begin(pointer, this.#last); // a straight line
    this.#begin(pointer, pointer.at);
  }

  pointerDrag(pointer: Pointer, between: readonly Pointer[]): void {
    for (const each of between) this.#stroke(each);
    this.pointerMove(pointer);
  }

  pointerUp(): void {
    this.finish();
  }

  pointerMove(pointer: Pointer): void {
    this.editor.show({ brush: { at: pointer.at, radius: this.#radius(pointer) } });
  }

  key(key: string): boolean {
    const factor = key === "[" ? 0.8 : key === "]" ? 1.25 : 0;
    if (!factor) return false;
    resizeBrush(this.editor, factor);
    return true;
  }

  finish(): void {
    if (this.#draft) this.editor.commit(this.#draft);
    this.#draft = null;
  }

  cancel(): void {
    if (this.#draft) this.editor.cancel(this.#draft);
    this.#draft = null;
  }

  /** Whether a stroke takes pixels away. */
  protected erases(pointer: Pointer): boolean {
    return pointer.alt;
  }

  #begin(pointer: Pointer, from: Point): void {
    const { editor } = this;
    const erases = this.erases(pointer);
    this.#draft = editor.begin(erases ? "erase" : this.kind);
    try {
      this.#key = erases ? (editor.selected?.key ?? null) : editor.target(this.#draft, true);
      if (!erases) editor.select([this.#key!], true);
      this.#apply(pointer, fillDab(pointer.at, this.#radius(pointer), editor.document.pixels.bounds));
      this.#last = from;
      this.#stroke(pointer);
    } catch (error) {
      this.cancel();
      if (!(error instanceof GestureError)) throw error;
      editor.say(error.message);
    }
  }

  #stroke(pointer: Pointer): void {
    if (!this.#draft || !this.#last) return;
    this.#apply(pointer, fillStroke(this.#last, pointer.at, this.#radius(pointer), this.editor.document.pixels.bounds));
    this.#last = pointer.at;
  }

  #apply(pointer: Pointer, region: Region): void {
    const erases = this.#draft!.kind === "erase";
    if (erases) this.#draft!.erase(this.#key, region, { hidden: this.editor.view.amodal });
    else this.#draft!.paint(this.#key!, region);
    this.editor.show({ brush: { at: pointer.at, radius: this.#radius(pointer) } });
  }

  #radius(pointer: Pointer): number {
    const { brush, pressure } = this.editor.settings;
    return (brush / 2) * (pressure ? 0.3 + 1.4 * pointer.pressure : 1);
  }
}

/** Makes the brush larger or smaller, at least by a pixel. */
export function resizeBrush(editor: Editor, factor: number): void {
  const { brush } = editor.settings;
  const next = factor > 1 ? Math.max(brush + 1, brush * factor) : Math.min(brush - 1, brush * factor);
  editor.change({ brush: Math.round(Math.min(1000, Math.max(1, next))) });
}
