/** Active time: what counts, and what does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Activity } from "../src/state/activity.ts";

const counting = (idle = 30): Activity => new Activity(() => idle);

test("time between signs of life counts", () => {
  const activity = counting();
  for (const second of [0, 5, 12, 20]) activity.sign(second * 1000);
  assert.equal(activity.take(22_000), 22);
  assert.equal(activity.take(25_000), 3);
});

test("a pause longer than the limit does not count at all", () => {
  const activity = counting(10);
  activity.sign(0);
  activity.sign(5_000);
  activity.sign(60_000);
  activity.sign(62_000);
  assert.equal(activity.take(62_000), 7);
});

test("nothing counts while the window is hidden", () => {
  const activity = counting();
  activity.sign(0);
  activity.pause(4_000);
  activity.sign(20_000);
  assert.equal(activity.take(21_000), 5);
});

test("a clock that goes back takes nothing away", () => {
  const activity = counting();
  activity.sign(10_000);
  activity.sign(8_000);
  assert.equal(activity.take(9_000), 1);
});
