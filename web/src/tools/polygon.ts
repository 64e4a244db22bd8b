/**
 * Polygon: click by click. A second ring inside is a hole, outside another part; Enter makes the segment. Enter on a
 * selected segment opens its outline, so that its points can be moved.
 */
import type { Editor, Purpose } from "../core/editor.ts";
import { type Point, simplifyRing } from "../core/geometry.ts";
import { type Region, isBlank, subtract } from "../core/region.ts";
import type { Pointer, Tool } from "../core/tool.ts";
import { rings } from "../core/trace.ts";
import { purposeOf } from "./purpose.ts";
import { type Grip, Rings } from "./rings.ts";

const NEAR = 8; // screen pixels

export class PolygonTool implements Tool {
  static readonly id = "polygon";
  readonly #editor: Editor;
  #open: Point[] = [];
  #closed = new Rings();
  #held: Grip | null = null;
  #purpose: Purpose = "new";
  /** The segment whose outline is open, and what it was before. */
  #opened: { readonly key: string; readonly region: Region } | null = null;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    const { at } = pointer;
    if (!this.#open.length) this.#held = this.#closed.grip(at, this.#reach) ?? (this.#opened && this.#closed.insert(at, this.#reach));
    if (this.#held && pointer.alt) {
      this.#closed.remove(this.#held);
      this.#held = null;
    } else if (!this.#held) this.#add(pointer);
    this.#show(at);
  }

  pointerDrag(pointer: Pointer): void {
    if (this.#held) this.#closed.move(this.#held, pointer.at);
    this.#show(pointer.at);
  }

  pointerUp(pointer: Pointer): void {
    this.#held = null;
    this.#show(pointer.at);
  }

  pointerMove(pointer: Pointer): void {
    this.#show(pointer.at);
  }

  key(key: string, modifiers: Pick<Pointer, "shift" | "alt">): boolean {
    if (key === "Enter" && this.#isIdle) return !modifiers.shift && this.#openOutline();
    if (key === "Enter") this.#purpose = this.#opened ? "new" : pickPurpose(this.#purpose, modifiers);
    if (key === "Enter") this.finish();
    else if (key === "Backspace" && this.#open.length) this.#open.pop();
    else return false;
    this.#show(null);
    return true;
  }

  finish(): void {
    this.#closeRing();
    const { document } = this.#editor;
    const region = this.#closed.region([document.width, document.height]);
    const [opened, purpose, touched] = [this.#opened, this.#purpose, this.#closed.rings.length > 0];
    this.cancel();
    if (opened && document.has(opened.key)) this.#reshape(opened.key, opened.region, region);
    else if (touched && !isBlank(region)) this.#editor.draw("polygon", region, purpose);
  }

  cancel(): void {
    [this.#open, this.#held, this.#opened, this.#purpose] = [[], null, null, "new"];
    this.#closed = new Rings();
    this.#editor.show(null);
  }

  get #isIdle(): boolean {
    return !this.#open.length && !this.#closed.rings.length;
  }

  get #reach(): number {
    return NEAR / this.#editor.viewport.scale;
  }

  #add(pointer: Pointer): void {
    if (this.#isIdle) this.#purpose = purposeOf(pointer);
    const closes = this.#open.length > 2 && this.#editor.isNear(pointer.at, this.#open[0]);
    if (!closes && !pointer.double) this.#open.push(pointer.at);
    if (closes) this.#closeRing();
    else if (pointer.double) this.finish();
  }

  #closeRing(): void {
    if (this.#open.length > 2) this.#closed.rings.push(this.#open);
    this.#open = [];
  }

  /** Opens the outline of the selected segment to be edited. */
  #openOutline(): boolean {
    const { selected, document, settings } = this.#editor;
    if (!selected || this.#editor.isLocked(selected.key)) return false;
    const region = document.visible(selected.key);
    const traced = rings(region).map((ring) => simplifyRing(ring, settings.smoothing));
    this.#closed = new Rings(traced.filter((ring) => ring.length > 2));
    this.#opened = { key: selected.key, region: this.#closed.region([document.width, document.height]) };
    this.#show(null);
    return true;
  }

  /** Applies the difference that editing made, so that pixels far from a moved point stay as they were. */
  #reshape(key: string, before: Region, after: Region): void {
    this.#editor.do("polygon", (draft) => {
      draft.erase(key, subtract(before, after));
      draft.paint(key, subtract(after, before));
    });
  }

  #show(at: Point | null): void {
    if (this.#isIdle) return this.#editor.show(null);
    const line = at && this.#open.length ? [...this.#open, at] : this.#open;
    const isActive = (p: Point): boolean => at !== null && this.#editor.isNear(p, at);
    const points = [...this.#closed.rings.flat(), ...this.#open];
    const dots = points.map((p) => ({ at: p, kind: isActive(p) ? ("active" as const) : ("vertex" as const) }));
    const closed = this.#closed.rings.map((points) => ({ points, closed: true }));
    this.#editor.show({ lines: [...closed, { points: line }], dots });
  }
}

const pickPurpose = (begun: Purpose, modifiers: Pick<Pointer, "shift" | "alt">): Purpose =>
  begun === "new" ? purposeOf(modifiers) : begun;
