/** Everything: a box in which an engine proposes a segment for all it finds; each is accepted or rejected. */
import type { Editor } from "../core/editor.ts";
import { type Box, type Point, boxBetween, clip, isEmpty } from "../core/geometry.ts";
import { newKey } from "../core/gesture.ts";
import { toRegion } from "../core/masks.ts";
import type { Candidate } from "../core/picture.ts";
import type { Pointer, Tool } from "../core/tool.ts";

export class EverythingTool implements Tool {
  static readonly id = "everything";
  readonly #editor: Editor;
  #from: Point | null = null;
  #asking: AbortController | null = null;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown({ at }: Pointer): void {
    this.cancel();
    this.#from = at;
  }

  pointerDrag({ at }: Pointer): void {
    if (this.#from) this.#editor.show({ box: this.#box(at) });
  }

  pointerUp({ at }: Pointer): void {
    const box = this.#from && this.#box(at);
    this.#from = null;
    if (box && !isEmpty(box)) void this.ask(box);
    else this.cancel();
  }

  /** Asks the engine for all in a box, and lays what it finds behind what is there, as proposals. */
  async ask(box: Box): Promise<void> {
    const editor = this.#editor;
    if (!editor.prompts) return editor.say("No engine answers prompts here: start the studio with one, or draw by hand");
    const asking = (this.#asking = new AbortController());
    editor.say("Looking at everything in the box…");
    try {
      const found = await editor.prompts.everything(box, editor.settings.grid, asking.signal);
      if (asking !== this.#asking) return;
      this.cancel();
      if (found.length) propose(editor, found);
      else editor.say("Nothing new was found there: try more clicks along a side, or a smaller box");
    } catch (error) {
      if (asking !== this.#asking || asking.signal.aborted) return;
      this.cancel();
      editor.say(error instanceof Error ? error.message : String(error));
    }
  }

  cancel(): void {
    this.#asking?.abort();
    [this.#from, this.#asking] = [null, null];
    this.#editor.show(null);
  }

  #box(to: Point): Box {
    const round = ([x, y]: Point): Point => [Math.round(x), Math.round(y)];
    return clip(boxBetween(round(this.#from!), round(to)), this.#editor.document.pixels.bounds);
  }
}

/** Lays a mask for each thing that a text names behind what is there, as proposals. */
export async function proposeNamed(editor: Editor, text: string): Promise<void> {
  if (!editor.prompts) return;
  editor.say(`Looking for ${text}…`);
  try {
    const found = await editor.prompts.named(text, new AbortController().signal);
    if (found.length) propose(editor, found);
    editor.say(found.length ? `Found ${found.length}: accept or reject each` : "Nothing of that name was found: say it in other words");
  } catch (error) {
    editor.say(error instanceof Error ? error.message : String(error));
  }
}

function propose(editor: Editor, found: readonly Candidate[]): void {
  editor.do("everything", (draft) => {
    for (const { mask, score, engine } of found) {
      const head = { ...editor.newHead(), key: newKey(), score, source: `click:${engine ?? "engine"}`, state: "proposed" } as const;
      draft.paint(draft.create(head, null), toRegion(mask), { mode: "flat", border: "yields" });
    }
    editor.select([]);
  });
}
