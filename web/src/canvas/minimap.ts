/** The minimap: the whole image in a corner, with the part that one sees; a click goes there. */
import type { Editor } from "../core/editor.ts";
import { paletteOf } from "./palette.ts";
import type { ImageLayer } from "./picture.ts";
import { Sampler } from "./sampler.ts";

const SIDE = 160; // CSS pixels
const PAUSE = 200; // milliseconds between two samplings while one draws

export class Minimap {
  readonly canvas: HTMLCanvasElement;
  readonly #editor: Editor;
  readonly #stops: (() => void)[];
  readonly #scale: number;
  #image: ImageLayer | null = null;
  #ground: OffscreenCanvas;
  #timer = 0;

  constructor(editor: Editor, canvas: HTMLCanvasElement) {
    this.#editor = editor;
    this.canvas = canvas;
    const { width, height } = editor.document;
    this.#scale = SIDE / Math.max(width, height);
    [canvas.width, canvas.height] = [width, height].map((v) => Math.max(1, Math.round(v * this.#scale)));
    this.#ground = new OffscreenCanvas(canvas.width, canvas.height);
    const go = (event: PointerEvent): void => {
      if (event.buttons & 1) editor.viewport.centre([event.offsetX / this.#scale, event.offsetY / this.#scale]);
      event.stopPropagation();
    };
    canvas.addEventListener("pointerdown", go);
    canvas.addEventListener("pointermove", go);
    this.#stops = [
      editor.viewport.subscribe(() => this.#draw()),
      editor.document.subscribe(() => this.#later()),
      editor.subscribe((topic) => topic === "view" && this.#later()),
    ];
    this.#later();
  }

  show(image: ImageLayer | null): void {
    this.#image = image;
    this.#later();
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
  }

  #later(): void {
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      this.#sample();
      this.#draw();
    }, PAUSE);
  }

  #sample(): void {
    const { document, classes, view } = this.#editor;
    const { width, height } = this.canvas;
    const context = this.#ground.getContext("2d") as unknown as CanvasRenderingContext2D;
    const sight = { x: 0, y: 0, scale: this.#scale };
    context.clearRect(0, 0, width, height);
    this.#image?.draw(context, sight, "all");
    const sampler = new Sampler(width, height);
    sampler.draw(document, paletteOf(document, classes, { ...view, outlines: false }, []), sight, { amodal: false, gaps: view.gaps });
    const over = new OffscreenCanvas(width, height);
    over.getContext("2d")!.putImageData(new ImageData(new Uint8ClampedArray(sampler.colours.buffer as ArrayBuffer), width, height), 0, 0);
    context.drawImage(over, 0, 0);
  }

  #draw(): void {
    const { viewport, view, document } = this.#editor;
    const whole = viewport.scale <= viewport.fitScale * 1.01;
    this.canvas.hidden = !view.minimap || whole;
    if (this.canvas.hidden) return;
    const context = this.canvas.getContext("2d")!;
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.#ground, 0, 0);
    const [x0, y0, x1, y1] = viewport.seen.map((v) => v * this.#scale);
    context.lineWidth = 2;
    context.strokeStyle = "#ffd400";
    context.strokeRect(x0, y0, Math.max(2, x1 - x0), Math.max(2, y1 - y0));
    context.lineWidth = 1;
    context.strokeStyle = "rgba(255, 255, 255, 0.6)";
    context.strokeRect(0.5, 0.5, document.width * this.#scale - 1, document.height * this.#scale - 1);
  }
}
