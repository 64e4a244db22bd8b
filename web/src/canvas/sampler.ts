/** The id map as one sees it: sampled once for each screen pixel, coloured by tables. No DOM; all in device pixels. */
import type { Document } from "../core/document.ts";
import type { Box } from "../core/geometry.ts";
import { TILE } from "../core/partition.ts";
import { type Palette, pixel } from "./palette.ts";

/** What is on the screen: image point of its corner, device pixels for one image pixel. */
export interface Sight {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Overlays {
  /** Show what runs on underneath: of all segments, or of selected ones only. */
  readonly amodal: boolean;
  /** Show pixels that nobody owns. */
  readonly gaps: boolean;
}

const GAP = [pixel([255, 0, 170], 0.75), pixel([255, 255, 255], 0.55)] as const;
const NOWHERE = 65535;

export class Sampler {
  readonly width: number;
  readonly height: number;
  /** Slot under each screen pixel; `NOWHERE` outside the image. */
  readonly slots: Uint16Array;
  readonly colours: Uint32Array;
  readonly #columns: Int32Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.slots = new Uint16Array(width * height);
    this.colours = new Uint32Array(width * height);
    this.#columns = new Int32Array(width);
  }

  get bounds(): Box {
    return [0, 0, this.width, this.height];
  }

  /** The screen pixels that show any of an image box, one to spare on each side. */
  screenBox(box: Box, sight: Sight): Box {
    const to = (v: number, origin: number): number => (v - origin) * sight.scale;
    return [
      Math.max(0, Math.floor(to(box[0], sight.x)) - 2), Math.max(0, Math.floor(to(box[1], sight.y)) - 2),
      Math.min(this.width, Math.ceil(to(box[2], sight.x)) + 2), Math.min(this.height, Math.ceil(to(box[3], sight.y)) + 2),
    ];
  }

  /** Samples and colours a box of the screen. */
  draw(document: Document, palette: Palette, sight: Sight, overlays: Overlays, box: Box = this.bounds): void {
    this.#sample(document, sight, box);
    this.#colour(palette, overlays, box);
    const slots = this.#hiddenSlots(document, palette, overlays);
    if (slots.length) this.#hatch(document, palette, sight, slots, box);
    this.#outline(palette, box);
  }

  #sample(document: Document, sight: Sight, [x0, y0, x1, y1]: Box): void {
    const { width: wide, height: tall, idMap } = document;
    for (let x = x0; x < x1; x++) {
      const column = Math.floor(sight.x + (x + 0.5) / sight.scale);
      this.#columns[x] = column >= 0 && column < wide ? column : -1;
    }
    let lastRow = -2;
    for (let y = y0; y < y1; y++) {
      const row = Math.floor(sight.y + (y + 0.5) / sight.scale);
      const at = y * this.width;
      if (row === lastRow && y > y0) {
        this.slots.copyWithin(at + x0, at - this.width + x0, at - this.width + x1);
        continue;
      }
      lastRow = row;
      if (row < 0 || row >= tall) {
        this.slots.fill(NOWHERE, at + x0, at + x1);
        continue;
      }
      const from = row * wide;
      for (let x = x0; x < x1; x++) this.slots[at + x] = this.#columns[x] < 0 ? NOWHERE : idMap[from + this.#columns[x]];
    }
  }

  #colour({ areas }: Palette, { gaps }: Overlays, [x0, y0, x1, y1]: Box): void {
    for (let y = y0; y < y1; y++)
      for (let i = y * this.width + x0, x = x0; x < x1; x++, i++) {
        const slot = this.slots[i];
        if (slot) this.colours[i] = slot === NOWHERE ? 0 : areas[slot];
        else this.colours[i] = gaps ? GAP[((x >> 2) + (y >> 2)) & 1] : 0;
      }
  }

  /** Draws outlines on both sides of where the owner changes: one pixel wide, two for what is selected. */
  #outline(palette: Palette, [x0, y0, x1, y1]: Box): void {
    const { slots, width } = this;
    const [left, right] = [Math.max(0, x0 - 1), Math.min(width - 1, x1)];
    const [top, bottom] = [Math.max(0, y0 - 1), Math.min(this.height - 1, y1)];
    for (let y = top; y <= bottom; y++)
      for (let i = y * width + left, x = left; x <= right; x++, i++) {
        const slot = slots[i];
        if (x < right && slots[i + 1] !== slot) {
          this.#rim(palette, i, x > 0 ? -1 : 0, x, y);
          this.#rim(palette, i + 1, x + 2 < width ? 1 : 0, x + 1, y);
        }
        if (y < bottom && slots[i + width] !== slot) {
          this.#rim(palette, i, y > 0 ? -width : 0, x, y);
          this.#rim(palette, i + width, y + 2 < this.height ? width : 0, x, y + 1);
        }
      }
  }

  /** Colours one pixel of an outline, and the one further in where its segment is selected. */
  #rim({ outlines, dashed, selected }: Palette, i: number, inward: number, x: number, y: number): void {
    const slot = this.slots[i];
    if (!slot || slot === NOWHERE || !outlines[slot] || (dashed[slot] && ((x + y) >> 2) & 1)) return;
    this.colours[i] = outlines[slot];
    if (selected[slot] && this.slots[i + inward] === slot) this.colours[i + inward] = outlines[slot];
  }

  /** Slots whose hidden part is to be seen, front to back. */
  #hiddenSlots(document: Document, { areas, selected }: Palette, { amodal }: Overlays): number[] {
    const { hiddenAreas } = document.pixels;
    return document.segments
      .map(({ slot }) => slot)
      .filter((slot) => hiddenAreas[slot] > 0 && areas[slot] && (amodal || selected[slot]))
      .reverse();
  }

  /** Hatches what runs on underneath, in the colour of the front one of those that are hidden. */
  #hatch(document: Document, { areas, selected }: Palette, sight: Sight, slots: readonly number[], [x0, y0, x1, y1]: Box): void {
    const tiles = new Map<number, readonly (readonly [number, Uint8Array])[]>();
    const { pixels } = document;
    const inTile = (tile: number): readonly (readonly [number, Uint8Array])[] => {
      let found = tiles.get(tile);
      if (!found) {
        found = slots.flatMap((slot) => {
          const bytes = pixels.hiddenTile(slot, tile);
          return bytes ? [[slot, bytes] as const] : [];
        });
        tiles.set(tile, found);
      }
      return found;
    };
    for (let y = y0; y < y1; y++) {
      const row = Math.floor(sight.y + (y + 0.5) / sight.scale);
      if (row < 0 || row >= document.height) continue;
      for (let x = x0; x < x1; x++) {
        const column = this.#columns[x];
        if (((x + y) & 7) >= 3 || column < 0) continue;
        const here = inTile(Math.floor(row / TILE) * pixels.across + Math.floor(column / TILE));
        const place = (row % TILE) * TILE + (column % TILE);
        for (const [slot, bytes] of here)
          if (bytes[place]) {
            this.colours[y * this.width + x] = selected[slot] ? 0xffffffff : (areas[slot] | 0xe0000000) >>> 0;
            break;
          }
      }
    }
  }
}
