/** Copies of documents in this browser, from which a page is opened when no server answers. */
import type { DocumentJson } from "../core/gesture.ts";

const PLACE = "inlay-data"; // where the service worker keeps answers of the server

/** Whether this browser reloads the page without a network; over plain http only the own machine's pages do. */
export const reloads = (): boolean => "serviceWorker" in navigator && "caches" in globalThis && navigator.serviceWorker.controller !== null;

/** Lets the browser keep the page; a browser that cannot works as before. */
export function keepPage(): void {
  if ("serviceWorker" in navigator) void navigator.serviceWorker.register("/offline.js").catch(() => undefined);
}

/** Resolves when the service worker sees what this page asks; never where there is none. */
export async function whenKept(): Promise<void> {
  if (!("serviceWorker" in navigator)) return new Promise(() => undefined);
  if (navigator.serviceWorker.controller) return;
  await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done, { once: true }));
}

/** Keeps a document as the server has it. */
export async function keepCopy(document: DocumentJson): Promise<void> {
  const cache = await caches.open(PLACE);
  const answer = new Response(JSON.stringify(document), { headers: { "Content-Type": "application/json" } });
  await cache.put(`/api/images/${document.image_id}/document`, answer);
}
