/** The rings of a polygon being drawn: several parts, holes by a ring inside another, points that can be moved. */
import { type Point, distance, nearestOnLine } from "../core/geometry.ts";
import { fillPolygon } from "../core/raster.ts";
import type { Region } from "../core/region.ts";
import { inRing, partsOf, signedArea } from "../core/trace.ts";

export interface Grip {
  readonly ring: number;
  readonly point: number;
}

export class Rings {
  rings: Point[][] = [];

  constructor(rings: readonly (readonly Point[])[] = []) {
    this.rings = rings.map((ring) => [...ring]);
  }

  /** The point nearest to `at`; null when none is within `reach`. */
  grip(at: Point, reach: number): Grip | null {
    let [best, found]: [number, Grip | null] = [reach, null];
    this.rings.forEach((points, ring) =>
      points.forEach((p, point) => {
        const far = distance(p, at);
        if (far <= best) [best, found] = [far, { ring, point }];
      }),
    );
    return found;
  }

  /** Adds a point to the line nearest to `at`; null when none is within `reach`. */
  insert(at: Point, reach: number): Grip | null {
    let [best, found]: [number, Grip | null] = [reach, null];
    this.rings.forEach((points, ring) =>
      points.forEach((p, point) => {
        const far = distance(at, nearestOnLine(at, p, points[(point + 1) % points.length]));
        if (far <= best) [best, found] = [far, { ring, point: point + 1 }];
      }),
    );
    if (found) this.rings[(found as Grip).ring].splice((found as Grip).point, 0, at);
    return found;
  }

  move({ ring, point }: Grip, to: Point): void {
    this.rings[ring][point] = to;
  }

  /** Takes a point away; a ring of fewer than three goes whole. */
  remove({ ring, point }: Grip): void {
    this.rings[ring].splice(point, 1);
    if (this.rings[ring].length < 3) this.rings.splice(ring, 1);
  }

  /** What the rings enclose: a ring inside another is a hole, one inside that a part again. */
  region(size: readonly [number, number]): Region {
    const turned = this.rings.map((ring) => {
      const depth = this.rings.filter((other) => other !== ring && inRing(ring[0], other)).length;
      const outer = depth % 2 === 0;
      return signedArea(ring) > 0 === outer ? ring : [...ring].reverse();
    });
    return fillPolygon(partsOf(turned), size);
  }
}
