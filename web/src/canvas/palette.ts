/** Colours by slot: two look-up tables of 32-bit pixels, one for areas and one for outlines. */
import type { Document, Segment } from "../core/document.ts";
import type { Classes } from "../core/classes.ts";
import { type View, isShown } from "../core/settings.ts";

export type Rgb = readonly [red: number, green: number, blue: number];

/** Okabe and Ito's colours, which differ to colour-blind eyes, black left out. */
const SAFE: readonly Rgb[] = [
  [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167],
];
const GOLDEN = 0.618033988749895;

export interface Palette {
  readonly areas: Uint32Array;
  readonly outlines: Uint32Array;
  /** 1 for slots whose outline is dashed: proposals that nobody has accepted. */
  readonly dashed: Uint8Array;
  /** 1 for selected slots. */
  readonly selected: Uint8Array;
}

/** A pixel as the little-endian machines on which browsers run keep it. */
export const pixel = ([red, green, blue]: Rgb, alpha: number): number =>
  ((Math.round(alpha * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;

export function parseColour(text: string): Rgb {
  const value = Number.parseInt(text.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** The colour of a class as the view asks for it. */
export function classColour(classId: number, classes: Classes, view: Pick<View, "colours">): Rgb {
  const row = classes.get(classId);
  if (!row) return [128, 128, 128];
  return view.colours === "safe" ? SAFE[classes.rows.indexOf(row) % SAFE.length] : parseColour(row.colour);
}

/** The colour of a segment as the view asks for it; panels use it for their swatches too. */
export function colourOf(segment: Segment, classes: Classes, view: Pick<View, "colours">): Rgb {
  const own = classColour(segment.class_id, classes, view);
  if (view.colours === "class") return own;
  if (view.colours === "safe") return shade(own, segment.instance_id ? ((segment.instance_id % 5) - 2) * 0.12 : 0);
  return segment.instance_id > 1 ? kin(own, segment.instance_id, classes) : own;
}

/** A colour for an instance, akin to that of its class: half of all hues at most, all where there is one class of things. */
function kin(colour: Rgb, instance: number, classes: Classes): Rgb {
  const things = classes.rows.filter(({ kind }) => kind === "thing").length;
  const spread = Math.min(1, Math.max(0.5, 0.9 / Math.max(1, things)));
  const turn = ((instance - 1) * GOLDEN) % 1;
  const hue = hueOf(colour) + (turn > 0.5 ? turn - 1 : turn) * spread;
  return fromHue(hue - Math.floor(hue), [0.5, 0.64, 0.55, 0.7][instance % 4]);
}

/** Tables for all slots of a document. */
export function paletteOf(document: Document, classes: Classes, view: View, selection: readonly string[]): Palette {
  const count = document.pixels.rank.length;
  const palette = {
    areas: new Uint32Array(count),
    outlines: new Uint32Array(count),
    dashed: new Uint8Array(count),
    selected: new Uint8Array(count),
  };
  const chosen = new Set(selection);
  for (const segment of document.segments) {
    if (!isShown(view, segment.key)) continue;
    const colour = colourOf(segment, classes, view);
    const isChosen = chosen.has(segment.key);
    palette.areas[segment.slot] = pixel(colour, isChosen ? Math.min(1, view.opacity + 0.2) : view.opacity);
    palette.outlines[segment.slot] = isChosen ? pixel([255, 255, 255], 1) : view.outlines ? pixel(shade(colour, -0.25), 0.95) : 0;
    palette.dashed[segment.slot] = segment.state === "proposed" ? 1 : 0;
    palette.selected[segment.slot] = isChosen ? 1 : 0;
  }
  return palette;
}

function shade([r, g, b]: Rgb, by: number): Rgb {
  const move = (v: number): number => Math.round(by < 0 ? v * (1 + by) : v + (255 - v) * by);
  return [move(r), move(g), move(b)];
}

/** 0 .. 1, red first. */
function hueOf([r, g, b]: Rgb): number {
  const [top, range] = [Math.max(r, g, b), Math.max(r, g, b) - Math.min(r, g, b)];
  if (!range) return 0;
  const sixth = top === r ? ((g - b) / range + 6) % 6 : top === g ? (b - r) / range + 2 : (r - g) / range + 4;
  return sixth / 6;
}

function fromHue(hue: number, light: number): Rgb {
  const channel = (offset: number): number => {
    const k = (offset + hue * 12) % 12;
    return Math.round(255 * (light - 0.75 * Math.min(light, 1 - light) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
