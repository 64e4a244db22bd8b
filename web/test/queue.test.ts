/** The save queue: over bad networks, lost answers and other people, everything acknowledged is there once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Document } from "../src/core/document.ts";
import { type Gesture, inverseOps, newGesture } from "../src/core/gesture.ts";
import { boxMask } from "../src/core/masks.ts";
import { rebase } from "../src/core/rebase.ts";
import { MemoryJournal } from "../src/saving/journal.ts";
import { type Answer, type Entry, type Host, SaveQueue, type Transport } from "../src/saving/queue.ts";
import { randomOf } from "./random.ts";

const SIZE = [40, 40] as const;

/** A server that keeps gestures as the real one does. */
class Server {
  readonly document = new Document(1, SIZE);
  readonly entries: Entry[] = [];

  get revision(): number {
    return this.entries.length;
  }

  save(based: number, gestures: readonly Gesture[], author: string): Answer {
    const known = new Set(this.entries.map(({ gesture }) => gesture.id));
    const fresh = gestures.filter(({ id }) => !known.has(id));
    const last = Math.max(based, ...this.entries.filter(({ gesture }) => gestures.some(({ id }) => id === gesture.id)).map(({ revision }) => revision));
    if (!fresh.length) return { kind: "saved", revision: last };
    if (last !== this.revision) return { kind: "stale", revision: this.revision, entries: this.entries.slice(based) };
    for (const gesture of fresh) {
      if (gesture.kind === "bad") return { kind: "refused", words: "no", gesture: gesture.id };
    }
    for (const gesture of fresh) {
      this.document.apply(gesture);
      this.entries.push({ revision: this.revision + 1, author, at: "", gesture });
    }
    return { kind: "saved", revision: this.revision };
  }
}

/** A line to the server that drops requests and answers as chance has it. */
class Line implements Transport {
  lossy = 0;
  constructor(readonly server: Server, readonly author: string, readonly chance: () => number) {}

  async save(revision: number, gestures: readonly Gesture[]): Promise<Answer> {
    await Promise.resolve();
    if (this.chance() < this.lossy) return { kind: "away", words: "lost" };
    const answer = this.server.save(revision, structuredClone(gestures), this.author);
    return this.chance() < this.lossy ? { kind: "away", words: "answer lost" } : answer;
  }

  async since(revision: number): Promise<Answer> {
    return { kind: "stale", revision: this.server.revision, entries: this.server.entries.slice(revision) };
  }
}

class Person implements Host {
  readonly document = new Document(1, SIZE);
  readonly journal = new MemoryJournal();
  readonly queue: SaveQueue;
  readonly refusals: string[] = [];
  conflicts = 0;
  made = 0;

  constructor(readonly line: Line, readonly user: number) {
    const parts = { journal: this.journal, transport: line, host: this, changed: () => {} };
    this.queue = new SaveQueue({ image: 1, user, tab: `${user}` }, 0, parts);
  }

  async settled(): Promise<void> {}

  copies: boolean = false;

  follow(mine: readonly Gesture[], theirs: readonly Entry[], again: readonly Gesture[]): readonly Gesture[] {
    for (const gesture of mine.toReversed()) this.document.apply({ ops: inverseOps(gesture.ops) });
    for (const { gesture } of theirs) this.document.apply(gesture);
    return again.flatMap((gesture) => {
      const done = rebase(this.document, gesture);
      this.conflicts += done.conflicts.length;
      return done.gesture ? [done.gesture] : [];
    });
  }

  refused(gesture: Gesture): void {
    this.refusals.push(gesture.id);
  }

  /** Draws a new square where this person draws. */
  draw(kind = "box"): Gesture {
    const key = `person-${this.user}-${String(this.made).padStart(6, "0")}`;
    const x = this.user * 20 + (this.made % 4) * 5;
    const y = Math.floor(this.made++ / 4) * 5;
    const segment = { key, class_id: 1, instance_id: 1, crowd: false, tags: [], score: null, source: "hand", state: "final" } as const;
    const above = this.document.frontKey;
    const ops = [{ op: "create", segment, above } as const, { op: "pixels", before: null, after: key, mask: boxMask([x, y, x + 4, y + 4]) } as const];
    const gesture = newGesture(kind, ops);
    this.document.apply(gesture);
    this.queue.push(gesture);
    return gesture;
  }
}

