/** Tools that draw an area. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Candidate, Prompt } from "../src/core/picture.ts";
import { boxMask } from "../src/core/masks.ts";
import { proposeNamed } from "../src/tools/everything.ts";
import { Hand, squarePicture } from "./hand.ts";

const NOTHING = async (): Promise<Candidate[]> => [];

test("a brush stroke is one gesture, one segment and one step of undo", () => {
  const hand = new Hand("brush");
  hand.drag([[20, 20], [40, 20], [40, 40]]);
  assert.deepEqual([hand.sent.length, hand.document.segments.length], [1, 1]);
  const [area] = hand.areas();
  assert.ok(Math.abs(area - (40 * 10 + Math.PI * 25)) < 40, `${area}`);
  hand.drag([[60, 60], [70, 60]]);
  assert.equal(hand.document.segments.length, 1, "the selected segment goes on");
  hand.editor.undo();
  hand.editor.undo();
  assert.equal(hand.document.segments.length, 0);
  hand.editor.redo();
  assert.deepEqual(hand.areas(), [area]);
  assert.deepEqual(hand.sent.map(({ kind }) => kind), ["brush", "brush", "undo", "undo", "redo"]);
});

test("pen pressure widens the brush, and a mouse draws as wide as is set", () => {
  const widths = [0, 0.5, 1].map((pressure) => {
    const hand = new Hand("brush");
    hand.drag([[20, 40], [80, 40]], { pressure });
    const box = hand.document.box(hand.editor.selection[0])!;
    return box[3] - box[1];
  });
  assert.equal(widths[1], 10);
  assert.ok(widths[0] < 5 && widths[2] > 15, widths.join());
});

test("keys change the size of the brush, and a dab covers at least its pixel", () => {
  const hand = new Hand("brush");
  for (let i = 0; i < 30; i++) hand.key("[");
  assert.equal(hand.editor.settings.brush, 1);
  hand.click([33.5, 20.5]);
  assert.deepEqual(hand.areas(), [1]);
  hand.key("]");
  assert.equal(hand.editor.settings.brush, 2);
});

test("a stroke dropped in the middle leaves no trace", () => {
  const hand = new Hand("brush");
  hand.editor.tool.pointerDown?.(hand.pointer([20, 20]));
  hand.editor.tool.cancel?.();
  assert.deepEqual([hand.sent.length, hand.document.segments.length, hand.document.unlabelled], [0, 0, 8000]);
  hand.drag([[20, 20], [30, 20]]);
  assert.equal(hand.sent.length, 1);
});

test("the eraser takes from the selected segment alone, or from all where none is selected", () => {
  const hand = new Hand("erase");
  const first = hand.put(1, [10, 10, 30, 30]);
  hand.put(1, [30, 10, 50, 30]);
  hand.editor.select([first]);
  hand.drag([[10, 20], [50, 20]]);
  const [one, other] = hand.areas();
  assert.ok(one < 250 && other === 400);
  hand.editor.select([]);
  hand.drag([[10, 20], [50, 20]]);
  assert.ok(hand.areas()[1] < 250);
});

test("a stroke of the eraser takes the front segment alone, however often it passes", () => {
  const hand = new Hand("erase");
  const back = hand.put(2, [10, 10, 50, 50]);
  hand.put(1, [20, 20, 40, 40]);
  hand.editor.select([]);
  hand.drag([[25, 30], [35, 30], [25, 30], [35, 30]]);
  assert.equal(hand.document.at(30, 30)?.key, back);
  hand.drag([[25, 30], [35, 30]]);
  assert.equal(hand.document.at(30, 30), null);
});

test("alt turns the brush into an eraser", () => {
  const hand = new Hand("brush");
  hand.put(1, [10, 10, 30, 30]);
  hand.click([20, 20], { alt: true });
  assert.deepEqual(hand.sent.map(({ kind }) => kind), ["box", "erase"]);
  assert.ok(hand.areas()[0] < 400);
});

test("a box is whole pixels, stays in the image and adds with shift or cuts with alt", () => {
  const hand = new Hand("box");
  hand.drag([[10.2, 9.8], [29.6, 30.4]]);
  assert.deepEqual(hand.document.box(hand.editor.selection[0]), [10, 10, 30, 30]);
  hand.drag([[50, 50], [140, 60]], { shift: true });
  assert.deepEqual(hand.areas(), [400 + 500]);
  hand.drag([[10, 10], [20, 30]], { alt: true });
  assert.deepEqual(hand.areas(), [200 + 500]);
  hand.drag([[60, 5], [70, 15]]);
  assert.equal(hand.document.segments.length, 2);
  assert.deepEqual(hand.document.segments.map(({ instance_id }) => instance_id), [1, 2]);
});

test("a lasso fills what the hand went round", () => {
  const hand = new Hand("lasso");
  hand.drag(Array.from({ length: 64 }, (_, i) => [50 + 20 * Math.cos(i / 10), 40 + 20 * Math.sin(i / 10)]));
  assert.ok(Math.abs(hand.areas()[0] - Math.PI * 400) < 30, `${hand.areas()}`);
});

test("a polygon closes at its first point or by double click; Backspace takes a point back", () => {
  const hand = new Hand("polygon");
  for (const at of [[10, 10], [30, 10], [70, 70], [30, 30]] as const) hand.click(at);
  hand.key("Backspace");
  hand.key("Backspace");
  hand.click([30, 30]);
  hand.click([10, 30]);
  hand.click([10.5, 10.5]);
  hand.key("Enter");
  assert.deepEqual(hand.areas(), [400]);
  for (const at of [[50, 50], [60, 50], [60, 60]] as const) hand.click(at);
  hand.click([50, 60]);
  hand.click([50, 60], { double: true });
  assert.deepEqual(hand.areas(), [400, 100]);
});

test("a second ring inside is a hole, one outside another part of the same segment", () => {
  const hand = new Hand("polygon");
  const ring = (x: number, y: number, side: number): void => {
    for (const [dx, dy] of [[0, 0], [side, 0], [side, side], [0, side], [0, 0]]) hand.click([x + dx, y + dy]);
  };
  ring(10, 10, 30);
  ring(20, 20, 10);
  ring(60, 10, 20);
  hand.key("Enter");
  assert.deepEqual(hand.areas(), [900 - 100 + 400]);
  assert.equal(hand.document.at(25, 25), null);
});

test("Enter opens the outline of a segment, whose points can then be moved, added and removed", () => {
  const hand = new Hand("polygon");
  hand.put(1, [10, 10, 30, 30]);
  hand.key("Enter");
  assert.equal(hand.editor.preview?.dots?.length, 4);
  hand.drag([[30, 30], [40, 40]]);
  hand.click([20, 10]); // a new point on the upper side
  hand.drag([[20, 10], [20, 5]]);
  hand.key("Enter");
  assert.deepEqual(hand.areas(), [400 + 200 + 50]);
  assert.equal(hand.document.segments.length, 1);
  hand.key("Enter");
  hand.click([40, 40], { alt: true });
  hand.key("Enter");
  assert.ok(hand.areas()[0] < 400);
});

test("scissors cling to the edge of a bright square that was clicked at its corners alone", () => {
  const hand = new Hand("scissors");
  hand.editor.picture = squarePicture(100, 80, [20, 20, 60, 60]);
  for (const at of [[21, 19], [61, 22], [58, 61], [18, 58], [21, 19]] as const) hand.click(at);
  const box = hand.document.box(hand.editor.selection[0])!;
  [20, 20, 60, 60].forEach((v, i) => assert.ok(Math.abs(box[i] - v) <= 2, box.join()));
  assert.ok(Math.abs(hand.areas()[0] - 1600) < 120, `${hand.areas()}`);
});

test("fill takes the empty area round a click, and by colour with ctrl", () => {
  const hand = new Hand("fill");
  hand.editor.picture = squarePicture(100, 80, [20, 20, 60, 60]);
  hand.put(1, [0, 40, 100, 42]);
  hand.editor.change({ classId: 2 });
  hand.click([5, 5]);
  assert.deepEqual(hand.areas(), [200, 4000]);
  hand.click([5, 70]);
  assert.deepEqual([hand.areas(), hand.document.unlabelled], [[200, 7800], 0], "sky is one segment");
  hand.editor.change({ classId: 1, mode: "flat" });
  hand.editor.select([]);
  hand.click([30, 30], { ctrl: true });
  assert.equal(hand.document.area(hand.editor.selection[0]), 1600);
});

test("superpixels are taken whole and follow the edge of the square", () => {
  const hand = new Hand("superpixel", [120, 120]);
  hand.editor.picture = squarePicture(120, 120, [24, 24, 72, 72]);
  hand.editor.change({ superpixel: 12 });
  hand.drag([[30, 30], [40, 30], [66, 30], [66, 66], [30, 66], [30, 48], [48, 48], [66, 48], [40, 40], [55, 55], [55, 40], [40, 55]]);
  const { idMap, width } = hand.document;
  let outside = 0;
  idMap.forEach((slot, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    if (slot && !(x >= 24 && x < 72 && y >= 24 && y < 72)) outside++;
  });
  assert.ok(hand.areas()[0] > 1400, `${hand.areas()}`);
  assert.equal(outside, 0);
  hand.key("2"); // a class for what comes next, not for what was just painted
  assert.deepEqual(hand.document.segments.map(({ class_id }) => class_id), [1]);
});

test("a prompt is asked anew with each point, shown, and accepted by Enter", async () => {
  const hand = new Hand("prompt");
  const asked: Prompt[] = [];
  const answer: Candidate[] = [{ mask: boxMask([20, 20, 40, 40]), score: 0.9 }, { mask: boxMask([20, 20, 50, 50]), score: 0.5 }];
  hand.editor.prompts = { named: NOTHING, everything: NOTHING, ask: async (prompt) => (asked.push(prompt), answer) };
  hand.click([30, 30]);
  await Promise.resolve();
  hand.click([60, 60], { shift: true });
  await new Promise(setImmediate);
  assert.deepEqual(asked.at(-1)!.points, [[30, 30, true], [60, 60, false]]);
  assert.equal(hand.sent.length, 0);
  hand.key("Tab");
  hand.key("Enter");
  assert.deepEqual([hand.areas(), hand.sent.map(({ kind }) => kind)], [[900], ["prompt"]]);
  assert.equal(hand.document.segments[0].source, "click:engine");
});

test("a prompt reshapes the selected segment; without an engine it says so", async () => {
  const hand = new Hand("prompt");
  hand.put(1, [0, 0, 30, 30]);
  hand.click([5, 5]);
  assert.match(hand.editor.words!, /No engine/);
  const boxes: Prompt[] = [];
  hand.editor.prompts = { named: NOTHING, everything: NOTHING, ask: async (prompt) => (boxes.push(prompt), [{ mask: boxMask([10, 10, 40, 40]), score: 1 }]) };
  hand.drag([[10, 10], [40, 40]]);
  await new Promise(setImmediate);
  assert.deepEqual(boxes[0].box, [10, 10, 40, 40]);
  assert.deepEqual(boxes[0].mask?.box, [0, 0, 30, 30]);
  hand.editor.tool.finish?.();
  assert.deepEqual([hand.document.segments.length, hand.areas()], [1, [900]]);
});

test("an engine that fails says why, and the document stays as it was", async () => {
  const hand = new Hand("prompt");
  hand.editor.prompts = { named: NOTHING, everything: NOTHING, ask: () => Promise.reject(new Error("the engine is still loading its weights")) };
  hand.click([30, 30]);
  await new Promise(setImmediate);
  assert.equal(hand.editor.words, "the engine is still loading its weights");
  hand.key("Enter");
  assert.equal(hand.sent.length, 0);
});

test("a class may yield or win whatever is set, and drawing behind always yields", () => {
  const hand = new Hand("box");
  hand.editor.change({ mode: "flat" });
  hand.drag([[10, 10], [30, 30]]);
  hand.editor.change({ classId: 3 });
  hand.drag([[20, 10], [40, 30]]);
  assert.deepEqual(hand.areas(), [400, 200]);
  hand.editor.change({ classId: 1, mode: "layered", behind: true });
  hand.drag([[0, 0], [50, 40]]);
  assert.deepEqual(hand.areas(), [2000 - 600, 400, 200]);
  assert.equal(hand.document.hiddenArea(hand.document.segments[0].key), 600);
});

test("a prompt shows what a click would give, and Enter takes it; the next click is for another segment", async () => {
  const hand = new Hand("prompt");
  const asked: Prompt[] = [];
  hand.editor.prompts = {
    named: NOTHING, everything: NOTHING,
    ask: async (prompt) => (asked.push(prompt), [{ mask: boxMask([20, 20, 40, 40]), score: 1, engine: "quick" }]),
  };
  hand.editor.tool.pointerMove?.(hand.pointer([30, 30]));
  hand.editor.tool.pointerMove?.(hand.pointer([31, 31]));
  await new Promise((done) => setTimeout(done, 250));
  assert.deepEqual(asked.map(({ points }) => points), [[[31, 31, true]]], "asked once, where it rests");
  assert.ok(hand.editor.preview?.region);
  assert.equal(hand.sent.length, 0);
  hand.key("Enter");
  assert.deepEqual([hand.areas(), hand.document.segments[0].source], [[400], "click:quick"]);
  hand.click([70, 70]);
  assert.equal(asked.at(-1)!.mask, null, "the one just made is done");
  hand.editor.tool.cancel?.();
  hand.click([35, 35], { shift: true });
  assert.deepEqual(asked.at(-1)!.mask?.box, [20, 20, 40, 40], "unless the click takes away from it");
  hand.editor.tool.cancel?.();
});

test("everything in a box becomes proposals behind what is there, in one gesture that undo takes back", async () => {
  const hand = new Hand("everything");
  hand.put(1, [0, 0, 30, 30]);
  const asked: unknown[] = [];
  const found = [{ mask: boxMask([20, 20, 40, 40]), score: 0.9, engine: "quick" }, { mask: boxMask([35, 20, 60, 40]), score: 0.6, engine: "quick" }];
  hand.editor.prompts = { ask: NOTHING, named: NOTHING, everything: async (box, side) => (asked.push([box, side]), found) };
  hand.editor.change({ grid: 5 });
  hand.drag([[10.2, 10.4], [70, 60]]);
  await new Promise(setImmediate);
  assert.deepEqual(asked, [[[10, 10, 70, 60], 5]]);
  assert.deepEqual(hand.sent.at(-1)!.kind, "everything");
  const made = hand.document.segments.filter(({ state }) => state === "proposed");
  assert.deepEqual(made.map(({ score, source }) => [score, source]).toSorted(), [[0.6, "click:quick"], [0.9, "click:quick"]]);
  const areas = new Map(made.map(({ key, score }) => [score, hand.document.area(key)]));
  assert.deepEqual([areas.get(0.9), areas.get(0.6)], [300, 400], "the better one first; neither takes what has an owner");
  assert.equal(new Set(made.map(({ instance_id }) => instance_id)).size, 2);
  hand.editor.undo();
  assert.deepEqual(hand.areas(), [900]);
});

test("what a text names becomes proposals, and when nothing has that name it is said", async () => {
  const hand = new Hand("prompt");
  hand.put(1, [0, 0, 30, 30]);
  const asked: string[] = [];
  const named = async (text: string) => (asked.push(text), text === "cars" ? [{ mask: boxMask([20, 20, 40, 40]), score: 0.9, engine: "reader" }] : []);
  hand.editor.prompts = { ask: NOTHING, everything: NOTHING, named };
  await proposeNamed(hand.editor, "cars");
  const made = hand.document.segments.filter(({ state }) => state === "proposed");
  assert.deepEqual(made.map(({ key, source }) => [hand.document.area(key), source]), [[300, "click:reader"]]);
  await proposeNamed(hand.editor, "unicorns");
  assert.deepEqual(asked, ["cars", "unicorns"]);
  assert.match(hand.editor.words ?? "", /Nothing of that name/);
});

test("everything in a box says when nothing is there, and a press elsewhere drops the question", async () => {
  const hand = new Hand("everything");
  let calls = 0;
  hand.editor.prompts = { ask: NOTHING, named: NOTHING, everything: async () => (calls++, [{ mask: boxMask([0, 0, 9, 9]), score: 1 }]) };
  hand.drag([[10, 10], [40, 40]]);
  hand.click([50, 50]); // before the answer came
  await new Promise(setImmediate);
  assert.deepEqual([calls, hand.sent.length], [1, 0]);
  hand.editor.prompts = { ask: NOTHING, named: NOTHING, everything: NOTHING };
  hand.drag([[10, 10], [40, 40]]);
  await new Promise(setImmediate);
  assert.match(hand.editor.words!, /Nothing new/);
});
