/**
 * Saves the gestures of one image, in order, each as soon as it was drawn. It holds what is not acknowledged, tries
 * again when the network is back, and follows what others save meanwhile. One loop does all of it, so that saving and
 * following never cross.
 */
import type { Gesture } from "../core/gesture.ts";
import type { Journal } from "./journal.ts";
import { nextOrder } from "./journal.ts";

export interface Entry {
  readonly revision: number;
  readonly author: string;
  readonly at: string;
  readonly gesture: Gesture;
}

export type Answer =
  | { readonly kind: "saved"; readonly revision: number }
  | { readonly kind: "stale"; readonly revision: number; readonly entries: readonly Entry[] }
  | { readonly kind: "refused"; readonly words: string; readonly gesture: string | null }
  | { readonly kind: "denied"; readonly words: string }
  | { readonly kind: "away"; readonly words: string };

export interface Transport {
  save(revision: number, gestures: readonly Gesture[]): Promise<Answer>;
  since(revision: number): Promise<Answer>;
}

/** The document's side. */
export interface Host {
  /** Resolves when nothing is being drawn. */
  settled(): Promise<void>;
  /** Takes `mine` back, applies `theirs`, and does those of mine again that are in `again`; gives what became of them. */
  follow(mine: readonly Gesture[], theirs: readonly Entry[], again: readonly Gesture[]): readonly Gesture[];
  /** Whether a copy of the document is kept in the browser, with which saved gestures are to stay in the journal. */
  readonly copies: boolean;
  /** A gesture that the server will never take; it is undone here already. */
  refused(gesture: Gesture, words: string): void;
}

export type Status = "saved" | "saving" | "away" | "denied";

export interface State {
  readonly status: Status;
  /** How many gestures wait for the server. */
  readonly waiting: number;
  readonly words: string;
}

export interface Place {
  readonly image: number;
  readonly user: number;
  readonly tab: string;
}

const LONGEST_WAIT = 15_000;
const BATCH = 200;

export class SaveQueue {
  revision: number;
  readonly #place: Place;
  readonly #journal: Journal;
  readonly #transport: Transport;
  readonly #host: Host;
  readonly #changed: (state: State) => void;
  #waiting: Gesture[] = [];
  #uncopied: string[] = []; // saved, but not in the browser's copy of the document
  #behind = 0;
  #failures = 0;
  #batch = BATCH;
  #running = false;
  #closed = false;
  #state: State = { status: "saved", waiting: 0, words: "" };
  #wake: (() => void) | null = null;
  #kept: Promise<void> = Promise.resolve();

  constructor(place: Place, revision: number, parts: { journal: Journal; transport: Transport; host: Host; changed: (state: State) => void }) {
    this.#place = place;
    this.revision = revision;
    this.#journal = parts.journal;
    this.#transport = parts.transport;
    this.#host = parts.host;
    this.#changed = parts.changed;
  }

  get state(): State {
    return this.#state;
  }

  get waiting(): readonly Gesture[] {
    return this.#waiting;
  }

  /** Takes gestures that the document has applied. */
  push(...gestures: readonly Gesture[]): void {
    this.#waiting.push(...gestures);
    this.#keep(gestures);
    void this.#run();
  }

  /** Somebody has saved up to `revision`: follow. */
  heard(revision: number): void {
    this.#behind = Math.max(this.#behind, revision);
    void this.#run();
  }