const picture = (document: Document): unknown => {
  const { segments } = document.toJson();
  return segments.map((segment) => JSON.stringify(segment)).sort();
};

async function finish(people: readonly Person[]): Promise<void> {
  for (const { line } of people) line.lossy = 0;
  for (let round = 0; round < 4; round++)
    for (const person of people) {
      person.queue.retry();
      person.queue.heard(person.line.server.revision);
      await person.queue.idle();
    }
}

test("over a line that loses requests and answers, two people end with the same picture and nothing is lost", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const chance = randomOf(seed);
    const server = new Server();
    const people = [0, 1].map((user) => new Person(new Line(server, `${user}`, chance), user));
    for (const { line } of people) line.lossy = 0.3;
    const made: string[] = [];
    for (let i = 0; i < 24; i++) {
      made.push(people[Math.floor(chance() * 2)].draw().id);
      if (chance() < 0.5) await new Promise((done) => setTimeout(done, 1));
      if (chance() < 0.3) people[Math.floor(chance() * 2)].queue.heard(server.revision);
      if (chance() < 0.3) people.forEach(({ queue }) => queue.retry());
    }
    await finish(people);
    assert.deepEqual(server.entries.map(({ gesture }) => gesture.id).sort(), made.sort());
    for (const person of people) {
      assert.deepEqual(picture(person.document), picture(server.document));
      assert.deepEqual(await person.journal.of(1, person.user), []);
      assert.equal(person.conflicts, 0);
    }
  }
});

test("a gesture whose answer was lost is not done twice", async () => {
  const server = new Server();
  const line = new Line(server, "me", () => 1);
  const person = new Person(line, 0);
  let calls = 0;
  const honest = line.save.bind(line);
  line.save = async (revision, gestures) => {
    const answer = await honest(revision, gestures);
    return calls++ === 0 ? { kind: "away", words: "answer lost" } : answer;
  };
  person.draw();
  await new Promise((done) => setTimeout(done, 10));
  person.queue.retry();
  await person.queue.idle();
  assert.equal(server.entries.length, 1);
  assert.equal(person.queue.revision, 1);
});

test("what the server never takes is undone and said, and the rest is saved", async () => {
  const server = new Server();
  const person = new Person(new Line(server, "me", () => 1), 0);
  const good = person.draw();
  const bad = person.draw("bad");
  const after = person.draw();
  await person.queue.idle();
  assert.deepEqual(person.refusals, [bad.id]);
  assert.deepEqual(server.entries.map(({ gesture }) => gesture.id), [good.id, after.id]);
  assert.deepEqual(picture(person.document), picture(server.document));
});

test("what waits is in the journal, in order, until it is acknowledged", async () => {
  const server = new Server();
  const line = new Line(server, "me", () => 0);
  line.lossy = 1;
  const person = new Person(line, 0);
  const drawn = [person.draw(), person.draw(), person.draw()].map(({ id }) => id);
  await new Promise((done) => setTimeout(done, 10));
  assert.deepEqual((await person.journal.of(1, 0)).map(({ id }) => id), drawn);
  assert.equal(person.queue.state.status, "away");
  assert.equal(person.queue.state.waiting, 3);
  line.lossy = 0;
  person.queue.retry();
  await person.queue.idle();
  assert.deepEqual(await person.journal.of(1, 0), []);
});

test("what is saved stays in the journal until the browser's copy of the document has it", async () => {
  const server = new Server();
  const person = new Person(new Line(server, "me", randomOf(1)), 0);
  person.copies = true;
  person.draw();
  await person.queue.idle();
  const kept = await person.journal.of(1, 0);
  assert.deepEqual(kept.map(({ saved, base }) => [saved, base]), [[true, 0]]);
  assert.deepEqual(await person.journal.images(0), [], "nothing there is unsaved");
  person.queue.copied();
  await person.queue.idle();
  assert.deepEqual(await person.journal.of(1, 0), []);
});
