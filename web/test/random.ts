/** Random documents and gestures for tests of laws: the same seed gives the same. */
import { Document } from "../src/core/document.ts";
import { Draft, type Manner } from "../src/core/draft.ts";
import type { Box } from "../src/core/geometry.ts";
import { type Gesture, GestureError, type Head } from "../src/core/gesture.ts";
import { type Region, regionOf } from "../src/core/region.ts";

export type Random = () => number;

/** Mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const whole = (random: Random, below: number): number => Math.floor(random() * below);
export const one = <T>(random: Random, from: readonly T[]): T => from[whole(random, from.length)];

export function head(key: string, more: Partial<Head> = {}): Head {
  return { key, class_id: 1, instance_id: 0, crowd: false, tags: [], score: null, source: "hand", state: "final", ...more };
}

/** A disc or a box, here and there with holes, that may leave the image. */
export function randomRegion(random: Random, width: number, height: number): Region {
  const [x, y] = [whole(random, width), whole(random, height)];
  const radius = 1 + whole(random, Math.max(2, width / 3));
  const box: Box = [x - radius, y - radius, x + radius, y + radius];
  const shape = whole(random, 3);
  const has = (px: number, py: number): boolean => {
    if (shape === 0) return Math.hypot(px + 0.5 - x, py + 0.5 - y) < radius;
    return shape === 1 || random() < 0.7;
  };
  return regionOf(box, has);
}

export function randomManner(random: Random, document: Document): Manner {
  const locked = new Set(document.segments.map(({ key }) => key).filter(() => random() < 0.1));
  return {
    mode: one(random, ["layered", "flat"] as const),
    border: one(random, ["wins", "yields"] as const),
    locked,
    isThing: (classId) => classId % 2 === 1,
  };
}

let made = 0;

const STEPS: readonly ((draft: Draft, random: Random, keys: readonly string[]) => void)[] = [
  (draft, random, keys) => {
    const above = keys.length && random() < 0.7 ? one(random, keys) : null;
    const key = draft.create(head(`segment-${String(made++).padStart(8, "0")}`, { class_id: 1 + whole(random, 4) }), above);
    draft.paint(key, randomRegion(random, draft.document.width, draft.document.height));
  },
  (draft, random, keys) => draft.paint(one(random, keys), randomRegion(random, draft.document.width, draft.document.height)),
  (draft, random, keys) => {
    const key = random() < 0.3 ? null : one(random, keys);
    draft.erase(key, randomRegion(random, draft.document.width, draft.document.height), { hidden: random() < 0.5 });
  },
  (draft, random, keys) => draft.addHidden(one(random, keys), randomRegion(random, draft.document.width, draft.document.height)),
  (draft, random, keys) => draft.reorder(one(random, keys), random() < 0.2 ? null : one(random, keys)),
  (draft, random, keys) => {
    const [from, to] = [one(random, keys), one(random, keys)];
    if (from !== to) draft.transfer(from, to, randomRegion(random, draft.document.width, draft.document.height));
  },
  (draft, random, keys) => draft.delete(one(random, keys)),
  (draft, random, keys) => draft.set(one(random, keys), "tags", [`tag-${whole(random, 5)}`]),
  (draft, random, keys) => draft.set(one(random, keys), "class_id", 1 + whole(random, 4)),
];

/** One gesture of one to three steps, already applied; null when it changed nothing or was refused. */
export function randomGesture(random: Random, document: Document): Gesture | null {
  const draft = new Draft(document, "random", randomManner(random, document));
  try {
    const steps = 1 + whole(random, 3);
    for (let i = 0; i < steps; i++) {
      const keys = document.segments.map(({ key }) => key);
      (keys.length < 3 ? STEPS[0] : one(random, STEPS))(draft, random, keys);
    }
    return draft.commit();
  } catch (error) {
    if (!(error instanceof GestureError)) throw error;
    draft.cancel();
    return null;
  }
}

/** A document after some random gestures. */
export function randomDocument(random: Random, gestures = 8): Document {
  const document = new Document(1, [40 + whole(random, 120), 30 + whole(random, 100)]);
  for (let i = 0; i < gestures; i++) randomGesture(random, document);
  return document;
}

/** Everything of a document that can be compared. */
export const state = (document: Document): string => JSON.stringify(document.toJson());

export const copy = (document: Document): Document => Document.load(JSON.parse(state(document)));
