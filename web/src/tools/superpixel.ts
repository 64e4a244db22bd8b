/** Superpixel paint: patches of like colour, taken whole as the pointer passes over them. */
import type { Draft } from "../core/draft.ts";
import type { Editor } from "../core/editor.ts";
import { type Box, type Point, clip, grow, inside } from "../core/geometry.ts";
import { GestureError } from "../core/gesture.ts";
import { type Region, regionOf, trim } from "../core/region.ts";
import { superpixels } from "../core/superpixels.ts";
import type { Pointer, Tool } from "../core/tool.ts";

const PATCHES = 10; // patches along the side of a window in which they are reckoned
const MARGIN = 2; // patches beyond the window, so that none is cut off at its side

export class SuperpixelTool implements Tool {
  static readonly id = "superpixel";
  readonly #editor: Editor;
  readonly #windows = new Map<string, { box: Box; labels: Int32Array }>();
  #draft: Draft | null = null;
  #key: string | null = null;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    const editor = this.#editor;
    if (!editor.picture) return editor.say("The image is still loading: superpixels need its pixels");
    this.#draft = editor.begin("superpixel");
    try {
      this.#key = pointer.alt ? (editor.selected?.key ?? null) : editor.target(this.#draft, true);
      if (!pointer.alt) editor.select([this.#key!], true);
      this.#take(pointer);
    } catch (error) {
      this.cancel();
      if (!(error instanceof GestureError)) throw error;
      editor.say(error.message);
    }
  }

  pointerDrag(_pointer: Pointer, between: readonly Pointer[]): void {
    for (const each of between) this.#take(each);
  }

  pointerUp(): void {
    this.finish();
  }

  pointerMove(pointer: Pointer): void {
    const region = this.#editor.picture && this.#patch(pointer.at);
    this.#editor.show(region ? { region } : null);
  }

  key(key: string): boolean {
    const factor = key === "[" ? 0.8 : key === "]" ? 1.25 : 0;
    if (!factor) return false;
    this.#editor.change({ superpixel: Math.round(Math.min(128, Math.max(6, this.#editor.settings.superpixel * factor))) });
    this.#windows.clear();
    return true;
  }

  finish(): void {
    if (this.#draft) this.#editor.commit(this.#draft);
    this.#draft = null;
  }

  cancel(): void {
    if (this.#draft) this.#editor.cancel(this.#draft);
    this.#draft = null;
    this.#editor.show(null);
  }

  #take(pointer: Pointer): void {
    const region = this.#patch(pointer.at);
    if (!region || !this.#draft) return;
    if (pointer.alt) this.#draft.erase(this.#key, region);
    else if (this.#key) this.#draft.paint(this.#key, region);
  }

  #patch(at: Point): Region | null {
    const [x, y] = [Math.floor(at[0]), Math.floor(at[1])];
    const { box, labels } = this.#window(x, y) ?? {};
    if (!box || !labels || !inside(box, x, y)) return null;
    const wide = box[2] - box[0];
    const label = labels[(y - box[1]) * wide + x - box[0]];
    return trim(regionOf(box, (px, py) => labels[(py - box[1]) * wide + px - box[0]] === label));
  }

  /** The patches of the window that a pixel lies in, reckoned once. */
  #window(x: number, y: number): { box: Box; labels: Int32Array } | undefined {
    const { document, picture, settings } = this.#editor;
    const side = PATCHES * settings.superpixel;
    const [column, row] = [Math.floor(x / side), Math.floor(y / side)];
    if (!inside(document.pixels.bounds, x, y)) return undefined;
    const window = [column * side, row * side, (column + 1) * side, (row + 1) * side] as const;
    const box = clip(grow(window, MARGIN * settings.superpixel), document.pixels.bounds);
    const name = `${settings.superpixel} ${column} ${row}`;
    let found = this.#windows.get(name);
    if (!found) this.#windows.set(name, (found = { box, labels: superpixels(picture!.crop(box), settings.superpixel) }));
    return found;
  }
}
