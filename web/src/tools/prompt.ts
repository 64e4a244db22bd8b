/**
 * Prompt: points, a box or a scribble ask an engine for a mask. Click adds, shift+click takes away, Enter accepts. Where
 * the pointer rests, the mask of a click there is shown before one clicks.
 */
import type { Editor } from "../core/editor.ts";
import { type Box, type Point, boxBetween, clip, isEmpty } from "../core/geometry.ts";
import { toMask, toRegion } from "../core/masks.ts";
import type { Candidate } from "../core/picture.ts";
import { contains, subtract } from "../core/region.ts";
import type { Pointer, Tool } from "../core/tool.ts";

const REST = 150; // milliseconds of rest after which a mask is shown, for an engine that answers at once

type PromptPoint = [x: number, y: number, positive: boolean];

export class PromptTool implements Tool {
  static readonly id = "prompt";
  readonly #editor: Editor;
  #points: PromptPoint[] = [];
  #box: Box | null = null;
  #scribble: Point[] | null = null;
  #press: Pointer | null = null;
  #candidates: readonly Candidate[] = [];
  #chosen = 0;
  #asking: AbortController | null = null;
  #hover: Candidate | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #took = 0; // milliseconds of the engine's last answer

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerMove({ at }: Pointer): void {
    const { settings, prompts } = this.#editor;
    clearTimeout(this.#timer);
    if (this.#isAsked || !settings.hover || !prompts || this.#mended) return;
    if (this.#hover && !this.#holds(this.#hover, at)) {
      this.#hover = null;
      this.#show();
    }
    this.#timer = setTimeout(() => void this.#preview(at), Math.max(REST, 2 * this.#took));
  }

  pointerDown(pointer: Pointer): void {
    clearTimeout(this.#timer);
    this.#press = pointer;
    this.#scribble = pointer.ctrl ? [pointer.at] : this.#scribble;
  }

  pointerDrag(pointer: Pointer, between: readonly Pointer[]): void {
    if (this.#press?.ctrl) this.#scribble!.push(...between.map(({ at }) => at));
    else if (this.#press && !this.#isClick(pointer)) this.#box = this.#boxTo(pointer.at);
    this.#show();
  }

  pointerUp(pointer: Pointer): void {
    const press = this.#press;
    this.#press = null;
    if (!press) return;
    if (!press.ctrl && this.#isClick(pointer, press)) this.#points.push([pointer.at[0], pointer.at[1], !press.shift]);
    if (this.#box && isEmpty(this.#box)) this.#box = null;
    void this.ask();
  }

  key(key: string, { shift }: Pick<Pointer, "shift">): boolean {
    if (!this.#isAsked && !(this.#hover && key === "Enter")) return false;
    if (key === "Enter") this.finish();
    else if (key === "Tab") this.#choose(shift ? -1 : 1);
    else if (key === "Backspace") this.#stepBack();
    else return false;
    return true;
  }

  /** Asks the engine for what stands now; an answer to an older question is dropped. */
  async ask(): Promise<void> {
    const { prompts, settings, document } = this.#editor;
    if (!prompts) return this.#editor.say("No engine answers prompts here: start the studio with one, or draw by hand");
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    this.#show();
    const mended = this.#mended;
    const mask = mended ? toMask(document.visible(mended)) : null;
    const began = performance.now();
    try {
      const prompt = { points: this.#points, box: this.#box, scribble: this.#scribble, mask, engine: settings.engine };
      const candidates = await prompts.ask(prompt, asking.signal);
      if (asking !== this.#asking) return;
      [this.#candidates, this.#chosen, this.#hover] = [candidates, 0, null];
      this.#took = performance.now() - began;
      if (!candidates.length) this.#editor.say("The engine found nothing there: add a point or draw a box");
      this.#show();
    } catch (error) {
      if (asking === this.#asking && !asking.signal.aborted) this.#editor.say(error instanceof Error ? error.message : String(error));
    }
  }

  /** Accepts the mask that is shown: it reshapes the selected segment, or makes a new one. */
  finish(): void {
    const chosen = this.#candidates[this.#chosen] ?? this.#hover;
    const mended = this.#mended;
    this.cancel();
    if (!chosen) return;
    const editor = this.#editor;
    const region = toRegion(chosen.mask);
    editor.do("prompt", (draft) => {
      const key = mended ?? editor.target(draft, false);
      if (mended) draft.erase(key, subtract(editor.document.visible(key), region));
      draft.paint(key, region);
      draft.set(key, "source", `click:${chosen.engine ?? editor.settings.engine ?? "engine"}`);
      editor.select([key], true);
    });
  }

  cancel(): void {
    this.#asking?.abort();
    [this.#points, this.#box, this.#scribble, this.#press, this.#asking] = [[], null, null, null, null];
    clearTimeout(this.#timer);
    [this.#candidates, this.#chosen, this.#hover] = [[], 0, null];
    this.#editor.show(null);
  }

  get #isAsked(): boolean {
    return this.#candidates.length + this.#points.length > 0 || this.#box !== null || this.#scribble !== null;
  }

  /**
   * The segment that the prompt reshapes: one selected on purpose. One that was just made is done, and the next click is
   * for another; unless the first takes away, which an empty prompt cannot.
   */
  get #mended(): string | null {
    const { selected, isFresh } = this.#editor;
    const corrects = this.#points.length > 0 && !this.#points[0][2];
    return selected && (!isFresh || corrects) ? selected.key : null;
  }

  /** Shows what a click would give; whatever goes wrong, a click will say it. */
  async #preview(at: Point): Promise<void> {
    const { prompts, settings } = this.#editor;
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    const began = performance.now();
    const prompt = { points: [[at[0], at[1], true]] as PromptPoint[], box: null, scribble: null, mask: null, engine: settings.engine };
    const found = await prompts!.ask(prompt, asking.signal).catch(() => []);
    if (asking !== this.#asking || this.#isAsked) return;
    this.#took = performance.now() - began;
    this.#hover = found[0] ?? null;
    this.#show();
  }

  #holds({ mask }: Candidate, at: Point): boolean {
    return contains(toRegion(mask), Math.floor(at[0]), Math.floor(at[1]));
  }

  #isClick(pointer: Pointer, press = this.#press): boolean {
    return press !== null && this.#editor.isNear(pointer.at, press.at, 4);
  }

  #boxTo(at: Point): Box {
    return clip(boxBetween(this.#press!.at, at), this.#editor.document.pixels.bounds);
  }

  #choose(by: number): void {
    const count = this.#candidates.length;
    if (count) this.#chosen = (this.#chosen + by + count) % count;
    this.#show();
  }

  #stepBack(): void {
    if (!this.#points.pop()) this.#box = this.#scribble = null;
    if (this.#points.length || this.#box || this.#scribble) void this.ask();
    else this.cancel();
  }

  #show(): void {
    const chosen = this.#candidates[this.#chosen] ?? this.#hover;
    this.#editor.show({
      dots: this.#points.map(([x, y, positive]) => ({ at: [x, y], kind: positive ? "positive" : "negative" })),
      ...(this.#box && { box: this.#box }),
      ...(this.#scribble && { lines: [{ points: this.#scribble }] }),
      ...(chosen && { region: toRegion(chosen.mask) }),
    });
  }
}
