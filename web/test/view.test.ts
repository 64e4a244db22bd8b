/** What one sees: viewport, sampler and palette. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { classColour, paletteOf, parseColour, pixel } from "../src/canvas/palette.ts";
import { Sampler } from "../src/canvas/sampler.ts";
import { VIEW } from "../src/core/settings.ts";
import { MAX_SCALE, Viewport } from "../src/core/viewport.ts";
import { CLASSES, Hand } from "./hand.ts";
import { one, randomDocument, randomGesture, randomOf } from "./random.ts";

test("image to screen and back is the identity at any zoom", () => {
  const viewport = new Viewport([4000, 3000]);
  viewport.resize(1600, 1000);
  viewport.fit();
  assert.equal(viewport.scale, 1 / 3);
  const random = randomOf(3);
  for (let i = 0; i < 50; i++) {
    const at = [random() * 1600, random() * 1000] as const;
    const fixed = viewport.toImage(at);
    viewport.zoom(0.5 + 2 * random(), at);
    const back = viewport.toScreen(viewport.toImage(at));
    assert.ok(Math.abs(back[0] - at[0]) < 1e-6 && Math.abs(back[1] - at[1]) < 1e-6);
    const [x, y] = viewport.toImage([800, 500]);
    assert.ok(x >= 0 && x <= 4000 && y >= 0 && y <= 3000, "the middle of the screen stays on the image");
    assert.ok(viewport.scale <= MAX_SCALE && fixed.length === 2);
  }
  viewport.zoomTo(1000);
  assert.equal(viewport.scale, 32);
});

test("drawing the dirty box gives the same picture as drawing everything", () => {
  for (let seed = 0; seed < 12; seed++) {
    const random = randomOf(seed);
    const document = randomDocument(random, 6);
    const sight = { x: -5 + 10 * random(), y: -5 + 10 * random(), scale: one(random, [0.3, 0.8, 1, 1.7, 4]) };
    const view = { ...VIEW, amodal: seed % 2 === 0, gaps: seed % 3 === 0 };
    const [little, whole] = [new Sampler(90, 70), new Sampler(90, 70)];
    const palette = (): ReturnType<typeof paletteOf> => paletteOf(document, CLASSES, view, document.segments.slice(0, 1).map(({ key }) => key));
    let dirty: readonly [number, number, number, number] | null = null;
    document.subscribe((change) => {
      if (change.dirty) little.draw(document, palette(), sight, view, little.screenBox(change.dirty, sight));
      dirty = change.dirty;
    });
    little.draw(document, palette(), sight, view);
    randomGesture(random, document);
    little.draw(document, palette(), sight, view, dirty ? little.screenBox(dirty, sight) : little.bounds);
    whole.draw(document, palette(), sight, view);
    assert.deepEqual(little.slots, whole.slots, `seed ${seed}`);
  }
});

test("a screen pixel shows the owner of the image pixel under its middle", () => {
  const hand = new Hand("box", [10, 10]);
  const key = hand.put(1, [2, 2, 6, 6]);
  const sampler = new Sampler(40, 40);
  const view = { ...VIEW, outlines: false };
  sampler.draw(hand.document, paletteOf(hand.document, CLASSES, { ...view, colours: "class" }, []), { x: 0, y: 0, scale: 4 }, view);
  const { slot } = hand.document.get(key);
  assert.equal(sampler.slots.filter((s) => s === slot).length, 16 * 16);
  assert.equal(sampler.colours[8 * 40 + 8], pixel([0x33, 0x66, 0x99], 0.5));
  assert.equal(sampler.colours[7 * 40 + 7], 0);
});

test("hidden, solo and locked segments: what is not to be seen has no colour", () => {
  const hand = new Hand("box", [10, 10]);
  const [a, b] = [hand.put(1, [0, 0, 5, 5]), hand.put(1, [5, 0, 10, 5])];
  const colours = (view: Partial<typeof VIEW>): boolean[] => {
    const palette = paletteOf(hand.document, CLASSES, { ...VIEW, ...view }, []);
    return [a, b].map((key) => palette.areas[hand.document.get(key).slot] !== 0);
  };
  assert.deepEqual(colours({ concealed: new Set([a]) }), [false, true]);
  assert.deepEqual(colours({ solo: new Set([a]) }), [true, false]);
  assert.deepEqual(colours({ locked: new Set([a]) }), [true, true]);
});

test("the amodal view hatches what runs on underneath, the modal one does not", () => {
  const hand = new Hand("box", [40, 40]);
  hand.put(1, [0, 0, 30, 30]);
  hand.put(1, [10, 10, 40, 40]);
  const picture = (amodal: boolean): Uint32Array => {
    const sampler = new Sampler(40, 40);
    const view = { ...VIEW, amodal, outlines: false };
    sampler.draw(hand.document, paletteOf(hand.document, CLASSES, view, []), { x: 0, y: 0, scale: 1 }, view);
    return sampler.colours;
  };
  const [modal, amodal] = [picture(false), picture(true)];
  const changed = [...modal.keys()].filter((i) => modal[i] !== amodal[i]);
  assert.ok(changed.length > 100);
  assert.ok(changed.every((i) => i % 40 >= 10 && i % 40 < 30 && i >= 400 && i < 1200));
});

test("the list of classes has the colours of the canvas: those for colour-blind eyes where they are asked for", () => {
  const own = CLASSES.rows.map(({ class_id }) => classColour(class_id, CLASSES, { colours: "instance" }));
  assert.deepEqual(own, CLASSES.rows.map(({ colour }) => parseColour(colour)));
  const safe = CLASSES.rows.map(({ class_id }) => classColour(class_id, CLASSES, { colours: "safe" }).join());
  assert.equal(new Set(safe).size, CLASSES.rows.length); // the rows of this table share one colour
});
