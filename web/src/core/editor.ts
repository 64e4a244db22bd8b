/**
 * What tools and panels talk to: the document with its history, what is selected, how one draws and what one sees.
 * It decides nothing by itself: tools and commands do.
 */
import { Classes } from "./classes.ts";
import { Document, type Segment } from "./document.ts";
import { Draft, type Manner } from "./draft.ts";
import { type Point, distance } from "./geometry.ts";
import { type Gesture, GestureError, type Head, inverse, newKey } from "./gesture.ts";
import { History } from "./history.ts";
import type { Picture, Prompts } from "./picture.ts";
import { type Rebased, merge, rebase } from "./rebase.ts";
import type { Region } from "./region.ts";
import { SETTINGS, type Settings, VIEW, type View, isShown } from "./settings.ts";
import type { Preview, Tool } from "./tool.ts";
import { Viewport } from "./viewport.ts";

export type Topic = "document" | "selection" | "settings" | "view" | "tool" | "preview" | "history" | "words";
export type Tools = Readonly<Record<string, (editor: Editor) => Tool>>;

/** What a drawn region does: makes a segment, adds to the selected one or is cut out of it. */
export type Purpose = "new" | "add" | "subtract";

/** Gestures by which somebody says that he means the segment that he has just drawn. */
const MEANT: ReadonlySet<string> = new Set(["order", "tags", "class"]);
const NEAR = 8; // screen pixels within which a point counts as hit

export class Editor {
  readonly document: Document;
  readonly viewport: Viewport;
  readonly history: History;
  classes: Classes;
  settings: Settings = SETTINGS;
  view: View = VIEW;
  selection: readonly string[] = [];
  /** Whether what is selected was selected by being drawn: the next class chosen is then for what comes next. */
  isFresh = false;
  preview: Preview | null = null;
  /** The last thing to tell the user, as a sentence; null when there is none. */
  words: string | null = null;
  picture: Picture | null = null;
  prompts: Prompts | null = null;
  /** Active seconds since the last gesture. */
  seconds: () => number = () => 0;
  toolName = "";
  readonly tools: Tools;
  #tool: Tool = {};
  #draft: Draft | null = null;
  #waiting: (() => void)[] = [];
  #listeners = new Set<(topic: Topic) => void>();
  #senders = new Set<(gesture: Gesture) => void>();

  constructor(document: Document, classes: Classes, tools: Tools, history = new History()) {
    this.document = document;
    this.classes = classes;
    this.tools = tools;
    this.history = history;
    this.viewport = new Viewport([document.width, document.height]);
    document.subscribe(({ heads }) => {
      if (heads) this.select(this.selection.filter((key) => document.has(key)), this.isFresh);
      this.#tell("document");
    });
  }

  get tool(): Tool {
    return this.#tool;
  }

  get isDrawing(): boolean {
    return this.#draft !== null;
  }

