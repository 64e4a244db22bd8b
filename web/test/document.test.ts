import assert from "node:assert/strict";
import { test } from "node:test";
import { Document } from "../src/core/document.ts";
import { Draft, PLAIN } from "../src/core/draft.ts";
import { GestureError, inverse } from "../src/core/gesture.ts";
import { boxMask } from "../src/core/masks.ts";
import { solid } from "../src/core/region.ts";
import { copy, head, randomDocument, randomGesture, randomOf, state } from "./random.ts";

/** Areas and rank as a recount gives them, to compare with those kept up step by step. */
function recount(document: Document): void {
  const { idMap, areas, hiddenAreas } = document.pixels;
  const counts = new Map<number, number>();
  for (const slot of idMap) counts.set(slot, (counts.get(slot) ?? 0) + 1);
  assert.equal(document.unlabelled, counts.get(0) ?? 0);
  for (const { slot, key } of document.segments) {
    assert.equal(areas[slot], counts.get(slot) ?? 0);
    assert.equal(hiddenAreas[slot], document.hidden(key).bits.reduce((sum, bit) => sum + bit, 0));
  }
}

test("any sequence of gestures keeps the laws of a document", () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = randomOf(seed);
    const document = randomDocument(random, 0);
    for (let i = 0; i < 12; i++) {
      randomGesture(random, document);
      assert.deepEqual(document.problems(), [], `seed ${seed}, gesture ${i}`);
      recount(document);
    }
  }
});

test("undoing all gestures gives every earlier state back, redoing them every later one", () => {
  for (let seed = 100; seed < 130; seed++) {
    const random = randomOf(seed);
    const document = randomDocument(random, 3);
    const states = [state(document)];
    const gestures = [];
    for (let i = 0; i < 8; i++) {
      const gesture = randomGesture(random, document);
      if (!gesture) {
        assert.equal(state(document), states.at(-1), "a gesture that is null or refused changes nothing");
        continue;
      }
      gestures.push(gesture);
      states.push(state(document));
    }
    for (let i = gestures.length - 1; i >= 0; i--) {
      document.apply(inverse(gestures[i]));
      assert.equal(state(document), states[i], `seed ${seed}, gesture ${i}`);
    }
    gestures.forEach((gesture, i) => {
      document.apply(gesture);
      assert.equal(state(document), states[i + 1]);
    });
    recount(document);
  }
});

test("the JSON of gestures makes the same of a second document", () => {
  for (let seed = 200; seed < 230; seed++) {
    const random = randomOf(seed);
    const [here, there] = [randomDocument(random, 4)].flatMap((document) => [document, copy(document)]);
    for (let i = 0; i < 8; i++) {
      const gesture = randomGesture(random, here);
      if (gesture) there.apply(JSON.parse(JSON.stringify(gesture)));
      assert.equal(state(there), state(here));
    }
  }
});

test("a gesture whose last op does not fit changes nothing at all", () => {
  for (let seed = 300; seed < 320; seed++) {
    const random = randomOf(seed);
    const document = randomDocument(random, 5);
    const other = copy(document);
    const gesture = randomGesture(random, other);
    if (!gesture) continue;
    const before = state(document);
    const broken = { ...gesture, ops: [...gesture.ops, { op: "order", key: "nobody", before: null, after: null } as const] };
    assert.throws(() => document.apply(broken), (error: GestureError) => error.op === gesture.ops.length);
    assert.equal(state(document), before);
    recount(document);
  }
});

function twoSquares(mode: "layered" | "flat", above: string | null = "back"): Document {
  const document = new Document(1, [20, 20]);
  const draft = new Draft(document, "box", { ...PLAIN, mode });
  draft.create(head("back"), null);
  draft.paint("back", solid([2, 2, 12, 12]));
  draft.create(head("front"), above);
  draft.paint("front", solid([8, 8, 18, 18]));
  draft.commit();
  return document;
}

test("in layers, what is painted over runs on underneath", () => {
  const document = twoSquares("layered");
  assert.deepEqual([document.area("back"), document.hiddenArea("back"), document.area("front")], [84, 16, 100]);
  assert.deepEqual(document.under(9, 9).map(({ key }) => key), ["front", "back"]);
});

test("drawn behind, a new segment takes only what nobody in front of it has", () => {
  const document = twoSquares("layered", null);
  assert.deepEqual([document.area("back"), document.area("front"), document.hiddenArea("front")], [100, 84, 16]);
});

test("flat, what is painted over is gone", () => {
  const document = twoSquares("flat");
  assert.deepEqual([document.area("back"), document.hiddenArea("back"), document.area("front")], [84, 0, 100]);
});

