/** Active time: seconds between signs of life, as long as they are not far apart and the window is seen. */
export class Activity {
  readonly #idle: () => number;
  #last: number | null = null;
  #seconds = 0;

  /** `idle`: the longest pause, in seconds, that still counts as work. */
  constructor(idle: () => number) {
    this.#idle = idle;
  }

  /** Somebody moved, pressed or typed at `now` (milliseconds). */
  sign(now: number): void {
    this.#count(now);
    this.#last = now;
  }

  /** The window was hidden or left. */
  pause(now: number): void {
    this.#count(now);
    this.#last = null;
  }

  /** Active seconds since the last call. */
  take(now: number): number {
    this.#count(now);
    if (this.#last !== null) this.#last = now;
    const seconds = Math.round(this.#seconds * 1000) / 1000;
    this.#seconds = 0;
    return seconds;
  }

  #count(now: number): void {
    if (this.#last === null) return;
    const gap = (now - this.#last) / 1000;
    if (gap > 0 && gap <= this.#idle()) this.#seconds += gap;
    if (gap > this.#idle()) this.#last = null;
  }
}

const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel"] as const;

/** Feeds an activity from the page; gives a function that ends this. `onHidden` is told when the window goes away. */
export function watchPage(activity: Activity, onHidden: () => void): () => void {
  const sign = (): void => activity.sign(performance.now());
  const look = (): void => {
    if (document.visibilityState !== "hidden") return;
    activity.pause(performance.now());
    onHidden();
  };
  for (const name of SIGNS) addEventListener(name, sign, { passive: true, capture: true });
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", look);
  sign();
  return () => {
    for (const name of SIGNS) removeEventListener(name, sign, { capture: true });
    document.removeEventListener("visibilitychange", look);
    removeEventListener("pagehide", look);
  };
}
