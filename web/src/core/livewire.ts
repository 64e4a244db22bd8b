/** Intelligent scissors: the path from a seed to any point near it that clings to edges of the image. */
import { type Box, type Point, width } from "./geometry.ts";
import type { Pixels } from "./picture.ts";

const COSTS = 64; // what a step away from any edge costs; along a strong edge it is 1

/** Strength of the image's edges, 0 .. 1: Sobel over the three channels, the strongest counts. */
export function gradient({ width: wide, height: tall, data }: Pixels): Float32Array {
  const strength = new Float32Array(wide * tall);
  let highest = 1;
  for (let y = 0, i = 0; y < tall; y++) {
    const [up, down] = [y > 0 ? -4 * wide : 0, y + 1 < tall ? 4 * wide : 0];
    for (let x = 0; x < wide; x++, i++) {
      const left = x > 0 ? -4 : 0;
      const right = x + 1 < wide ? 4 : 0;
      let squared = 0;
      for (let at = 4 * i; at < 4 * i + 3; at++) {
        const falling = data[at + down + right] - data[at + up + left];
        const rising = data[at + up + right] - data[at + down + left];
        const dx = falling + rising + 2 * (data[at + right] - data[at + left]);
        const dy = falling - rising + 2 * (data[at + down] - data[at + up]);
        squared = Math.max(squared, dx * dx + dy * dy);
      }
      strength[i] = Math.sqrt(squared);
      highest = Math.max(highest, strength[i]);
    }
  }
  for (let i = 0; i < strength.length; i++) strength[i] /= highest;
  return strength;
}

/** All cheapest paths from one seed inside a box. */
export class Livewire {
  readonly box: Box;
  readonly #from: Int32Array;

  constructor(pixels: Pixels, box: Box, seed: Point) {
    this.box = box;
    const strength = gradient(pixels);
    const cost = new Uint8Array(strength.length);
    for (let i = 0; i < cost.length; i++) cost[i] = 1 + Math.round((COSTS - 1) * (1 - Math.sqrt(strength[i])) ** 2);
    this.#from = cheapest(cost, pixels.width, pixels.height, this.#index(seed));
  }

  /** The path from the seed to the pixel nearest to `to`, through pixel middles. */
  path(to: Point): Point[] {
    const wide = width(this.box);
    const points: Point[] = [];
    for (let i = this.#index(to); i >= 0; i = this.#from[i])
      points.push([this.box[0] + (i % wide) + 0.5, this.box[1] + Math.floor(i / wide) + 0.5]);
    return points.reverse();
  }

  #index([x, y]: Point): number {
    const [x0, y0, x1, y1] = this.box;
    const column = Math.min(x1 - 1, Math.max(x0, Math.floor(x))) - x0;
    return (Math.min(y1 - 1, Math.max(y0, Math.floor(y))) - y0) * (x1 - x0) + column;
  }
}

/** Dijkstra's way with buckets: for each pixel the one before it, -1 at the seed. Costs are small whole numbers. */
function cheapest(cost: Uint8Array, wide: number, tall: number, seed: number): Int32Array {
  const from = new Int32Array(wide * tall).fill(-1);
  const total = new Int32Array(wide * tall).fill(2 ** 31 - 1);
  const done = new Uint8Array(wide * tall);
  const ring = 2 * COSTS * 10; // more than the dearest step, so that buckets never mix
  const buckets: number[][] = Array.from({ length: ring }, () => []);
  total[seed] = 0;
  buckets[0].push(seed);
  for (let at = 0, open = 1; open > 0; at++) {
    const bucket = buckets[at % ring];
    for (let i = bucket.pop(); i !== undefined; i = bucket.pop(), open--) {
      if (done[i]) continue;
      done[i] = 1;
      const x = i % wide;
      for (let dy = -1; dy <= 1; dy++)
        for (let dx = -1; dx <= 1; dx++) {
          const next = i + dy * wide + dx;
          if (x + dx < 0 || x + dx >= wide || next < 0 || next >= done.length || done[next]) continue;
          const price = at + cost[next] * (dx && dy ? 14 : 10);
          if (price >= total[next]) continue;
          total[next] = price;
          from[next] = i;
          buckets[price % ring].push(next);
          open++;
        }
    }
  }
  return from;
}
