import assert from "node:assert/strict";
import { test } from "node:test";
import { Document } from "../src/core/document.ts";
import { Draft, PLAIN } from "../src/core/draft.ts";
import type { Gesture } from "../src/core/gesture.ts";
import { merge } from "../src/core/rebase.ts";
import { area, solid } from "../src/core/region.ts";
import { copy, head, randomDocument, randomGesture, randomOf, state } from "./random.ts";

const some = (count: number, make: () => Gesture | null): Gesture[] =>
  Array.from({ length: count }, make).filter((gesture) => gesture !== null);

test("after a merge both people have the same document, and it keeps the laws", () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = randomOf(seed);
    const anna = randomDocument(random, 6);
    const ben = copy(anna);
    const hers = some(3, () => randomGesture(random, anna));
    const his = some(3, () => randomGesture(random, ben));
    const { gestures } = merge(ben, his, hers);
    for (const gesture of gestures) anna.apply(JSON.parse(JSON.stringify(gesture)));
    assert.equal(state(ben), state(anna), `seed ${seed}`);
    assert.deepEqual(ben.problems(), [], `seed ${seed}`);
    assert.ok(gestures.every((gesture) => his.some((old) => old.id === gesture.id)));
  }
});

/** Two segments far apart, and two copies to draw on. */
function pair(): [Document, Document] {
  const document = new Document(1, [40, 40]);
  const draft = new Draft(document, "box");
  for (const [key, x] of [["left", 2], ["right", 22]] as const) {
    draft.create(head(key));
    draft.paint(key, solid([x, 2, x + 10, 12]));
  }
  draft.commit();
  return [document, copy(document)];
}

function stroke(document: Document, key: string, box: readonly [number, number, number, number]): Gesture {
  const draft = new Draft(document, "brush", PLAIN);
  draft.paint(key, solid(box));
  return draft.commit()!;
}

test("strokes on different pixels merge without a conflict and without a change", () => {
  const [anna, ben] = pair();
  const hers = [stroke(anna, "left", [2, 2, 14, 20])];
  const his = [stroke(ben, "right", [22, 2, 34, 20])];
  const { gestures, conflicts } = merge(ben, his, hers);
  assert.deepEqual(conflicts, []);
  assert.deepEqual(gestures.flatMap(({ ops }) => ops), his.flatMap(({ ops }) => ops));
});

test("pixels that both gave to somebody stay with the first, and are listed", () => {
  const [anna, ben] = pair();
  const hers = [stroke(anna, "left", [2, 20, 20, 30])];
  const his = [stroke(ben, "right", [10, 20, 30, 30])];
  const { conflicts } = merge(ben, his, hers);
  assert.equal(conflicts.length, 1);
  const [conflict] = conflicts;
  assert.ok(conflict.kind === "pixels");
  assert.deepEqual([conflict.mine, conflict.theirs, area(conflict.region)], ["right", "left", 100]);
  assert.deepEqual([ben.at(15, 25)?.key, ben.at(25, 25)?.key], ["left", "right"]);
});

test("tags of both are kept; of two classes the first stays and is listed", () => {
  const [anna, ben] = pair();
  const set = (document: Document, field: "tags" | "class_id", value: string[] | number): Gesture => {
    const draft = new Draft(document, field);
    draft.set("left", field, value);
    return draft.commit()!;
  };
  const hers = [set(anna, "tags", ["wet"]), set(anna, "class_id", 7)];
  const his = [set(ben, "tags", ["old"]), set(ben, "class_id", 8)];
  const { conflicts } = merge(ben, his, hers);
  assert.deepEqual(ben.get("left").tags, ["old", "wet"]);
  assert.deepEqual(conflicts, [{ kind: "field", key: "left", field: "class_id", mine: 8, theirs: 7 }]);
});

test("drawing on what somebody deleted is listed, not lost in silence", () => {
  const [anna, ben] = pair();
  const deletion = new Draft(anna, "delete");
  deletion.delete("left");
  const his = [stroke(ben, "left", [2, 20, 20, 30])];
  const { conflicts, gestures } = merge(ben, his, [deletion.commit()!]);
  assert.equal(conflicts.length, 1);
  assert.match(JSON.stringify(conflicts), /is gone/);
  assert.deepEqual(gestures, []);
});

test("deleting what somebody went on drawing keeps the new part and says so", () => {
  const [anna, ben] = pair();
  const hers = [stroke(anna, "left", [2, 20, 12, 30])];
  const deletion = new Draft(ben, "delete");
  deletion.delete("left");
  const { conflicts } = merge(ben, [deletion.commit()!], hers);
  assert.equal(ben.area("left"), 100);
  assert.match(JSON.stringify(conflicts), /pixels of somebody else/);
});

test("taking one's own choice after all keeps the laws, whatever lies underneath", () => {
  for (let seed = 400; seed < 430; seed++) {
    const random = randomOf(seed);
    const anna = randomDocument(random, 6);
    const ben = copy(anna);
    const hers = some(3, () => randomGesture(random, anna));
    const his = some(3, () => randomGesture(random, ben));
    const { conflicts } = merge(ben, his, hers);
    const draft = new Draft(ben, "merge");
    for (const conflict of conflicts)
      if (conflict.kind === "pixels" && (conflict.mine === null || ben.has(conflict.mine)))
        draft.giveWhere(conflict.theirs, conflict.mine, conflict.region);
    const gesture = draft.commit();
    assert.deepEqual(ben.problems(), [], `seed ${seed}`);
    assert.ok(gesture === null || gesture.ops.length > 0);
  }
});

test("two who begin the same next instance end with one each", () => {
  const [anna, ben] = pair();
  const begin = (document: Document, key: string, x: number): Gesture => {
    const draft = new Draft(document, "box");
    draft.create({ ...head(key), instance_id: 7 });
    draft.paint(key, solid([x, 20, x + 8, 30]));
    return draft.commit()!;
  };
  const hers = [begin(anna, "hers", 2)];
  const his = [begin(ben, "his", 22)];
  const { gestures, conflicts } = merge(ben, his, hers);
  assert.deepEqual(conflicts, []);
  assert.equal(ben.get("hers").instance_id, 7);
  assert.ok(ben.get("his").instance_id > 7);
  for (const gesture of gestures) anna.apply(gesture);
  assert.equal(state(anna), state(ben));
});
