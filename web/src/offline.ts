/**
 * The service worker: keeps the page, and of the images opened last what a reload without the server needs. It asks
 * the server first, always; what it keeps is forgotten when somebody logs in or out.
 */

/** The part of a service worker's world that is used here; the page's types are those of a window. */
interface Work extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Asked extends Work {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface World {
  readonly location: Location;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(name: "install" | "activate", listener: (event: Work) => void): void;
  addEventListener(name: "fetch", listener: (event: Asked) => void): void;
}

const world = self as unknown as World;
const SHELL = "inlay-shell";
const DATA = "inlay-data";
const FILES = ["/", "/studio.js", "/studio.css", "/icon.svg"];
const KEPT = /^\/api\/(session|engines|projects(\/\d+(\/(classes|members))?)?|images\/\d+(\/(document|pixels|comments))?)$/;
const IMAGES = 12; // of which pictures are kept

world.addEventListener("install", (event) =>
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)).then(() => world.skipWaiting())));

world.addEventListener("activate", (event) => event.waitUntil(world.clients.claim()));

world.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (origin !== world.location.origin) return;
  if (pathname === "/api/session" && request.method !== "GET") return event.respondWith(forgetting(request));
  if (request.method !== "GET") return;
  if (!pathname.startsWith("/api/")) return event.respondWith(kept(SHELL, request, request.mode === "navigate" ? "/" : pathname));
  if (KEPT.test(pathname) && !search) event.respondWith(kept(DATA, request, pathname));
});

/** The server's answer, or, where it does not answer, the last one. */
async function kept(name: string, request: Request, place: string): Promise<Response> {
  const answer = await fetch(request).catch(() => null);
  if (!answer) return (await (await caches.open(name)).match(place)) ?? Response.error();
  if (answer.status === 401) await caches.delete(DATA);
  if (answer.status !== 200) return answer;
  const copy = answer.clone();
  void keep(name, place, copy).catch(() => undefined); // a full disk keeps nobody from working
  return answer;
}

async function keep(name: string, place: string, answer: Response): Promise<void> {
  const cache = await caches.open(name);
  await cache.delete(place); // so that the keys stand in the order in which they were used
  await cache.put(place, answer);
  if (!place.endsWith("/pixels")) return;
  const pictures = (await cache.keys()).map(({ url }) => new URL(url).pathname).filter((path) => path.endsWith("/pixels"));
  for (const old of pictures.slice(0, -IMAGES))
    for (const path of [old, old.replace(/pixels$/, "document")]) await cache.delete(path);
}

/** Whoever comes or goes: what was kept was another's. */
async function forgetting(request: Request): Promise<Response> {
  const answer = await fetch(request);
  await caches.delete(DATA);
  return answer;
}
