/** What one person did to a document and may undo. Undo and redo are gestures too, so it outlives a reload. */
import type { Gesture } from "./gesture.ts";

export class History {
  #done: Gesture[] = [];
  #undone: Gesture[] = [];

  /** The history of gestures in the order in which they were made. */
  static of(gestures: Iterable<Gesture>): History {
    const history = new History();
    for (const gesture of gestures) history.record(gesture);
    return history;
  }

  record(gesture: Gesture): void {
    const { undoes } = gesture;
    if (gesture.kind === "undo" && undoes) {
      this.#done = this.#done.filter((other) => other.id !== undoes);
      this.#undone.push(gesture);
    } else if (gesture.kind === "redo" && undoes) {
      this.#undone = this.#undone.filter((other) => other.id !== undoes);
      this.#done.push(gesture);
    } else {
      this.#done.push(gesture);
      this.#undone = [];
    }
  }

  /** Puts other gestures in place of some: after a merge they have other ops under the same id; null takes one out. */
  replace(changed: ReadonlyMap<string, Gesture | null>): void {
    const next = (list: Gesture[]): Gesture[] =>
      list.map((old) => (changed.has(old.id) ? changed.get(old.id)! : old)).filter((gesture) => gesture !== null);
    this.#done = next(this.#done);
    this.#undone = next(this.#undone);
  }

  /** The gesture that undo would take back; null when there is none. */
  get undoable(): Gesture | null {
    return this.#done.at(-1) ?? null;
  }

  /** The undo that redo would take back; null when there is none. */
  get redoable(): Gesture | null {
    return this.#undone.at(-1) ?? null;
  }
}
