/** What hangs together: connected parts of regions and floods over the image. */
import { type Box, type Point, width } from "./geometry.ts";
import { type Region, blank, trim } from "./region.ts";

/** The pixels of `frame` that hang together with the one at `at` over edges, as far as `may` allows (pixel coordinates). */
export function flood(at: Point, frame: Box, may: (x: number, y: number) => boolean, limit = Infinity): Region | null {
  const [x0, y0, x1, y1] = frame;
  const [startX, startY] = [Math.floor(at[0]), Math.floor(at[1])];
  if (startX < x0 || startY < y0 || startX >= x1 || startY >= y1 || !may(startX, startY)) return null;
  const out = blank(frame);
  const wide = width(frame);
  const stack: number[] = [startX, startY];
  const isOpen = (x: number, y: number): boolean => !out.bits[(y - y0) * wide + x - x0] && may(x, y);
  let count = 0;
  while (stack.length && count < limit) {
    const y = stack.pop()!;
    let x = stack.pop()!;
    if (!isOpen(x, y)) continue;
    while (x > x0 && isOpen(x - 1, y)) x--;
    let [above, below] = [false, false];
    for (; x < x1 && isOpen(x, y); x++, count++) {
      out.bits[(y - y0) * wide + x - x0] = 1;
      if (y > y0 && isOpen(x, y - 1) !== above && (above = !above)) stack.push(x, y - 1);
      if (y + 1 < y1 && isOpen(x, y + 1) !== below && (below = !below)) stack.push(x, y + 1);
    }
  }
  return trim(out);
}

const [OPEN, TAKEN] = [2, 1];

/** What hangs together with a pixel of the whole image and has no owner, until `limit` pixels are found. */
export function floodGap(at: Point, idMap: Uint16Array, wide: number, limit: number): { region: Region; area: number } | null {
  const tall = idMap.length / wide;
  const start = Math.floor(at[1]) * wide + Math.floor(at[0]);
  if (!(at[0] >= 0 && at[1] >= 0 && at[0] < wide && at[1] < tall) || idMap[start]) return null;
  const bits = new Uint8Array(idMap.length);
  for (let i = 0; i < bits.length; i++) if (!idMap[i]) bits[i] = OPEN;
  const stack = [start];
  let area = 0;
  while (stack.length && area < limit) {
    let i = stack.pop()!;
    if (bits[i] !== OPEN) continue;
    const row = i - (i % wide);
    while (i > row && bits[i - 1] === OPEN) i--;
    let [above, below] = [false, false];
    for (const end = row + wide; i < end && bits[i] === OPEN; i++, area++) {
      bits[i] = TAKEN;
      if (row && (bits[i - wide] === OPEN) !== above && (above = !above)) stack.push(i - wide);
      if (i + wide < bits.length && (bits[i + wide] === OPEN) !== below && (below = !below)) stack.push(i + wide);
    }
  }
  for (let i = 0; i < bits.length; i++) bits[i] &= TAKEN;
  return { region: trim({ box: [0, 0, wide, tall], bits })!, area };
}

/** The connected parts of a region (over edges), largest first. */
export function parts(region: Region): Region[] {
  const wide = width(region.box);
  const rest = region.bits.slice();
  const found: [number, Region][] = [];
  for (let start = rest.indexOf(1); start >= 0; start = rest.indexOf(1, start + 1)) {
    const pixels = [start];
    rest[start] = 0;
    for (let k = 0; k < pixels.length; k++) {
      const i = pixels[k];
      const x = i % wide;
      for (const next of [x > 0 ? i - 1 : -1, x + 1 < wide ? i + 1 : -1, i - wide, i + wide])
        if (next >= 0 && rest[next]) {
          rest[next] = 0;
          pixels.push(next);
        }
    }
    found.push([pixels.length, collected(pixels, region.box)]);
  }
  return found.sort((a, b) => b[0] - a[0]).map(([, part]) => part);
}

/** The region of pixels given by their indices in `box`. */
function collected(pixels: readonly number[], box: Box): Region {
  const wide = width(box);
  let [x0, y0, x1, y1] = [Infinity, Infinity, -1, -1];
  for (const i of pixels) {
    const [x, y] = [i % wide, Math.floor(i / wide)];
    [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
  }
  const out = blank([box[0] + x0, box[1] + y0, box[0] + x1 + 1, box[1] + y1 + 1]);
  for (const i of pixels) out.bits[(Math.floor(i / wide) - y0) * (x1 - x0 + 1) + (i % wide) - x0] = 1;
  return out;
}

/** The region with its holes filled. */
export function fillHoles(region: Region): Region {
  const wide = width(region.box) + 2;
  const [x0, y0, x1, y1] = region.box;
  const around = flood([x0 - 1, y0 - 1], [x0 - 1, y0 - 1, x1 + 1, y1 + 1], (x, y) => {
    const inside = x >= x0 && y >= y0 && x < x1 && y < y1;
    return !inside || !region.bits[(y - y0) * (wide - 2) + x - x0];
  })!;
  const out = blank(region.box);
  for (let y = y0, i = 0; y < y1; y++)
    for (let x = x0; x < x1; x++, i++) out.bits[i] = around.bits[(y - y0 + 1) * wide + x - x0 + 1] ? 0 : 1;
  return out;
}
