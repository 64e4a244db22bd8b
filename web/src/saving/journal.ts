/** Gestures that no server has acknowledged yet, kept by the browser: they outlive a reload, a crash, a lost network. */
import type { Gesture } from "../core/gesture.ts";

export interface Kept {
  readonly id: string;
  readonly image: number;
  readonly user: number;
  /** Which tab drew it: a tab that still lives saves its own. */
  readonly tab: string;
  readonly order: number;
  /** The revision under the first gesture that waits. */
  readonly base: number;
  readonly gesture: Gesture;
  /** The server has it; it is kept because the copy of the document in this browser has it not. */
  readonly saved?: boolean;
}

export interface Journal {
  /** Keeps gestures; those with the same id are replaced. */
  keep(kept: readonly Kept[]): Promise<void>;
  /** Forgets gestures that are acknowledged. */
  forget(ids: readonly string[]): Promise<void>;
  /** What is kept for an image, in the order in which it was drawn. */
  of(image: number, user: number): Promise<Kept[]>;
  /** Images for which something is kept that is not saved. */
  images(user: number): Promise<number[]>;
}

/** A journal that ends with the page: for browsers that keep nothing, and for tests. */
export class MemoryJournal implements Journal {
  #kept = new Map<string, Kept>();

  async keep(kept: readonly Kept[]): Promise<void> {
    for (const one of kept) this.#kept.set(one.id, one);
  }

  async forget(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#kept.delete(id);
  }

  async of(image: number, user: number): Promise<Kept[]> {
    return inOrder([...this.#kept.values()].filter((one) => one.image === image && one.user === user));
  }

  async images(user: number): Promise<number[]> {
    return imagesOf([...this.#kept.values()], user);
  }
}

const inOrder = (kept: Kept[]): Kept[] => kept.sort((a, b) => a.order - b.order);
const imagesOf = (kept: readonly Kept[], user: number): number[] => [
  ...new Set(kept.filter((one) => one.user === user && !one.saved).map((one) => one.image)),
];

const STORE = "gestures";

/** The journal of this browser. */
export class BrowserJournal implements Journal {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  static async open(): Promise<Journal> {
    if (!("indexedDB" in globalThis)) return new MemoryJournal();
    try {
      const request = indexedDB.open("inlay", 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" }).createIndex("image", "image");
      return new BrowserJournal(await answer(request));
    } catch {
      return new MemoryJournal();
    }
  }

  async keep(kept: readonly Kept[]): Promise<void> {
    if (kept.length) await this.#write((store) => kept.forEach((one) => store.put(one)));
  }

  async forget(ids: readonly string[]): Promise<void> {
    if (ids.length) await this.#write((store) => ids.forEach((id) => store.delete(id)));
  }

  async of(image: number, user: number): Promise<Kept[]> {
    const store = this.#database.transaction(STORE).objectStore(STORE);
    const found = (await answer(store.index("image").getAll(image))) as Kept[];
    return inOrder(found.filter((one) => one.user === user));
  }

  async images(user: number): Promise<number[]> {
    return imagesOf((await answer(this.#database.transaction(STORE).objectStore(STORE).getAll())) as Kept[], user);
  }

  #write(change: (store: IDBObjectStore) => void): Promise<void> {
    const work = this.#database.transaction(STORE, "readwrite");
    change(work.objectStore(STORE));
    return new Promise((done, fail) => {
      work.oncomplete = () => done();
      work.onabort = work.onerror = () => fail(work.error ?? new Error("the browser's storage is full"));
    });
  }
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error ?? new Error("the browser's storage does not answer"));
  });
}

/** The journal that this page uses. */
export const journal: Promise<Journal> = BrowserJournal.open();

let lastOrder = 0;

/** A number that grows with every gesture, over reloads and when the clock goes back within a session. */
export const nextOrder = (): number => (lastOrder = Math.max(lastOrder + 1, Date.now() * 1000));