  /** Calls `listener` whenever something changes; gives the way to stop it. */
  subscribe(listener: (topic: Topic) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` with each gesture made here, undo and redo included: what is to be saved. */
  onGesture(listener: (gesture: Gesture) => void): () => void {
    this.#senders.add(listener);
    return () => this.#senders.delete(listener);
  }

  use(name: string): void {
    if (!this.tools[name]) throw new GestureError(-1, `there is no tool ${name}: ${Object.keys(this.tools).join(", ")}`);
    this.#tool.cancel?.();
    this.show(null);
    this.toolName = name;
    this.#tool = this.tools[name](this);
    this.#tell("tool");
  }

  /** Selects segments; `drawn` where one is selected because it was drawn just now. */
  select(keys: readonly string[], drawn = false): void {
    const same = keys.length === this.selection.length && keys.every((key, i) => key === this.selection[i]);
    this.isFresh = drawn && (!same || this.isFresh) && keys.length > 0;
    if (same) return;
    this.selection = keys;
    this.#tell("selection");
  }

  change(settings: Partial<Settings>): void {
    this.settings = { ...this.settings, ...settings };
    this.#tell("settings");
  }

  look(view: Partial<View>): void {
    this.view = { ...this.view, ...view };
    this.#tell("view");
  }

  show(preview: Preview | null): void {
    if (preview === null && this.preview === null) return;
    this.preview = preview;
    this.#tell("preview");
  }

  say(words: string | null): void {
    this.words = words;
    this.#tell("words");
  }

  /** Whether two image points are so near on the screen that one means the other. */
  isNear(a: Point, b: Point, pixels = NEAR): boolean {
    return distance(a, b) * this.viewport.scale <= pixels;
  }

  /** The one selected segment; null when there is none or several. */
  get selected(): Segment | null {
    return this.selection.length === 1 && this.document.has(this.selection[0]) ? this.document.get(this.selection[0]) : null;
  }

  isLocked(key: string): boolean {
    return this.view.locked.has(key);
  }

  isShown(key: string): boolean {
    return isShown(this.view, key);
  }

  /** Opens a gesture; `commit` or `cancel` ends it. What others did meanwhile waits until then. */
  begin(kind: string): Draft {
    this.#draft = new Draft(this.document, kind, this.manner());
    return this.#draft;
  }

  /** Ends a gesture, remembers and sends it. */
  commit(draft: Draft): Gesture | null {
    const gesture = draft.commit(this.seconds());
    this.#draft = null;
    if (gesture) this.#made(gesture);
    this.#catchUp();
    return gesture;
  }

  cancel(draft: Draft): void {
    draft.cancel();
    this.#draft = null;
    this.#catchUp();
  }

  /** One whole gesture. What is refused changes nothing and is said in words. */
  do(kind: string, work: (draft: Draft) => void): Gesture | null {
    let draft: Draft | null = null;
    try {
      draft = this.begin(kind);
      work(draft);
      if (MEANT.has(kind)) this.isFresh = false;
      return this.commit(draft);
    } catch (error) {
      if (!(error instanceof GestureError)) throw error;
      if (draft?.isOpen) this.cancel(draft);
      this.say(error.message);
      return null;
    }
  }

  /** Draws a region as one gesture. */
  draw(kind: string, region: Region, purpose: Purpose = "new"): Gesture | null {
    return this.do(kind, (draft) => {
      if (purpose === "subtract") return this.#subtract(draft, region);
      const key = this.target(draft, purpose === "add");
      draft.paint(key, region);
      this.select([key], true);
    });
  }

  /**
   * The segment that a new region belongs to: the selected one where `extend` asks for it, the stuff segment of the
   * class where there is one, else a new segment.
   */
  target(draft: Draft, extend: boolean): string {
    const { selected } = this;
    if (extend && selected) return selected.key;
    const { classId } = this.settings;
    const stuff = this.classes.get(classId)?.kind === "stuff";
    const there = stuff && this.document.segments.find((segment) => segment.class_id === classId && !this.isLocked(segment.key));
    if (there) return there.key;
    const atBack = this.settings.behind || (this.settings.mode === "layered" && this.#border() === "yields");
    return draft.create(this.newHead(), atBack ? null : this.document.frontKey);
  }

  /** The head of a new segment of the chosen class. */
  newHead(classId = this.settings.classId): Head {
    if (!this.classes.get(classId)) throw new GestureError(-1, "Choose a class first; where there is none yet, add one");
    const highest = Math.max(0, ...this.document.segments.map((segment) => segment.instance_id));
    const instance_id = this.classes.isThing(classId) ? highest + 1 : 0;
    return { key: newKey(), class_id: classId, instance_id, crowd: false, tags: [], score: null, source: "hand", state: "final" };
  }

  /** How drawing treats what is there, as set now. */
  manner(): Manner {
    const border = this.settings.behind ? "yields" : this.#border();
    return { mode: this.settings.mode, border, locked: this.view.locked, isThing: this.classes.isThing };
  }

  undo(): Gesture | null {
    return this.#takeBack(this.history.undoable, "undo");
  }

  redo(): Gesture | null {
    return this.#takeBack(this.history.redoable, "redo");
  }

  /** Applies a gesture that was made elsewhere but is to be saved from here, such as a fix that the server proposes. */
  adopt(gesture: Gesture): void {
    this.#whenIdle(() => {
      this.document.apply(gesture);
      this.#made(gesture);
    });
  }

  /** Applies gestures of others that are saved already; waits while something is being drawn. */
  receive(gestures: readonly Gesture[], revision: number): void {
    this.#whenIdle(() => {
      for (const gesture of gestures) this.document.apply(gesture);
      this.document.revision = revision;
    });
  }

  /**
   * Puts `theirs` underneath `mine`, the last gestures made here, none of them saved. Gives mine anew, to be saved
   * instead, and what could not be kept.
   */
  merge(mine: readonly Gesture[], theirs: readonly Gesture[], revision: number): Rebased {
    if (this.#draft) throw new GestureError(-1, "finish or cancel what you are drawing first");
    const merged = merge(this.document, mine, theirs);
    const changed = new Map<string, Gesture | null>(mine.map((gesture) => [gesture.id, null]));
    // Among theirs may be some of mine: saved, but the answer was lost.
    for (const gesture of [...theirs, ...merged.gestures]) if (changed.has(gesture.id)) changed.set(gesture.id, gesture);
    this.history.replace(changed);
    this.document.revision = revision;
    this.#tell("history");
    return merged;
  }

  #border(): "wins" | "yields" {
    const own = this.classes.get(this.settings.classId)?.new ?? "inherit";
    return own === "inherit" ? this.settings.border : own;
  }

  #subtract(draft: Draft, region: Region): void {
    if (!this.selection.length) draft.erase(null, region);
    for (const key of this.selection) draft.erase(key, region, { hidden: this.view.amodal });
  }

  #takeBack(gesture: Gesture | null, kind: "undo" | "redo"): Gesture | null {
    if (!gesture || this.#draft) return null;
    const back = inverse(gesture, kind);
    const done = this.#follow(back) ?? { ...back, ops: [] };
    this.#made(done);
    return done;
  }

  /** Applies a gesture as it is; where others changed what it touches, as much of it as fits. */
  #follow(gesture: Gesture): Gesture | null {
    try {
      this.document.apply(gesture);
      return gesture;
    } catch (error) {
      if (!(error instanceof GestureError)) throw error;
    }
    const { gesture: rest, conflicts } = rebase(this.document, gesture);
    if (conflicts.length) this.say("Somebody has changed the same since: taken back where it was still yours");
    return rest;
  }

  #made(gesture: Gesture): void {
    this.history.record(gesture);
    if (gesture.ops.length) for (const sender of this.#senders) sender(gesture);
    this.#tell("history");
  }

  #whenIdle(work: () => void): void {
    if (this.#draft) this.#waiting.push(work);
    else work();
  }

  #catchUp(): void {
    for (const work of this.#waiting.splice(0)) work();
  }

  #tell(topic: Topic): void {
    for (const listener of this.#listeners) listener(topic);
  }
}
