/** Click engines of the server, for the prompt tool. */
import { call } from "../api.ts";
import type { Candidate, Prompt, Prompts } from "../core/picture.ts";
import { t } from "../texts.ts";
import { project } from "./project.ts";

export class ServerPrompts implements Prompts {
  readonly #image: number;
  readonly #classId: () => number;

  constructor(image: number, classId: () => number) {
    this.#image = image;
    this.#classId = classId;
  }

  async ask(prompt: Prompt, signal: AbortSignal): Promise<readonly Candidate[]> {
    if (project.peek()?.assist_off.includes(this.#classId())) throw new Error(t.label.assistOff);
    const { points, box, scribble, mask, engine } = prompt;
    const body = { points, box, mask, engine, scribble: scribble ?? [] };
    const answer = await call("POST /api/images/{image_id}/prompt", { image_id: this.#image }, { body, signal });
    return answer.candidates.map((candidate) => ({ ...candidate, engine: answer.engine }));
  }
}
