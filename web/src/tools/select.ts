/** Select: click one segment, again at the same place the one underneath; drag a band round several. */
import type { Editor } from "../core/editor.ts";
import { type Point, boxBetween, meets } from "../core/geometry.ts";
import type { Pointer, Tool } from "../core/tool.ts";

export class SelectTool implements Tool {
  static readonly id = "select";
  readonly #editor: Editor;
  #press: Pointer | null = null;
  #lastClick: Point | null = null;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    this.#press = pointer;
  }

  pointerDrag(pointer: Pointer): void {
    if (this.#press && !this.#isClick(pointer)) this.#editor.show({ box: boxBetween(this.#press.at, pointer.at) });
  }

  pointerUp(pointer: Pointer): void {
    if (!this.#press) return;
    if (this.#isClick(pointer)) this.#click(pointer);
    else this.#band(pointer);
    this.#press = null;
    this.#editor.show(null);
  }

  cancel(): void {
    this.#press = null;
    this.#editor.show(null);
  }

  #isClick(pointer: Pointer): boolean {
    return this.#editor.isNear(pointer.at, this.#press!.at, 4);
  }

  #click({ at, shift }: Pointer): void {
    const editor = this.#editor;
    const here = editor.document.under(at[0], at[1]).map(({ key }) => key).filter((key) => editor.isShown(key));
    const again = this.#lastClick && editor.isNear(at, this.#lastClick, 4);
    this.#lastClick = at;
    if (!here.length) return void (shift || editor.select([]));
    if (shift) return this.#toggle(here[0]);
    const current = here.indexOf(editor.selection[0]);
    const next = here[again && current >= 0 ? (current + 1) % here.length : 0];
    editor.select([next]);
  }

  #toggle(key: string): void {
    const { selection } = this.#editor;
    this.#editor.select(selection.includes(key) ? selection.filter((other) => other !== key) : [...selection, key]);
  }

  #band(pointer: Pointer): void {
    const { document, selection } = this.#editor;
    const band = boxBetween(this.#press!.at, pointer.at);
    const hit = document.segments.filter(({ key }) => {
      const box = document.box(key);
      return box && meets(box, band) && this.#editor.isShown(key) && this.#owns(key, band);
    });
    const keys = hit.map(({ key }) => key);
    this.#editor.select(pointer.shift ? [...new Set([...selection, ...keys])] : keys);
  }

  /** Whether a segment is seen inside the band. */
  #owns(key: string, band: readonly [number, number, number, number]): boolean {
    const { pixels } = this.#editor.document;
    return pixels.visible(this.#editor.document.get(key).slot, band).bits.includes(1);
  }
}
