/** Typed requests to the server; the types are made from its OpenAPI document. */
import type { Routes } from "./schema.d.ts";

type Params<Path> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [key in Name]: number } & Params<Rest>
  : unknown;

export interface Options<Route extends keyof Routes> {
  readonly body?: Routes[Route]["body"];
  readonly query?: Routes[Route]["query"];
  /** The revision that the change is based on: goes out as If-Match. */
  readonly revision?: number;
  readonly signal?: AbortSignal;
  /** Let the request outlive the page. */
  readonly keepalive?: boolean;
}

/** The server said no; `body` is all it said. */
export class Refused extends Error {
  readonly status: number;
  readonly body: unknown;
  constructor(status: number, words: string, body: unknown) {
    super(words);
    this.name = "Refused";
    this.status = status;
    this.body = body;
  }
}

/** No answer came: the network or the server is away. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

let token = "";
let onLoggedOut: () => void = () => {};

/** The token of the session, which every write carries. */
export const setToken = (value: string): void => void (token = value);

/** What to do when the server no longer knows who asks. */
export const whenLoggedOut = (listener: () => void): void => void (onLoggedOut = listener);

/** The address of a route with its parameters filled in. */
export function address(path: string, params: object, query: object = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String((params as Record<string, unknown>)[name])));
  const asked = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return asked.length ? `${filled}?${new URLSearchParams(asked.map(([k, v]) => [k, String(v)]))}` : filled;
}

/** Asks the server; throws `Refused` or `Unreachable`. */
export async function call<Route extends keyof Routes>(
  route: Route, params: Params<Route>, options: Options<Route> = {},
): Promise<Routes[Route]["answer"]> {
  const [method, path] = route.split(" ") as [string, string];
  const headers: Record<string, string> = {};
  if (method !== "GET") headers["X-Inlay-Token"] = token;
  if (options.revision !== undefined) headers["If-Match"] = `"${options.revision}"`;
  let body: BodyInit | undefined;
  if (options.body instanceof Blob) {
    body = options.body;
    headers["Content-Type"] = "application/octet-stream";
  } else if (options.body !== undefined) {
    body = JSON.stringify(options.body);
    headers["Content-Type"] = "application/json";
  }
  const answer = await fetch(address(path, params as object, options.query), {
    method, headers, body, signal: options.signal, keepalive: options.keepalive, credentials: "same-origin",
  }).catch((error: unknown) => {
    if (options.signal?.aborted) throw error;
    throw new Unreachable("the server does not answer");
  });
  if (answer.status === 204) return undefined as Routes[Route]["answer"];
  const said: unknown = await answer.json().catch(() => null);
  if (answer.ok) return said as Routes[Route]["answer"];
  if ([502, 503, 504].includes(answer.status) && said === null) throw new Unreachable("the server does not answer");
  if (answer.status === 401 && !path.endsWith("/session")) onLoggedOut();
  throw new Refused(answer.status, wordsOf(said) ?? `the server answered ${answer.status}`, said);
}

function wordsOf(said: unknown): string | null {
  if (typeof said !== "object" || said === null) return null;
  const { error, where } = said as { error?: unknown; where?: unknown };
  if (typeof error !== "string") return null;
  return typeof where === "string" && where ? `${error} (${where})` : error;
}

/** One line for a person about anything that was thrown. */
export const wordsFor = (error: unknown): string => (error instanceof Error ? error.message : String(error));
