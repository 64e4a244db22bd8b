/** Superpixels: patches of like colour and about equal size (SLIC, Achanta et al. 2012, in YCbCr, then made connected). */
import type { Pixels } from "./picture.ts";

const ROUNDS = 5;
const COMPACTNESS = 25; // how much place counts against colour

interface Centres {
  readonly count: number;
  readonly values: Float32Array; // x, y and three colours of each
}

/** A patch number for each pixel; patches hang together and are about `step` pixels wide. */
export function superpixels(pixels: Pixels, step: number): Int32Array {
  const { width, height } = pixels;
  const colours = toColours(pixels);
  const centres = startCentres(colours, width, height, step);
  const labels = new Int32Array(width * height).fill(-1);
  for (let round = 0; round < ROUNDS; round++) {
    assign(labels, colours, centres, width, height, step);
    moveCentres(labels, colours, centres, width);
  }
  return connect(labels, width, height, (step * step) / 4);
}

function toColours({ data, width, height }: Pixels): Float32Array {
  const out = new Float32Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    const luma = 0.299 * r + 0.587 * g + 0.114 * b;
    out[3 * i] = luma;
    out[3 * i + 1] = 0.564 * (b - luma);
    out[3 * i + 2] = 0.713 * (r - luma);
  }
  return out;
}

function startCentres(colours: Float32Array, wide: number, tall: number, step: number): Centres {
  const [across, down] = [Math.max(1, Math.round(wide / step)), Math.max(1, Math.round(tall / step))];
  const values = new Float32Array(5 * across * down);
  for (let k = 0; k < across * down; k++) {
    const x = Math.floor((((k % across) + 0.5) * wide) / across);
    const y = Math.floor(((Math.floor(k / across) + 0.5) * tall) / down);
    values.set([x, y, ...colours.subarray(3 * (y * wide + x), 3 * (y * wide + x) + 3)], 5 * k);
  }
  return { count: across * down, values };
}

function assign(labels: Int32Array, colours: Float32Array, { count, values }: Centres, wide: number, tall: number, step: number): void {
  const best = new Float32Array(wide * tall).fill(Infinity);
  const weight = (COMPACTNESS / step) ** 2;
  for (let k = 0; k < count; k++) {
    const [cx, cy, l, u, v] = values.subarray(5 * k, 5 * k + 5);
    const [x0, x1] = [Math.max(0, Math.floor(cx - step)), Math.min(wide, Math.ceil(cx + step) + 1)];
    const [y0, y1] = [Math.max(0, Math.floor(cy - step)), Math.min(tall, Math.ceil(cy + step) + 1)];
    for (let y = y0; y < y1; y++) {
      const up = weight * (y - cy) * (y - cy);
      for (let x = x0, i = y * wide + x0; x < x1; x++, i++) {
        const dl = colours[3 * i] - l; // plain variables: this loop is the whole cost of a patch under the pointer
        const du = colours[3 * i + 1] - u;
        const dv = colours[3 * i + 2] - v;
        const far = up + weight * (x - cx) * (x - cx) + dl * dl + du * du + dv * dv;
        if (far >= best[i]) continue;
        best[i] = far;
        labels[i] = k;
      }
    }
  }
}

function moveCentres(labels: Int32Array, colours: Float32Array, { count, values }: Centres, wide: number): void {
  const sums = new Float64Array(6 * count);
  for (let i = 0, x = 0, y = 0; i < labels.length; i++, x++) {
    if (x === wide) [x, y] = [0, y + 1];
    const k = labels[i];
    if (k < 0) continue;
    sums[6 * k] += x;
    sums[6 * k + 1] += y;
    for (let c = 0; c < 3; c++) sums[6 * k + 2 + c] += colours[3 * i + c];
    sums[6 * k + 5]++;
  }
  for (let k = 0; k < count; k++)
    if (sums[6 * k + 5]) for (let c = 0; c < 5; c++) values[5 * k + c] = sums[6 * k + c] / sums[6 * k + 5];
}

/** Numbers connected patches; those smaller than `least` join the patch before them. */
function connect(labels: Int32Array, wide: number, tall: number, least: number): Int32Array {
  const out = new Int32Array(wide * tall).fill(-1);
  const pixels = new Int32Array(wide * tall);
  let count = 0;
  for (let start = 0; start < out.length; start++) {
    if (out[start] >= 0) continue;
    pixels[0] = start;
    out[start] = count;
    let [neighbour, length] = [-1, 1];
    for (let k = 0; k < length; k++) {
      const i = pixels[k];
      const x = i % wide;
      for (let side = 0; side < 4; side++) {
        const next = side === 0 ? (x > 0 ? i - 1 : -1) : side === 1 ? (x + 1 < wide ? i + 1 : -1) : side === 2 ? i - wide : i + wide;
        if (next < 0 || next >= out.length) continue;
        if (out[next] >= 0 && out[next] !== count) neighbour = out[next];
        if (out[next] >= 0 || labels[next] !== labels[start]) continue;
        out[next] = count;
        pixels[length++] = next;
      }
    }
    if (length < least && neighbour >= 0) for (let k = 0; k < length; k++) out[pixels[k]] = neighbour;
    else count++;
  }
  return out;
}
