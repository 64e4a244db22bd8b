/** Shapes to regions. Polygons by the pixel-edge rule, equal to Python's `inlay.core.polygons.fill` pixel for pixel. */
import { type Box, type Point, boxOf, clip, grow, isEmpty, width } from "./geometry.ts";
import { type Region, blank, stamp, subtract } from "./region.ts";

const FINE = 5; // samples per pixel; a column's middle lies between samples 2 and 3
const MIDDLE = 2;

const fine = (coordinate: number): number => Math.trunc(FINE * coordinate + 0.5);

/** The pixel below a crossing at a sample, 0 .. tall. */
const pixelRow = (sample: number, tall: number): number =>
  sample <= MIDDLE ? 0 : Math.min(tall, Math.trunc((sample + FINE - 1 - MIDDLE) / FINE));

/** Sample `t` of a line, rounded as the reference does: towards zero after adding one half. */
const sample = (start: number, slope: number, t: number): number => Math.trunc(start + slope * t + 0.5);

type Cross = (column: number, row: number) => void;

/** Where one edge, in samples, crosses the middles of the columns 0 .. wide - 1. */
function crossings(x0: number, y0: number, x1: number, y1: number, wide: number, tall: number, cross: Cross): void {
  const [dx, dy] = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
  const first = Math.max(0, Math.ceil((Math.min(x0, x1) - MIDDLE) / FINE));
  const last = Math.min(wide - 1, Math.floor((Math.max(x0, x1) - MIDDLE - 1) / FINE));
  if (first > last) return;
  if (dx >= dy) {
    if (x0 > x1) [x0, y0, x1, y1] = [x1, y1, x0, y0];
    const slope = (y1 - y0) / dx;
    for (let column = first; column <= last; column++) {
      const t = FINE * column + MIDDLE - x0;
      cross(column, pixelRow(Math.min(sample(y0, slope, t), sample(y0, slope, t + 1)), tall));
    }
    return;
  }
  if (y0 > y1) [x0, y0, x1, y1] = [x1, y1, x0, y0];
  const slope = (x1 - x0) / dy;
  for (let column = first; column <= last; column++) {
    const middle = FINE * column + MIDDLE;
    const passed = (t: number): boolean => (slope > 0 ? sample(x0, slope, t) > middle : sample(x0, slope, t) <= middle);
    // The first sample beyond the middle: guessed by division, then made exact, for rounding decides.
    let t = Math.min(dy, Math.max(1, Math.trunc((middle - x0 + 0.5) / slope)));
    while (t > 1 && passed(t - 1)) t--;
    while (t < dy && !passed(t)) t++;
    cross(column, pixelRow(y0 + t - 1, tall));
  }
}

/** Toggles each column below every crossing of a ring, then sums down: the inside by the even-odd rule. */
function fillRing(ring: readonly Point[], frame: Box): Region {
  const out = blank(clip(grow(boxOf(ring), 1), frame));
  const [left, top, right, bottom] = out.box;
  if (isEmpty(out.box)) return out;
  const wide = right - left;
  const columns: number[][] = Array.from({ length: wide }, () => []);
  const cross: Cross = (column, row) => {
    if (column >= left && column < right) columns[column - left].push(row);
  };
  let [x, y] = ring[ring.length - 1].map(fine);
  for (const point of ring) {
    const [nx, ny] = point.map(fine);
    crossings(x, y, nx, ny, frame[2], frame[3], cross);
    [x, y] = [nx, ny];
  }
  columns.forEach((rows, column) => {
    rows.sort((a, b) => a - b);
    for (let k = 0; k + 1 < rows.length; k += 2)
      for (let row = Math.max(top, rows[k]); row < Math.min(bottom, rows[k + 1]); row++)
        out.bits[(row - top) * wide + column] = 1;
  });
  return out;
}

/** The pixels of an image of `size` inside a polygon: parts of an outer ring and then its holes. */
export function fillPolygon(parts: readonly (readonly (readonly Point[])[])[], size: readonly [number, number]): Region {
  const frame: Box = [0, 0, size[0], size[1]];
  const filled = parts
    .filter((rings) => rings.length && rings[0].length)
    .map(([outer, ...holes]) => holes.filter((hole) => hole.length).reduce((all, hole) => subtract(all, fillRing(hole, frame)), fillRing(outer, frame)));
  if (filled.length === 1) return filled[0];
  const points = filled.flatMap(({ box }): Point[] => (isEmpty(box) ? [] : [[box[0], box[1]], [box[2], box[3]]]));
  const out = blank(points.length ? boxOf(points) : [0, 0, 0, 0]);
  for (const part of filled) stamp(out, part, 1);
  return out;
}

/** The pixels whose middle lies within `radius` of the line from `a` to `b`: one stretch of a round brush. */
export function fillStroke(a: Point, b: Point, radius: number, frame: Box): Region {
  const reach = Math.max(radius, 0.5);
  const [low, high] = [[Math.min(a[0], b[0]), Math.min(a[1], b[1])], [Math.max(a[0], b[0]), Math.max(a[1], b[1])]];
  const around: Box = [Math.floor(low[0] - reach), Math.floor(low[1] - reach), Math.ceil(high[0] + reach), Math.ceil(high[1] + reach)];
  const out = blank(clip(around, frame));
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy || 1;
  for (let y = out.box[1], i = 0; y < out.box[3]; y++)
    for (let x = out.box[0]; x < out.box[2]; x++, i++) {
      const [px, py] = [x + 0.5 - a[0], y + 0.5 - a[1]];
      const t = Math.min(1, Math.max(0, (px * dx + py * dy) / length));
      const [ox, oy] = [px - t * dx, py - t * dy];
      if (ox * ox + oy * oy <= reach * reach) out.bits[i] = 1;
    }
  return out;
}

/** The dab of a round brush; at least the pixel that `at` lies in. */
export function fillDab(at: Point, radius: number, frame: Box): Region {
  const dab = fillStroke(at, at, radius, frame);
  const [x, y] = [Math.floor(at[0]), Math.floor(at[1])];
  if (x >= dab.box[0] && y >= dab.box[1] && x < dab.box[2] && y < dab.box[3]) dab.bits[(y - dab.box[1]) * width(dab.box) + x - dab.box[0]] = 1;
  return dab;
}

/** The pixels of a line one pixel wide, which cuts what hangs together over edges. */
export function fillLine(points: readonly Point[], frame: Box): Region {
  const out = blank(clip(grow(boxOf(points), 1), frame));
  const set = (x: number, y: number): void => {
    if (x >= out.box[0] && y >= out.box[1] && x < out.box[2] && y < out.box[3]) out.bits[(y - out.box[1]) * width(out.box) + x - out.box[0]] = 1;
  };
  for (let k = 0; k + 1 < points.length; k++) {
    const [a, b] = [points[k], points[k + 1]];
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(b[0] - a[0]), Math.abs(b[1] - a[1]))) * 2);
    let [lastX, lastY] = [NaN, NaN];
    for (let t = 0; t <= steps; t++) {
      const [x, y] = [Math.floor(a[0] + ((b[0] - a[0]) * t) / steps), Math.floor(a[1] + ((b[1] - a[1]) * t) / steps)];
      if (x !== lastX && y !== lastY && t) set(x, lastY); // no diagonal step: it would leave a way through
      set(x, y);
      [lastX, lastY] = [x, y];
    }
  }
  return out;
}
