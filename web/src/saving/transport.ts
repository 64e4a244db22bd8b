/** What the save queue says to the server, and how it understands the answers. */
import { call, Refused, Unreachable, wordsFor } from "../api.ts";
import type { Gesture } from "../core/gesture.ts";
import type { Gestures, Stale } from "../schema.d.ts";
import type { Answer, Entry, Transport } from "./queue.ts";

const PAGE = 1000;

export class ServerTransport implements Transport {
  readonly #image: number;

  constructor(image: number) {
    this.#image = image;
  }

  async save(revision: number, gestures: readonly Gesture[]): Promise<Answer> {
    const body = { gestures } as unknown as Gestures;
    const keepalive = JSON.stringify(body).length < 50_000;
    try {
      const saved = await call("POST /api/images/{image_id}/gestures", { image_id: this.#image }, { body, revision, keepalive });
      return { kind: "saved", revision: saved.revision };
    } catch (error) {
      return understand(error);
    }
  }

  async since(revision: number): Promise<Answer> {
    try {
      const entries = await entriesSince(this.#image, revision);
      return { kind: "stale", revision: entries.at(-1)?.revision ?? revision, entries };
    } catch (error) {
      return understand(error);
    }
  }
}

/** All that was done to an image after a revision. */
export async function entriesSince(image: number, revision: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const after = entries.at(-1)?.revision ?? revision;
    const page = await call("GET /api/images/{image_id}/gestures", { image_id: image }, { query: { after, limit: PAGE } });
    entries.push(...(page as unknown as Entry[]));
    if (page.length < PAGE) return entries;
  }
}

function understand(error: unknown): Answer {
  const words = wordsFor(error);
  if (error instanceof Unreachable) return { kind: "away", words };
  if (!(error instanceof Refused)) return { kind: "away", words };
  if (error.status === 412) {
    const { revision, gestures } = error.body as Stale;
    return { kind: "stale", revision: gestures.at(-1)?.revision ?? revision, entries: gestures as unknown as Entry[] };
  }
  if (error.status === 409 || error.status === 413 || error.status === 422) {
    const { gesture = null } = (error.body ?? {}) as { gesture?: string | null };
    return { kind: "refused", words, gesture };
  }
  if (error.status === 429 || error.status >= 500) return { kind: "away", words };
  return { kind: "denied", words };
}