test("deleting the front segment reveals the one behind", () => {
  const document = twoSquares("layered");
  const draft = new Draft(document, "delete");
  draft.delete("front");
  draft.commit();
  assert.deepEqual([document.area("back"), document.hiddenArea("back"), document.segments.length], [100, 0, 1]);
});

test("turning the order round swaps what is seen and what is hidden, and back again exactly", () => {
  const document = twoSquares("layered");
  const before = state(document);
  const up = new Draft(document, "order");
  up.reorder("back", "front");
  up.commit();
  assert.deepEqual([document.area("back"), document.hiddenArea("front")], [100, 16]);
  const down = new Draft(document, "order");
  down.reorder("back", null);
  down.commit();
  const withoutTags = (text: string): string => text.replaceAll(/"tags":\[[^\]]*\]/g, "");
  assert.equal(withoutTags(state(document)), withoutTags(before));
});

test("a locked segment keeps its pixels against brush, eraser and order", () => {
  for (const mode of ["layered", "flat"] as const) {
    const document = twoSquares(mode);
    const locked = { ...PLAIN, mode, locked: new Set(["back"]) };
    const draft = new Draft(document, "brush", locked);
    draft.paint("front", solid([0, 0, 20, 20]));
    draft.erase(null, solid([0, 0, 6, 6]));
    assert.throws(() => draft.paint("back", solid([0, 0, 2, 2])), /locked/);
    assert.throws(() => draft.delete("back"), /locked/);
    if (mode === "layered") assert.throws(() => draft.reorder("front", null), /locked/);
    draft.cancel();
    const again = new Draft(document, "brush", locked);
    again.paint("front", solid([0, 0, 20, 20]));
    again.erase(null, solid([0, 0, 6, 6]));
    again.commit();
    assert.equal(document.area("back"), 84);
  }
});

test("flat and yielding, a new segment fills only what nobody has", () => {
  const document = twoSquares("flat");
  const draft = new Draft(document, "fill", { ...PLAIN, mode: "flat", border: "yields" });
  draft.create(head("sky", { class_id: 2 }), null);
  draft.paint("sky", solid([0, 0, 20, 20]));
  draft.commit();
  assert.deepEqual([document.unlabelled, document.area("sky"), document.area("front")], [0, 216, 100]);
  assert.equal(document.coverage, 1);
});

test("things are tagged truncated at the border and occluded when hidden, and a hand may overrule it", () => {
  const document = twoSquares("layered");
  assert.deepEqual(document.get("back").tags, ["occluded"]);
  const draft = new Draft(document, "brush");
  draft.paint("front", solid([17, 17, 20, 20]));
  draft.commit();
  assert.deepEqual(document.get("front").tags, ["truncated"]);
  const hand = new Draft(document, "tags");
  hand.set("front", "tags", []);
  hand.commit();
  const more = new Draft(document, "brush");
  more.paint("front", solid([17, 17, 20, 18]));
  more.commit();
  assert.deepEqual(document.get("front").tags, []);
});

test("a segment that is painted over whole leaves the stack, and comes back with undo", () => {
  const document = twoSquares("flat");
  const before = state(document);
  const draft = new Draft(document, "brush", { ...PLAIN, mode: "flat" });
  draft.paint("front", solid([0, 0, 20, 20]));
  const gesture = draft.commit();
  assert.deepEqual(document.segments.map(({ key }) => key), ["front"]);
  document.apply(inverse(gesture!));
  assert.equal(state(document), before);
});

test("pixels that belong to somebody else are refused, by name and place", () => {
  const document = twoSquares("flat");
  const op = { op: "pixels", before: null, after: "back", mask: boxMask([2, 2, 4, 4]) } as const;
  assert.throws(() => document.apply({ ops: [op] }), /pixel 2, 2 belongs to back, not to nobody/);
  const outside = { op: "pixels", before: null, after: "back", mask: boxMask([18, 18, 22, 20]) } as const;
  assert.throws(() => document.apply({ ops: [outside] }), /leaves the image of 20 x 20/);
});

test("a document with two owners of one pixel is refused", () => {
  const json = twoSquares("flat").toJson();
  const segments = json.segments.map((segment) => ({ ...segment, visible: boxMask([0, 0, 5, 5]) }));
  assert.throws(() => Document.load({ ...json, segments }), /two owners/);
});

test("listeners hear which pixels changed while a stroke is drawn, and once more when it ends", () => {
  const document = twoSquares("flat");
  const heard: string[] = [];
  document.subscribe(({ dirty, heads, settled }) => heard.push(`${dirty?.join()} ${heads} ${settled}`));
  const draft = new Draft(document, "brush", PLAIN);
  draft.paint("front", solid([0, 0, 3, 3]));
  draft.commit();
  assert.deepEqual(heard, ["0,0,3,3 false false", "undefined true true"]);
});
