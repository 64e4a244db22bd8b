/** The image on the desk: its editor, what waits to be saved, and what is said of it. */
import { type Signal, signal } from "@preact/signals";
import { call, Unreachable, wordsFor } from "../api.ts";
import { Document } from "../core/document.ts";
import { Editor, type Tools, type Topic } from "../core/editor.ts";
import { type DocumentJson, type Gesture, inverseOps, newGesture } from "../core/gesture.ts";
import { History } from "../core/history.ts";
import { type Conflict, rebase } from "../core/rebase.ts";
import type { Comment, Event, Findings, Image, Lock } from "../schema.d.ts";
import { keepCopy, reloads } from "../saving/copies.ts";
import type { Journal, Kept } from "../saving/journal.ts";
import { type Entry, type Host, SaveQueue, type State } from "../saving/queue.ts";
import { isAlive, lookAtTabs, TAB } from "../saving/tabs.ts";
import { entriesSince, ServerTransport } from "../saving/transport.ts";
import { t } from "../texts.ts";
import { Activity, watchPage } from "./activity.ts";
import { classes } from "./project.ts";
import { ServerPrompts } from "./prompts.ts";
import { drawing, preferences, view } from "./settings.ts";

const REMEMBERED = 500; // own gestures that undo reaches after a reload
const LOOK_SECONDS = 3; // time without a gesture that is worth a line in the history
const HEARTBEAT = 25_000;
const PAUSE = 2_000; // milliseconds without a save

export interface Person {
  readonly user_id: number;
  readonly name: string;
}

export class Desk implements Host {
  readonly image: Signal<Image>;
  readonly editor: Editor;
  readonly me: Person;
  readonly saving = signal<State>({ status: "saved", waiting: 0, words: "" });
  readonly findings = signal<Findings | null>(null);
  readonly comments = signal<readonly Comment[]>([]);
  readonly conflicts = signal<readonly Conflict[]>([]);
  readonly entries = signal<readonly Entry[]>([]);
  readonly lock = signal<Lock | null>(null);
  /** What was just said about this image: shown as a notice. */
  readonly said = signal<{ readonly words: string; readonly bad: boolean } | null>(null);
  /** Counts changes by topic, for components to depend on. */
  readonly ticks: Readonly<Record<Topic, Signal<number>>>;
  /** Counts changes of the document that are done, for panels: strokes under way do not move them. */
  readonly settledTick = signal(0);
  readonly queue: SaveQueue;
  readonly #activity = new Activity(() => preferences.peek().idleSeconds);
  readonly #ends: (() => void)[] = [];
  #checking = 0;
  #copying = 0;

  constructor(image: Image, document: Document, parts: { me: Person; entries: readonly Entry[]; tools: Tools; journal: Journal }) {
    this.image = signal(image);
    this.me = parts.me;
    const mine = parts.entries.filter(({ author }) => author === parts.me.name).map(({ gesture }) => gesture);
    this.editor = new Editor(document, classes.peek(), parts.tools, History.of(mine.filter(({ ops }) => ops.length)));
    this.entries.value = parts.entries;
    const topics: Topic[] = ["document", "selection", "settings", "view", "tool", "preview", "history", "words"];
    this.ticks = Object.fromEntries(topics.map((topic) => [topic, signal(0)])) as Record<Topic, Signal<number>>;
    this.queue = new SaveQueue({ image: image.image_id, user: parts.me.user_id, tab: TAB }, document.revision, {
      journal: parts.journal,
      transport: new ServerTransport(image.image_id),
      host: this,
      changed: (state) => this.#savingChanged(state),
    });
    this.#connect();
  }

  #connect(): void {
    const { editor } = this;
    const known = classes.peek().get(drawing.peek().classId) ?? classes.peek().rows[0];
    editor.change({ ...drawing.peek(), classId: known?.class_id ?? 0 });
    editor.look(view.peek());
    editor.prompts = new ServerPrompts(this.id, () => editor.settings);
    editor.seconds = () => this.#activity.take(performance.now());
    this.#ends.push(
      editor.subscribe((topic) => {
        this.ticks[topic].value++;
        if (topic === "settings") drawing.value = editor.settings;
        if (topic === "view") view.value = editor.view;
        if (topic === "words" && editor.words) this.said.value = { words: editor.words, bad: false };
      }),
      editor.document.subscribe(({ settled }) => settled && this.settledTick.value++),
      editor.onGesture((gesture) => this.queue.push(gesture)),
      classes.subscribe((rows) => {
        editor.classes = rows;
        editor.look({});
      }),
      view.subscribe((now) => now !== editor.view && now.dark !== editor.view.dark && editor.look({ dark: now.dark })),
      watchPage(this.#activity, () => this.#noteLook()),
    );
    const online = (): void => this.queue.retry();
    addEventListener("online", online);
    const beat = setInterval(() => void this.#beat(), HEARTBEAT);
    this.#ends.push(() => removeEventListener("online", online), () => clearInterval(beat));
    void this.#beat();
    this.check();
    void this.loadComments();
  }

