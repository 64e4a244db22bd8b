/** Which page is open: the path, and moving between paths without loading anew. */
import { signal } from "@preact/signals";

export const path = signal(location.pathname);

const leaving = new Set<() => void>();

/** Calls `listener` before another page opens; gives a function that ends this. */
export function beforeLeaving(listener: () => void): () => void {
  leaving.add(listener);
  return () => leaving.delete(listener);
}

/** Opens a page. */
export function go(to: string, replace = false): void {
  if (to === path.value) return;
  for (const listener of leaving) listener();
  history[replace ? "replaceState" : "pushState"](null, "", to);
  path.value = location.pathname;
}

addEventListener("popstate", () => {
  for (const listener of leaving) listener();
  path.value = location.pathname;
});

/** Follows links inside the studio; others, and clicks that ask for a new tab, are left to the browser. */
addEventListener("click", (event) => {
  const link = (event.target as Element | null)?.closest?.("a[href]");
  if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.origin !== location.origin || link.pathname.startsWith("/api/")) return;
  event.preventDefault();
  go(link.pathname);
});

/** The numbers of a path that fits a pattern like `/projects/:p/images/:i`; null when it does not. */
export function match(pattern: string, at: string): number[] | null {
  const found = new RegExp(`^${pattern.replace(/:\w+/g, "(\\d+)")}/?$`).exec(at);
  return found && found.slice(1).map(Number);
}
