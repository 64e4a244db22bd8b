/** Edge: takes hold of the border between two neighbours and moves it for both; neither gap nor overlap can come of it. */
import type { Editor } from "../core/editor.ts";
import { type Point, distance } from "../core/geometry.ts";
import { fillPolygon } from "../core/raster.ts";
import { intersect, isBlank } from "../core/region.ts";
import type { Pointer, Tool } from "../core/tool.ts";
import { type Edge, edgeNear } from "../core/trace.ts";

const REACH = 12; // screen pixels within which an edge is taken hold of

export class EdgeTool implements Tool {
  static readonly id = "edge";
  readonly #editor: Editor;
  #edge: Edge | null = null;
  #grip: Point = [0, 0];

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    this.#edge = this.#near(pointer.at);
    this.#grip = pointer.at;
    if (!this.#edge) this.#editor.say("No edge here: take hold of the border between two segments");
    this.#show(pointer.at);
  }

  pointerDrag(pointer: Pointer): void {
    this.#show(pointer.at);
  }

  pointerMove(pointer: Pointer): void {
    const edge = this.#near(pointer.at);
    this.#editor.show(edge && { lines: [{ points: edge.points }] });
  }

  pointerUp(pointer: Pointer): void {
    const edge = this.#edge;
    const moved = edge && this.#moved(edge, pointer.at);
    this.cancel();
    if (edge && moved) this.#swap(edge, moved);
  }

  key(key: string): boolean {
    const factor = key === "[" ? 0.8 : key === "]" ? 1.25 : 0;
    if (!factor) return false;
    this.#editor.change({ brush: Math.round(Math.min(1000, Math.max(4, this.#editor.settings.brush * factor))) });
    return true;
  }

  cancel(): void {
    this.#edge = null;
    this.#editor.show(null);
  }

  /** How far along the edge the pull is felt, image pixels. */
  get #range(): number {
    return Math.max(4, this.#editor.settings.brush);
  }

  #near(at: Point): Edge | null {
    const { document, viewport } = this.#editor;
    const owner = (x: number, y: number): number =>
      x < 0 || y < 0 || x >= document.width || y >= document.height ? -1 : document.idMap[y * document.width + x];
    return edgeNear(at, REACH / viewport.scale, 2 * this.#range, owner);
  }

  /** The edge pulled to a point: whole where it was gripped, fading out along it. */
  #moved(edge: Edge, to: Point): Point[] {
    const [dx, dy] = [to[0] - this.#grip[0], to[1] - this.#grip[1]];
    return edge.points.map((p): Point => {
      const far = distance(p, this.#grip) / this.#range;
      const pull = far < 1 ? (1 + Math.cos(Math.PI * far)) / 2 : 0;
      return [p[0] + pull * dx, p[1] + pull * dy];
    });
  }

  /** Pixels between the old and the new edge change from one neighbour to the other. */
  #swap(edge: Edge, moved: readonly Point[]): void {
    const { document } = this.#editor;
    const { pixels } = document;
    const between = fillPolygon([[[...edge.points, ...[...moved].reverse()]]], [document.width, document.height]);
    const [left, right] = [edge.left, edge.right].map((slot) => ({
      key: document.bySlot(slot)?.key ?? null,
      part: intersect(between, pixels.visible(slot, between.box)),
    }));
    this.#editor.do("edge", (draft) => {
      for (const [from, to] of [[left, right], [right, left]]) {
        if (isBlank(from.part) || (from.key !== null && this.#editor.isLocked(from.key))) continue;
        if (to.key !== null) draft.paint(to.key, from.part, { mode: "flat", border: "wins" });
        else draft.erase(from.key, from.part);
      }
    });
  }

  #show(at: Point): void {
    if (!this.#edge) return;
    const lines = [{ points: this.#edge.points, dashed: true }, { points: this.#moved(this.#edge, at) }];
    this.#editor.show({ lines, dots: [{ at, kind: "active" }] });
  }
}