  /** Applies what the server proposes against a finding, as a gesture of one's own. */
  async fix(fingerprint: string): Promise<void> {
    try {
      await this.queue.idle();
      const { gesture } = await call("POST /api/images/{image_id}/fix", { image_id: this.id }, { body: { fingerprint } });
      this.editor.adopt({ ...gesture, id: crypto.randomUUID() } as unknown as Gesture);
      this.said.value = { words: t.findings.fixed, bad: false };
    } catch (error) {
      this.said.value = { words: wordsFor(error), bad: true };
    }
  }

  /** Ends saving and locks; what waits stays in the journal. */
  close(): void {
    this.#noteLook();
    void this.queue.idle().then(() => this.queue.close());
    setTimeout(() => this.queue.close(), 3000);
    for (const end of this.#ends) end();
    clearTimeout(this.#copying);
    void call("DELETE /api/images/{image_id}/lock", { image_id: this.id }, { keepalive: true }).catch(() => undefined);
  }

  get copies(): boolean {
    return reloads();
  }

  get id(): number {
    return this.image.peek().image_id;
  }

  settled(): Promise<void> {
    return new Promise((done) => {
      const look = (): void => {
        if (this.editor.isDrawing) setTimeout(look, 30);
        else done();
      };
      look();
    });
  }

  follow(mine: readonly Gesture[], theirs: readonly Entry[], again: readonly Gesture[]): readonly Gesture[] {
    const { document, history } = this.editor;
    const conflicts: Conflict[] = [];
    for (const gesture of mine.toReversed()) document.apply({ ops: inverseOps(gesture.ops) });
    for (const { gesture } of theirs) document.apply(gesture);
    const changed = new Map<string, Gesture | null>();
    for (const gesture of again) {
      const done = rebase(document, gesture);
      conflicts.push(...done.conflicts);
      changed.set(gesture.id, done.gesture);
    }
    history.replace(changed);
    document.revision = theirs.at(-1)?.revision ?? document.revision;
    this.ticks.history.value++;
    this.entries.value = [...this.entries.peek(), ...theirs];
    if (conflicts.length) this.conflicts.value = [...this.conflicts.peek(), ...conflicts];
    const other = theirs.find(({ author, gesture }) => author !== this.me.name && gesture.ops.length);
    if (other && !conflicts.length && mine.length) this.said.value = { words: t.label.followed(other.author), bad: false };
    return [...changed.values()].filter((gesture) => gesture !== null);
  }

  refused(gesture: Gesture, words: string): void {
    this.editor.history.replace(new Map([[gesture.id, null]]));
    this.ticks.history.value++;
    this.said.value = { words: t.label.refused(words), bad: true };
  }

  /** Does again what an earlier page could not save; the document has it already when this returns. */
  recover(found: readonly Kept[]): void {
    const { document, history } = this.editor;
    const conflicts: Conflict[] = [];
    const kept: Gesture[] = [];
    for (const { gesture } of found) {
      const done = rebase(document, gesture);
      conflicts.push(...done.conflicts);
      if (!done.gesture) continue;
      history.record(done.gesture);
      kept.push(done.gesture);
    }
    if (!kept.length && !conflicts.length) return;
    this.queue.push(...kept);
    this.conflicts.value = conflicts;
    this.ticks.history.value++;
    const unsaved = found.filter(({ saved }) => !saved).length;
    if (unsaved) this.said.value = { words: t.label.recovered(unsaved), bad: false };
  }

  /** Something happened in the project; null: anything may have. */
  heard(event: Event | null): void {
    if (event === null) {
      this.queue.heard(this.queue.revision + 1);
      this.queue.retry();
      return;
    }
    if (event.image !== this.id) return;
    if (event.kind === "revision" && event.revision != null) this.queue.heard(event.revision);
    if (event.kind === "comment") void this.loadComments();
    if (event.kind === "state" || event.kind === "lock") void this.loadImage();
    if (event.kind === "state" && this.queue.state.status === "denied") this.queue.retry(); // returned: what was kept may go
  }

  async loadImage(): Promise<void> {
    this.image.value = await call("GET /api/images/{image_id}", { image_id: this.id }).catch(() => this.image.peek());
  }

  async loadComments(): Promise<void> {
    this.comments.value = await call("GET /api/images/{image_id}/comments", { image_id: this.id }).catch(() => this.comments.peek());
  }

  /** Lets the rules look at what is saved, soon. */
  check(): void {
    clearTimeout(this.#checking);
    this.#checking = window.setTimeout(() => void this.#check(), 350);
  }

  async #check(): Promise<void> {
    const asked = this.queue.revision;
    const found = await call("GET /api/images/{image_id}/findings", { image_id: this.id }).catch(() => null);
    if (found) this.findings.value = found;
    if (this.queue.revision !== asked) this.check();
  }

  async #beat(): Promise<void> {
    this.lock.value = await call("POST /api/images/{image_id}/lock", { image_id: this.id }).catch(() => null);
  }

  #savingChanged(state: State): void {
    const before = this.saving.peek();
    this.saving.value = state;
    if (state.status !== "saved" || (before.status === "saved" && this.editor.document.revision === this.queue.revision)) return;
    this.editor.document.revision = this.queue.revision;
    this.check();
    this.#copySoon();
    if (this.image.peek().state === "todo" || this.image.peek().state === "returned") void this.loadImage();
    void this.#loadEntries();
  }

