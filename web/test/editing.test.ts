/** Tools and commands that change segments which are there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { copy, paste } from "../src/core/clipboard.ts";
import { type Command, keyName, press } from "../src/core/commands.ts";
import { gapAt, nextGap } from "../src/core/gaps.ts";
import { newGesture } from "../src/core/gesture.ts";
import { History } from "../src/core/history.ts";
import { Editor } from "../src/core/editor.ts";
import * as edits from "../src/state/edits.ts";
import { TOOLS } from "../src/tools/index.ts";
import { CLASSES, Hand } from "./hand.ts";
import { copy as copied, state } from "./random.ts";

test("a click selects, a second one goes underneath, shift collects and a band catches", () => {
  const hand = new Hand("select");
  const back = hand.put(1, [10, 10, 40, 40]);
  const front = hand.put(1, [20, 20, 30, 30]);
  hand.editor.select([]);
  hand.click([25, 25]);
  assert.deepEqual(hand.editor.selection, [front]);
  hand.click([25, 25]);
  assert.deepEqual(hand.editor.selection, [back]);
  hand.click([25, 25], { shift: true });
  assert.deepEqual(hand.editor.selection, [back, front]);
  hand.click([90, 70]);
  assert.deepEqual(hand.editor.selection, []);
  hand.drag([[5, 5], [15, 15]]);
  assert.deepEqual(hand.editor.selection, [back], "the band meets the box of one and the pixels of one");
  assert.deepEqual(hand.sent.length, 2, "selecting is no gesture");
});

test("a line across a segment splits it; the largest piece keeps its key", () => {
  const hand = new Hand("split");
  const key = hand.put(1, [10, 10, 50, 30]);
  hand.drag([[40, 5], [40, 20], [40, 35]]);
  assert.deepEqual(hand.areas().toSorted((a, b) => a - b), [180, 620]);
  assert.equal(hand.document.area(key), 620);
  assert.deepEqual(hand.document.segments.map(({ instance_id }) => instance_id), [1, 2]);
  assert.equal(hand.document.unlabelled, 8000 - 800, "the line itself belongs to somebody");
  hand.editor.undo();
  assert.deepEqual(hand.areas(), [800]);
});

test("a line that does not cut through changes nothing and says why", () => {
  const hand = new Hand("split");
  hand.put(1, [10, 10, 50, 30]);
  hand.drag([[30, 5], [30, 20]]);
  assert.deepEqual([hand.sent.length, hand.areas()], [1, [800]]);
  assert.match(hand.editor.words!, /cuts nothing/);
});

test("a diagonal cut leaves no way round it", () => {
  const hand = new Hand("split");
  hand.put(1, [10, 10, 50, 50]);
  hand.drag([[5, 5], [55, 55]]);
  assert.equal(hand.document.segments.length, 2);
});

test("dragging from one segment over others merges them into the first", () => {
  const hand = new Hand("merge");
  const first = hand.put(1, [10, 10, 20, 20]);
  hand.put(3, [30, 10, 40, 20]);
  const { instance_id, class_id } = hand.document.get(first);
  hand.drag([[15, 15], [25, 15], [35, 15]]);
  assert.deepEqual(hand.areas(), [200]);
  const [merged] = hand.document.segments;
  assert.deepEqual([merged.class_id, merged.instance_id], [class_id, instance_id]);
  hand.editor.undo();
  assert.deepEqual(hand.areas(), [100, 100]);
});

test("merging keeps what ran on underneath", () => {
  const hand = new Hand("merge");
  const back = hand.put(1, [10, 10, 30, 30]);
  const middle = hand.put(1, [25, 10, 50, 30]);
  hand.put(1, [20, 15, 30, 25]);
  hand.editor.select([back, middle]);
  edits.mergeSelected(hand.editor);
  const merged = hand.editor.selection[0];
  assert.equal(hand.document.area(merged) + hand.document.hiddenArea(merged), 800);
  assert.deepEqual(hand.document.problems(), []);
});

test("moving a shared edge gives one neighbour what the other loses, and nobody else anything", () => {
  const hand = new Hand("edge");
  const left = hand.put(1, [10, 10, 40, 60]);
  const right = hand.put(1, [40, 10, 70, 60]);
  hand.editor.change({ brush: 30 });
  hand.drag([[40, 35], [45, 35], [50, 35]]);
  const [a, b] = [hand.document.area(left), hand.document.area(right)];
  assert.equal(a + b, 3000);
  assert.ok(a > 1600, `${a}`);
  assert.equal(hand.document.at(48, 35)?.key, left);
  assert.equal(hand.document.at(48, 12)?.key, right, "far along the edge nothing moves");
  assert.equal(hand.document.unlabelled, 8000 - 3000);
});

test("an edge towards nobody can be moved out and in", () => {
  const hand = new Hand("edge");
  hand.put(1, [30, 10, 60, 60]);
  hand.editor.change({ brush: 20 });
  hand.drag([[30, 35], [20, 35]]);
  const grown = hand.areas()[0];
  assert.ok(grown > 1550, `${grown}`);
  hand.drag([[60, 35], [50, 35]]);
  assert.ok(hand.areas()[0] < grown);
  hand.click([5, 5]);
  assert.match(hand.editor.words!, /No edge here/);
});

test("gaps are found in reading order, round and round, until every pixel has an owner", () => {
  const hand = new Hand("fill");
  hand.editor.change({ mode: "flat" });
  hand.put(2, [0, 0, 100, 80]);
  hand.editor.use("erase");
  hand.editor.change({ brush: 6 });
  for (const at of [[20, 20], [60, 20], [40, 60]] as const) hand.click(at);
  const [first, second, third] = [1, 2, 3].reduce<ReturnType<typeof nextGap>[]>((all) => [...all, nextGap(hand.document, all.at(-1) ?? null)], []);
  assert.deepEqual([first, second, third].map((gap) => Math.round((gap!.region.box[0] + gap!.region.box[2]) / 2)), [20, 60, 40]);
  assert.deepEqual(nextGap(hand.document, third)?.at, first?.at);
  assert.equal(gapAt(hand.document, [0, 0]), null);
  hand.editor.use("fill");
  for (let gap = nextGap(hand.document, null); gap; gap = nextGap(hand.document, gap)) hand.click(gap.at);
  assert.equal(hand.document.unlabelled, 0);
});

test("copies go to the next frame with class, tags and instance, on new keys", () => {
  const here = new Hand("select");
  here.put(1, [10, 10, 40, 40]);
  here.put(1, [30, 30, 60, 60]);
  here.editor.select([]);
  const there = new Hand("select", [50, 50]);
  paste(there.editor, copy(here.editor));
  assert.deepEqual(there.document.segments.map(({ instance_id }) => instance_id), [1, 2]);
  assert.deepEqual(there.areas(), [800, 400]);
  assert.equal(there.document.hiddenArea(there.document.segments[0].key), 100);
  assert.ok(there.document.segments.every(({ key }) => !here.document.has(key)));
});

test("a class key changes the selected segments, and things get an instance", () => {
  const hand = new Hand("select");
  hand.put(2, [10, 10, 40, 40]);
  hand.key("1");
  const [segment] = hand.document.segments;
  assert.deepEqual([segment.class_id, segment.instance_id, hand.editor.settings.classId], [1, 1, 1]);
});

test("the stack moves step by step, one step is one gesture, and undo takes it back", () => {
  const hand = new Hand("select");
  const [a, b, c] = [[10, 40], [20, 50], [30, 60]].map(([x0, x1]) => hand.put(1, [x0, 10, x1, 40]));
  hand.editor.select([a]);
  const order = (): string[] => hand.document.segments.map(({ key }) => key);
  edits.reorder(hand.editor, "forward");
  assert.deepEqual(order(), [b, a, c]);
  edits.reorder(hand.editor, "front");
  assert.deepEqual(order(), [b, c, a]);
  edits.reorder(hand.editor, "back");
  assert.deepEqual(order(), [a, b, c]);
  edits.reorder(hand.editor, "back");
  assert.equal(hand.sent.length, 6, "what is at the back already makes no gesture");
  for (let i = 0; i < 3; i++) hand.editor.undo();
  assert.deepEqual(order(), [a, b, c]);
});

test("tags, crowd, accept and delete are one gesture each", () => {
  const hand = new Hand("select");
  const key = hand.put(1, [10, 10, 40, 40]);
  hand.editor.do("test", (draft) => draft.set(key, "state", "proposed"));
  edits.setTag(hand.editor, "difficult", true);
  edits.setField(hand.editor, "tags", "crowd", true);
  edits.judgeSelected(hand.editor, true);
  const { tags, crowd, state: now } = hand.document.get(key);
  assert.deepEqual([tags, crowd, now], [["difficult"], true, "final"]);
  edits.removeSelected(hand.editor);
  assert.equal(hand.document.segments.length, 0);
  hand.editor.undo();
  assert.deepEqual(hand.document.get(key).tags, ["difficult"]);
});

test("a locked segment refuses in words, and nothing happens", () => {
  const hand = new Hand("brush");
  const key = hand.put(1, [10, 10, 40, 40]);
  edits.toggleLock(hand.editor);
  const before = state(hand.document);
  hand.click([60, 60]);
  assert.match(hand.editor.words!, /locked/);
  edits.removeSelected(hand.editor);
  assert.deepEqual([state(hand.document), hand.editor.isDrawing, hand.sent.length], [before, false, 1]);
  edits.toggleLock(hand.editor);
  edits.removeSelected(hand.editor);
  assert.equal(hand.document.has(key), false);
});

test("undo works across a reload: the history is that of the gestures", () => {
  const hand = new Hand("box");
  hand.drag([[10, 10], [20, 20]]);
  hand.drag([[30, 30], [40, 40]]);
  hand.editor.undo();
  const again = new Editor(copied(hand.document), CLASSES, TOOLS, History.of(JSON.parse(JSON.stringify(hand.sent))));
  assert.equal(again.redo()?.kind, "redo");
  assert.equal(again.document.segments.length, 2);
  again.undo();
  again.undo();
  assert.equal(again.document.segments.length, 0);
  assert.equal(again.undo(), null);
});

test("undo of what somebody has drawn over since takes back the rest and says so", () => {
  const hand = new Hand("box");
  hand.editor.change({ mode: "flat" });
  hand.drag([[10, 10], [30, 30]]);
  const other = new Hand("box", [100, 80], copied(hand.document));
  other.editor.change({ mode: "flat" });
  other.drag([[20, 10], [40, 30]]);
  hand.editor.receive(other.sent, 2);
  assert.equal(hand.document.revision, 2);
  hand.editor.undo();
  assert.deepEqual(hand.areas(), [400]);
  assert.deepEqual(hand.document.problems(), []);
});

test("what others did waits until the stroke is done", () => {
  const hand = new Hand("brush");
  const other = new Hand("box");
  other.drag([[60, 60], [70, 70]]);
  hand.editor.tool.pointerDown?.(hand.pointer([20, 20]));
  hand.editor.receive(other.sent, 5);
  assert.equal(hand.document.segments.length, 1);
  hand.editor.tool.pointerUp?.(hand.pointer([20, 20]));
  assert.deepEqual([hand.document.segments.length, hand.document.revision], [2, 5]);
});

test("merging puts theirs under mine, and history goes on with the new ops", () => {
  const hand = new Hand("box");
  const other = new Hand("box");
  hand.drag([[10, 10], [30, 30]]);
  other.drag([[20, 20], [40, 40]]);
  const { gestures, conflicts } = hand.editor.merge([...hand.sent], other.sent, 9);
  assert.deepEqual([gestures.length, conflicts.length, hand.document.revision], [1, 1, 9]);
  assert.deepEqual(hand.areas().toSorted((a, b) => a - b), [300, 400]);
  hand.editor.undo();
  assert.deepEqual(hand.areas(), [400]);
});

test("a gesture that was saved although the answer was lost is neither done twice nor forgotten", () => {
  const hand = new Hand("box");
  hand.drag([[10, 10], [30, 30]]);
  hand.drag([[20, 20], [40, 40]]);
  const before = state(hand.document);
  const { gestures, conflicts } = hand.editor.merge([...hand.sent], [hand.sent[0]], 2);
  assert.deepEqual([gestures.map(({ id }) => id), conflicts], [[hand.sent[1].id], []]);
  assert.equal(state(hand.document), before.replace('"revision":0', '"revision":2'));
  hand.editor.undo();
  hand.editor.undo();
  assert.equal(hand.document.segments.length, 0);
});

test("while something is drawn, nothing else may change the document", () => {
  const hand = new Hand("brush");
  const fix = newGesture("fix", [{ op: "set", key: null, field: "image_tags", before: [], after: ["night"] }]);
  hand.editor.tool.pointerDown?.(hand.pointer([20, 20]));
  assert.throws(() => hand.document.apply(fix), /finish or cancel/);
  assert.equal(hand.editor.do("delete", (draft) => draft.delete(hand.editor.selection[0])), null);
  hand.editor.adopt(fix);
  assert.deepEqual(hand.document.imageTags, []);
  hand.editor.tool.pointerUp?.(hand.pointer([20, 20]));
  assert.deepEqual([hand.document.imageTags, hand.sent.map(({ kind }) => kind)], [["night"], ["brush", "fix"]]);
});

test("a fix from elsewhere can be adopted and undone", () => {
  const hand = new Hand("box");
  hand.drag([[10, 10], [30, 30]]);
  const { key } = hand.document.segments[0];
  hand.editor.adopt(newGesture("fix", [{ op: "set", key, field: "class_id", before: 1, after: 3 }]));
  assert.deepEqual([hand.document.get(key).class_id, hand.sent.at(-1)?.kind], [3, "fix"]);
  hand.editor.undo();
  assert.equal(hand.document.get(key).class_id, 1);
});

test("a key goes first to the tool, then to a command, then to the class that has it", () => {
  const hand = new Hand("brush");
  const run: string[] = [];
  const command = (key: string): Command => ({ id: key, title: key, group: "test", keys: [key], run: () => run.push(key) });
  const strike = (key: string): boolean =>
    press(hand.editor, [command("]"), command("2"), command("Ctrl+]")], { key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false });
  assert.ok(strike("]") && strike("2") && strike("3"));
  assert.equal(strike("9"), false);
  assert.deepEqual([run, hand.editor.settings.classId, hand.editor.settings.brush], [["2"], 3, 13]);
});

test("key presses have one name each, on every keyboard", () => {
  const none = { ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
  assert.equal(keyName({ ...none, key: "b" }), "b");
  assert.equal(keyName({ ...none, key: "B", shiftKey: true }), "Shift+B");
  assert.equal(keyName({ ...none, key: "Z", metaKey: true, shiftKey: true }), "Ctrl+Shift+Z");
  assert.equal(keyName({ ...none, key: "+", shiftKey: true }), "+");
  assert.equal(keyName({ ...none, key: "Tab", shiftKey: true }), "Shift+Tab");
});

test("a class key names what comes next after drawing, and relabels what was selected on purpose", () => {
  const hand = new Hand("box");
  hand.drag([[10, 10], [20, 20]]);
  hand.key("3");
  hand.drag([[30, 10], [40, 20]]);
  const classes = (): number[] => hand.document.segments.toSorted((a, b) => a.instance_id - b.instance_id).map(({ class_id }) => class_id);
  assert.deepEqual(classes(), [1, 3], "the first keeps its class");
  hand.editor.select([hand.document.at(15, 15)!.key]);
  hand.key("3");
  assert.deepEqual(classes(), [3, 3]);
  hand.editor.use("brush");
  hand.click([15, 15]); // adds to what was selected on purpose
  hand.key("1");
  assert.deepEqual(classes(), [1, 3]);
});

test("without a class nothing is drawn, and it is said why", () => {
  const hand = new Hand("box");
  hand.editor.change({ classId: 99 });
  hand.drag([[10, 10], [20, 20]]);
  assert.equal(hand.sent.length, 0);
  assert.match(hand.editor.words ?? "", /class first/);
});

test("all that is shown and not locked is selected at once", () => {
  const hand = new Hand("select");
  const [one, two, three] = [0, 1, 2].map((i) => hand.put(1, [i * 20, 0, i * 20 + 10, 10]));
  hand.editor.look({ locked: new Set([two]) });
  edits.selectAll(hand.editor);
  assert.deepEqual(hand.editor.selection, [one, three]);
});
