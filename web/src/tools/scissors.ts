/** Intelligent scissors: the outline clings to edges of the image between one click and the next. */
import type { Editor, Purpose } from "../core/editor.ts";
import { type Box, type Point, clip, inside, simplifyRing } from "../core/geometry.ts";
import { Livewire } from "../core/livewire.ts";
import { fillPolygon } from "../core/raster.ts";
import { isBlank } from "../core/region.ts";
import type { Pointer, Tool } from "../core/tool.ts";
import { purposeOf } from "./purpose.ts";

const REACH = 192; // image pixels round a seed in which paths are known

export class ScissorsTool implements Tool {
  static readonly id = "scissors";
  readonly #editor: Editor;
  #paths: Point[][] = [];
  #wire: Livewire | null = null;
  #purpose: Purpose = "new";

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    const { picture } = this.#editor;
    if (!picture) return this.#editor.say("The image is still loading: scissors need its pixels");
    if (!this.#wire) this.#purpose = purposeOf(pointer);
    const start = this.#paths[0]?.[0];
    if (this.#wire) this.#paths.push(this.#path(pointer.at));
    const closes = start && this.#paths.length > 1 && this.#editor.isNear(pointer.at, start);
    if (closes || pointer.double) return this.finish();
    this.#seed(pointer.at);
    this.#show(pointer.at);
  }

  pointerMove(pointer: Pointer): void {
    this.#show(pointer.at);
  }

  pointerDrag(pointer: Pointer): void {
    this.#show(pointer.at);
  }

  key(key: string): boolean {
    if (!this.#wire) return false;
    if (key === "Enter") this.finish();
    else if (key === "Backspace") this.#stepBack();
    else return false;
    return true;
  }

  finish(): void {
    const [paths, purpose] = [this.#paths, this.#purpose];
    const start = paths[0]?.[0];
    if (start && this.#wire) paths.push(this.#path(start));
    const { document, settings } = this.#editor;
    const ring = simplifyRing(paths.flat(), settings.smoothing / 2);
    this.cancel();
    const region = ring.length > 2 ? fillPolygon([[ring]], [document.width, document.height]) : null;
    if (region && !isBlank(region)) this.#editor.draw("scissors", region, purpose);
  }

  cancel(): void {
    [this.#paths, this.#wire] = [[], null];
    this.#editor.show(null);
  }

  #seed(at: Point): void {
    const { picture, document } = this.#editor;
    const [x, y] = [Math.floor(at[0]), Math.floor(at[1])];
    const box: Box = clip([x - REACH, y - REACH, x + REACH, y + REACH], document.pixels.bounds);
    if (!inside(box, x, y)) return;
    this.#wire = new Livewire(picture!.crop(box), box, at);
    if (!this.#paths.length) this.#paths.push([at]);
  }

  /** Along edges where paths are known, straight on from there. */
  #path(to: Point): Point[] {
    const path = this.#wire!.path(to);
    return inside(this.#wire!.box, to[0], to[1]) ? path : [...path, to];
  }

  #stepBack(): void {
    this.#paths.pop();
    const end = this.#paths.at(-1)?.at(-1);
    if (!end) return this.cancel();
    this.#seed(end);
    this.#show(end);
  }

  #show(at: Point): void {
    if (!this.#wire) return;
    const dots = this.#paths.map((path) => ({ at: path.at(-1)!, kind: "vertex" as const }));
    this.#editor.show({ lines: [{ points: [...this.#paths.flat(), ...this.#path(at)] }], dots });
  }
}