  async #loadEntries(): Promise<void> {
    const last = this.entries.peek().at(-1)?.revision ?? 0;
    const fresh = await entriesSince(this.id, last).catch(() => []);
    const known = new Set(this.entries.peek().map(({ revision }) => revision));
    this.entries.value = [...this.entries.peek(), ...fresh.filter(({ revision }) => !known.has(revision))];
  }

  /** Keeps a copy of what is saved, for a page that is opened without the server; in a pause, since it takes a while. */
  #copySoon(): void {
    clearTimeout(this.#copying);
    if (this.copies) this.#copying = window.setTimeout(() => void this.#copy().catch(() => undefined), PAUSE);
  }

  async #copy(): Promise<void> {
    if (this.queue.waiting.length || this.editor.isDrawing) return; // the next save tries again
    const { document, revision } = { document: this.editor.document.toJson(), revision: this.queue.revision };
    await keepCopy({ ...document, revision });
    if (this.queue.revision === revision) this.queue.copied();
  }

  /** Time spent looking counts too: a gesture without ops carries it. */
  #noteLook(): void {
    const seconds = this.#activity.take(performance.now());
    if (seconds >= LOOK_SECONDS && !this.editor.isDrawing) this.queue.push(newGesture("look", [], seconds));
  }
}

/** Puts an image on the desk, with what earlier pages could not save. All that it needs is asked for at once. */
export async function openDesk(image: number, parts: { me: Person; tools: Tools; journal: Journal }): Promise<Desk> {
  const place = { image_id: image };
  const about = Promise.all([call("GET /api/images/{image_id}", place), parts.journal.of(image, parts.me.user_id)]);
  const [[facts, left], json, early] = await Promise.all([
    about,
    call("GET /api/images/{image_id}/document", place),
    about.then(([{ revision }, found]) => entriesAfter(image, Math.max(0, Math.min(revision - REMEMBERED, ...found.map(({ base }) => base))))),
  ]);
  await lookAtTabs(); // after the requests: a page that was closed just now may have held its lock until here
  const kept = left.filter(({ tab }) => !isAlive(tab));
  const until = early.at(-1)?.revision ?? facts.revision;
  const late = until < json.revision ? await entriesAfter(image, until) : []; // somebody worked while we asked
  const entries = [...early, ...late].filter(({ revision }) => revision <= json.revision);
  const desk = new Desk(facts, Document.load(json as DocumentJson), { ...parts, entries });
  const known = new Set(entries.map(({ gesture }) => gesture.id));
  await parts.journal.forget(kept.filter(({ id }) => known.has(id)).map(({ id }) => id));
  desk.recover(kept.filter(({ id }) => !known.has(id)));
  return desk;
}

/** What was done after a revision; nothing where the browser's own copy was opened: what happened since comes later. */
async function entriesAfter(image: number, revision: number): Promise<Entry[]> {
  return entriesSince(image, revision).catch((error: unknown) => {
    if (error instanceof Unreachable) return [];
    throw error;
  });
}

/** Words for a person about why an image does not open. */
export const whyNot = (error: unknown): string => `${t.label.failed}: ${wordsFor(error)}`;
