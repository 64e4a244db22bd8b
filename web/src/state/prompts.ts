/** Click engines of the server, for the tools that prompt them. */
import { call } from "../api.ts";
import type { Box } from "../core/geometry.ts";
import type { Candidate, Prompt, Prompts } from "../core/picture.ts";
import { t } from "../texts.ts";
import { ofClass } from "./assistance.ts";

interface Answer {
  readonly candidates: readonly Omit<Candidate, "engine">[];
  readonly engine: string;
}

const named = ({ candidates, engine }: Answer): Candidate[] => candidates.map((candidate) => ({ ...candidate, engine }));

export class ServerPrompts implements Prompts {
  readonly #image: number;
  readonly #settings: () => { readonly classId: number; readonly engine: string | null };

  constructor(image: number, settings: () => { readonly classId: number; readonly engine: string | null }) {
    this.#image = image;
    this.#settings = settings;
  }

  async ask(prompt: Prompt, signal: AbortSignal): Promise<readonly Candidate[]> {
    this.#see();
    const { points, box, scribble, mask, engine } = prompt;
    const body = { points, box, mask, engine, scribble: scribble ?? [] };
    return named(await call("POST /api/images/{image_id}/prompt", { image_id: this.#image }, { body, signal }));
  }

  async named(text: string, signal: AbortSignal): Promise<readonly Candidate[]> {
    this.#see();
    const body = { text, engine: this.#settings().engine };
    return named(await call("POST /api/images/{image_id}/prompt", { image_id: this.#image }, { body, signal }));
  }

  async everything(box: Box, side: number, signal: AbortSignal): Promise<readonly Candidate[]> {
    this.#see();
    const body = { box: [...box] as [number, number, number, number], side, engine: this.#settings().engine };
    return named(await call("POST /api/images/{image_id}/everything", { image_id: this.#image }, { body, signal }));
  }

  #see(): void {
    if (ofClass(this.#settings().classId)?.off) throw new Error(t.label.assistOff);
  }
}
