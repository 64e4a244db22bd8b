/** The image: drawn from the level of a pyramid that fits the screen, and cropped for tools that read its pixels. */
import type { Box } from "../core/geometry.ts";
import type { Picture, Pixels } from "../core/picture.ts";
import type { View } from "../core/settings.ts";
import type { Sight } from "./sampler.ts";

const CHANNELS = { red: 0, green: 1, blue: 2 } as const;

export class ImageLayer implements Picture {
  readonly width: number;
  readonly height: number;
  readonly #levels: ImageBitmap[];
  #closed = false;

  private constructor(whole: ImageBitmap) {
    this.#levels = [whole];
    [this.width, this.height] = [whole.width, whole.height];
  }

  /** The image of a file or answer; its smaller copies follow when there is time. */
  static async from(blob: Blob): Promise<ImageLayer> {
    const layer = new ImageLayer(await createImageBitmap(blob));
    setTimeout(() => void layer.#shrink(), 100);
    return layer;
  }

  async #shrink(): Promise<void> {
    for (let last = this.#levels[0]; !this.#closed && Math.max(last.width, last.height) > 1024; ) {
      const [resizeWidth, resizeHeight] = [Math.ceil(last.width / 2), Math.ceil(last.height / 2)];
      last = await createImageBitmap(last, { resizeWidth, resizeHeight, resizeQuality: "medium" });
      if (this.#closed) last.close();
      else this.#levels.push(last);
    }
  }

  crop([x0, y0, x1, y1]: Box): Pixels {
    const canvas = new OffscreenCanvas(x1 - x0, y1 - y0);
    const context = canvas.getContext("2d", { willReadFrequently: true })!;
    context.drawImage(this.#levels[0], -x0, -y0);
    return context.getImageData(0, 0, x1 - x0, y1 - y0);
  }

  /** Draws what one sees of the image; pixels stay square where they are larger than the screen's. */
  draw(context: CanvasRenderingContext2D, sight: Sight, channel: View["channel"]): void {
    const { width, height } = context.canvas;
    context.clearRect(0, 0, width, height);
    const level = this.#levels.findLast((bitmap) => bitmap.width / this.width >= Math.min(1, sight.scale)) ?? this.#levels[0];
    const shrunk = level.width / this.width;
    context.imageSmoothingEnabled = sight.scale < 2;
    context.imageSmoothingQuality = "low";
    const [x0, y0] = [Math.max(0, Math.floor(sight.x)), Math.max(0, Math.floor(sight.y))];
    const x1 = Math.min(this.width, Math.ceil(sight.x + width / sight.scale));
    const y1 = Math.min(this.height, Math.ceil(sight.y + height / sight.scale));
    if (x1 <= x0 || y1 <= y0) return;
    const from = [x0, y0, x1 - x0, y1 - y0].map((v) => v * shrunk) as [number, number, number, number];
    const k = sight.scale;
    context.drawImage(level, ...from, (x0 - sight.x) * k, (y0 - sight.y) * k, (x1 - x0) * k, (y1 - y0) * k);
    if (channel !== "all") showChannel(context, CHANNELS[channel]);
  }

  /** Gives the memory of the image back. */
  close(): void {
    this.#closed = true;
    for (const level of this.#levels) level.close();
  }
}

function showChannel(context: CanvasRenderingContext2D, channel: number): void {
  const { width, height } = context.canvas;
  const image = context.getImageData(0, 0, width, height);
  const { data } = image;
  for (let i = 0; i < data.length; i += 4) data[i] = data[i + 1] = data[i + 2] = data[i + channel];
  context.putImageData(image, 0, 0);
}
