/** Which part of the image one sees and how large: image pixels to screen pixels and back. */
import { type Box, type Point, clip, height, width } from "./geometry.ts";

export const MAX_SCALE = 32;

export class Viewport {
  /** Screen pixels for one image pixel. */
  scale = 1;
  /** Image point in the upper left corner of the screen. */
  x = 0;
  y = 0;
  /** Size of the screen, pixels. */
  readonly screen: [width: number, height: number] = [1, 1];
  readonly image: readonly [width: number, height: number];
  #listeners = new Set<() => void>();

  constructor(image: readonly [width: number, height: number]) {
    this.image = image;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  toImage([x, y]: Point): Point {
    return [this.x + x / this.scale, this.y + y / this.scale];
  }

  toScreen([x, y]: Point): Point {
    return [(x - this.x) * this.scale, (y - this.y) * this.scale];
  }

  /** The part of the image on the screen, whole pixels. */
  get seen(): Box {
    const [w, h] = this.screen;
    const box: Box = [
      Math.floor(this.x), Math.floor(this.y), Math.ceil(this.x + w / this.scale), Math.ceil(this.y + h / this.scale),
    ];
    return clip(box, [0, 0, ...this.image]);
  }

  resize(wide: number, tall: number): void {
    [this.screen[0], this.screen[1]] = [Math.max(1, wide), Math.max(1, tall)];
    this.#settle();
  }

  /** Shows the whole image. */
  fit(): void {
    this.show([0, 0, ...this.image], 0);
  }

  /** Shows a box with a margin (share of its size), in the middle of the screen. */
  show(box: Box, margin = 0.25): void {
    const [w, h] = [width(box) * (1 + 2 * margin), height(box) * (1 + 2 * margin)];
    this.scale = this.#bounded(Math.min(this.screen[0] / Math.max(w, 1), this.screen[1] / Math.max(h, 1)));
    this.x = (box[0] + box[2]) / 2 - this.screen[0] / this.scale / 2;
    this.y = (box[1] + box[3]) / 2 - this.screen[1] / this.scale / 2;
    this.#settle();
  }

  /** Zooms by a factor about a point of the screen. */
  zoom(factor: number, about: Point = [this.screen[0] / 2, this.screen[1] / 2]): void {
    this.zoomTo(this.scale * factor, about);
  }

  zoomTo(scale: number, about: Point = [this.screen[0] / 2, this.screen[1] / 2]): void {
    const [x, y] = this.toImage(about);
    this.scale = this.#bounded(scale);
    this.x = x - about[0] / this.scale;
    this.y = y - about[1] / this.scale;
    this.#settle();
  }

  /** Moves what one sees by screen pixels. */
  pan(dx: number, dy: number): void {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.#settle();
  }

  /** Puts an image point in the middle of the screen. */
  centre([x, y]: Point): void {
    this.x = x - this.screen[0] / this.scale / 2;
    this.y = y - this.screen[1] / this.scale / 2;
    this.#settle();
  }

  get fitScale(): number {
    return Math.min(this.screen[0] / this.image[0], this.screen[1] / this.image[1]);
  }

  #bounded(scale: number): number {
    return Math.min(MAX_SCALE, Math.max(Math.min(this.fitScale / 4, 1), scale));
  }

  /** Keeps the middle of the screen over the image, so that one cannot get lost. */
  #settle(): void {
    const [halfWide, halfTall] = [this.screen[0] / this.scale / 2, this.screen[1] / this.scale / 2];
    this.x = Math.min(this.image[0] - halfWide, Math.max(-halfWide, this.x));
    this.y = Math.min(this.image[1] - halfTall, Math.max(-halfTall, this.y));
    for (const listener of this.#listeners) listener();
  }
}
