/** Draws: the image, the segments over it and what the tool shows on top, each on a canvas of its own, once a frame. */
import type { Segment } from "../core/document.ts";
import type { Editor } from "../core/editor.ts";
import { type Box, cover, isEmpty, width, height } from "../core/geometry.ts";
import { drawOverlay } from "./overlay.ts";
import { type Palette, paletteOf } from "./palette.ts";
import type { ImageLayer } from "./picture.ts";
import { Sampler, type Sight } from "./sampler.ts";

export interface Canvases {
  readonly image: HTMLCanvasElement;
  readonly segments: HTMLCanvasElement;
  readonly top: HTMLCanvasElement;
}

const MOST = 4_000_000; // screen pixels that can be sampled within a frame or two

type Part = "image" | "segments" | "palette" | "top";

export class Renderer {
  /** Called after each frame with the milliseconds that drawing it took. */
  onFrame: ((milliseconds: number) => void) | null = null;
  readonly #editor: Editor;
  readonly #canvases: Canvases;
  readonly #contexts: Readonly<Record<keyof Canvases, CanvasRenderingContext2D>>;
  readonly #stops: (() => void)[];
  #image: ImageLayer | null = null;
  #sampler = new Sampler(1, 1);
  #picture = new ImageData(1, 1);
  #palette: Palette;
  #painted: readonly Segment[] = [];
  #ratio = 1;
  #frame = 0;
  #stale: Record<Part, boolean> = { image: true, segments: true, palette: true, top: true };
  /** Image box whose pixels changed. */
  #dirty: Box | null = null;

  constructor(editor: Editor, canvases: Canvases) {
    this.#editor = editor;
    this.#canvases = canvases;
    const context = (canvas: HTMLCanvasElement): CanvasRenderingContext2D => canvas.getContext("2d")!;
    this.#contexts = { image: context(canvases.image), segments: context(canvases.segments), top: context(canvases.top) };
    this.#palette = paletteOf(editor.document, editor.classes, editor.view, editor.selection);
    this.#stops = [
      editor.viewport.subscribe(() => this.#mark("image", "segments", "top")),
      editor.document.subscribe(({ dirty, heads }) => {
        this.#dirty = cover(this.#dirty, dirty);
        if (heads) this.#mark("segments", "palette");
        else if (dirty) this.#mark();
      }),
      editor.subscribe((topic) => {
        if (topic === "selection") this.#mark("segments", "palette");
        else if (topic === "view") this.#mark("image", "segments", "palette");
        else if (topic === "preview" || topic === "tool") this.#mark("top");
      }),
    ];
  }

  /** The image to draw; null takes it away. */
  show(image: ImageLayer | null): void {
    this.#image = image;
    this.#mark("image");
  }

  /** Follows the size of the screen: CSS pixels, and device pixels for each as far as they can be drawn in time. */
  resize(wide: number, tall: number, device: number): void {
    const ratio = (this.#ratio = Math.min(device, Math.max(1, Math.sqrt(MOST / (wide * tall)))));
    const [w, h] = [Math.max(1, Math.round(wide * ratio)), Math.max(1, Math.round(tall * ratio))];
    for (const canvas of Object.values(this.#canvases)) [canvas.width, canvas.height] = [w, h];
    this.#sampler = new Sampler(w, h);
    this.#picture = new ImageData(new Uint8ClampedArray(this.#sampler.colours.buffer as ArrayBuffer), w, h);
    this.#editor.viewport.resize(wide, tall);
    this.#mark("image", "segments", "top");
  }

  /** Draws now what waits for the next frame. */
  draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const start = performance.now();
    const stale = this.#stale;
    this.#stale = { image: false, segments: false, palette: false, top: false };
    if (stale.palette) this.#repaint();
    if (stale.image) this.#drawImage();
    this.#drawSegments(stale.segments);
    if (stale.top) this.#drawTop();
    this.onFrame?.(performance.now() - start);
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    for (const stop of this.#stops) stop();
  }

  get sight(): Sight {
    const { x, y, scale } = this.#editor.viewport;
    return { x, y, scale: scale * this.#ratio };
  }

  #mark(...parts: Part[]): void {
    for (const part of parts) this.#stale[part] = true;
    this.#frame ||= requestAnimationFrame(() => this.draw());
  }

  #repaint(): void {
    const { document, classes, view, selection } = this.#editor;
    this.#palette = paletteOf(document, classes, view, selection);
    this.#painted = document.segments;
  }

  #drawImage(): void {
    const { image } = this.#canvases;
    const { brightness, contrast, channel } = this.#editor.view;
    const filter = brightness === 1 && contrast === 1 ? "" : `brightness(${brightness}) contrast(${contrast})`;
    if (image.style.filter !== filter) image.style.filter = filter;
    if (this.#image) this.#image.draw(this.#contexts.image, this.sight, channel);
    else this.#contexts.image.clearRect(0, 0, image.width, image.height);
  }

  #drawSegments(whole: boolean): void {
    const { document, view } = this.#editor;
    const box = whole ? this.#sampler.bounds : this.#dirty && this.#sampler.screenBox(this.#dirty, this.sight);
    this.#dirty = null;
    if (!box || isEmpty(box)) return;
    if (this.#painted !== document.segments) this.#repaint(); // the open gesture has made a segment
    this.#sampler.draw(document, this.#palette, this.sight, view, box);
    this.#contexts.segments.putImageData(this.#picture, 0, 0, box[0], box[1], width(box), height(box));
  }

  #drawTop(): void {
    const { document, preview } = this.#editor;
    drawOverlay(this.#contexts.top, this.sight, document.pixels.bounds, preview, this.#ratio);
  }
}