  /** Try at once, rather than after the pause: the network is back, or somebody logged in again. */
  retry(): void {
    this.#failures = 0;
    if (this.#state.status === "denied") this.#tell("saving");
    this.#wake?.();
    void this.#run();
  }

  /** Ends the loop; what waits stays in the journal. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** Resolves when nothing waits and the journal knows. */
  async idle(): Promise<void> {
    while (this.#running || this.#waiting.length) await new Promise((done) => setTimeout(done, 5));
    await this.#kept;
  }

  /** The browser's copy of the document has everything that is saved. */
  copied(): void {
    this.#forget(this.#uncopied.splice(0));
  }

  #keep(gestures: readonly Gesture[], saved = false): void {
    const kept = gestures.map((gesture) => ({ ...this.#place, id: gesture.id, order: nextOrder(), base: this.revision, gesture, saved }));
    this.#kept = this.#kept.then(() => this.#journal.keep(kept)).catch((error: unknown) => this.#tell(this.#state.status, String(error)));
  }

  #forget(ids: readonly string[]): void {
    this.#kept = this.#kept.then(() => this.#journal.forget(ids)).catch(() => undefined);
  }

  #tell(status: Status, words = ""): void {
    this.#state = { status, waiting: this.#waiting.length, words };
    this.#changed(this.#state);
  }

  async #run(): Promise<void> {
    if (this.#running || this.#closed || this.#state.status === "denied") {
      this.#tell(this.#state.status === "saved" && this.#waiting.length ? "saving" : this.#state.status, this.#state.words);
      return;
    }
    this.#running = true;
    try {
      while (!this.#closed && (this.#waiting.length || this.#behind > this.revision)) {
        if (!(await this.#step())) break;
      }
    } finally {
      this.#running = false;
    }
    if (!this.#waiting.length && this.state.status !== "denied") this.#tell("saved");
  }

  /** One request and what follows from it; false when there is no point in another. */
  async #step(): Promise<boolean> {
    if (this.#failures === 0) this.#tell(this.#waiting.length ? "saving" : "saved");
    const sent = this.#waiting.slice(0, this.#batch);
    const answer = await (sent.length ? this.#transport.save(this.revision, sent) : this.#transport.since(this.revision));
    if (answer.kind !== "away") this.#failures = 0;
    switch (answer.kind) {
      case "saved":
        this.#acknowledge(sent, answer.revision);
        return true;
      case "stale":
        await this.#follow(answer.entries, answer.revision);
        return true;
      case "refused":
        await this.#refuse(sent, answer);
        return true;
      case "denied":
        this.#tell("denied", answer.words);
        return false;
      case "away":
        this.#tell("away", answer.words);
        await this.#pause();
        return true;
    }
  }

  #acknowledge(sent: readonly Gesture[], revision: number): void {
    const ids = new Set(sent.map(({ id }) => id));
    this.#waiting = this.#waiting.filter(({ id }) => !ids.has(id));
    if (this.#host.copies) {
      this.#keep(sent, true);
      this.#uncopied.push(...ids);
    } else this.#forget([...ids]);
    this.revision = revision;
    this.#batch = BATCH;
  }

  async #follow(entries: readonly Entry[], revision: number): Promise<void> {
    await this.#host.settled();
    if (this.#closed) return;
    const known = new Set(entries.map(({ gesture }) => gesture.id));
    const mine = this.#waiting;
    const again = mine.filter(({ id }) => !known.has(id));
    this.#waiting = [...this.#host.follow(mine, entries, again)];
    this.revision = revision;
    const left = new Set(this.#waiting.map(({ id }) => id));
    this.#forget(mine.filter(({ id }) => !left.has(id)).map(({ id }) => id));
    this.#keep(this.#waiting);
  }

  /** Finds the gesture that the server does not take, undoes it, and goes on with the others. */
  async #refuse(sent: readonly Gesture[], { words, gesture }: Extract<Answer, { kind: "refused" }>): Promise<void> {
    const bad = sent.length === 1 ? sent[0] : sent.find(({ id }) => id === gesture);
    if (!bad) {
      this.#batch = Math.max(1, Math.floor(this.#batch / 2), Math.floor(sent.length / 2));
      if (this.#batch >= sent.length) this.#batch = 1;
      return;
    }
    await this.#host.settled();
    const mine = this.#waiting;
    this.#waiting = [...this.#host.follow(mine, [], mine.filter((other) => other !== bad))];
    this.#forget(mine.map(({ id }) => id));
    this.#keep(this.#waiting);
    this.#host.refused(bad, words);
  }

  async #pause(): Promise<void> {
    const wait = Math.min(LONGEST_WAIT, 500 * 2 ** this.#failures++);
    await new Promise<void>((done) => {
      const timer = setTimeout(done, wait);
      this.#wake = () => {
        clearTimeout(timer);
        done();
      };
    });
    this.#wake = null;
  }
}
