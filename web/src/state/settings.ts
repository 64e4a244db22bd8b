/** What a person likes: kept in this browser. */
import { effect, signal } from "@preact/signals";
import { SETTINGS, type Settings, VIEW, type View } from "../core/settings.ts";

export interface Preferences {
  readonly theme: "system" | "dark" | "light";
  /** Seconds without a sign of life after which time no longer counts as work. */
  readonly idleSeconds: number;
}

const PLACE = "inlay.settings";
const LASTING = ["colours", "opacity", "outlines", "gaps", "minimap", "brightness", "contrast"] as const;

interface Stored {
  readonly preferences?: Partial<Preferences>;
  readonly drawing?: Partial<Settings>;
  readonly view?: Partial<View>;
}

function stored(): Stored {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? "{}") as Stored;
  } catch {
    return {};
  }
}

const before = stored();

export const preferences = signal<Preferences>({ theme: "system", idleSeconds: 30, ...before.preferences });
/** How tools draw. */
export const drawing = signal<Settings>({ ...SETTINGS, ...before.drawing, behind: false });
/** How the canvas looks. */
export const view = signal<View>({ ...VIEW, ...before.view });

export const setPreferences = (part: Partial<Preferences>): void => void (preferences.value = { ...preferences.peek(), ...part });
export const setDrawing = (part: Partial<Settings>): void => void (drawing.value = { ...drawing.peek(), ...part });
export const setView = (part: Partial<View>): void => void (view.value = { ...view.peek(), ...part });

/** Whether the dark theme is on. */
export const dark = signal(true);

const system = matchMedia("(prefers-color-scheme: dark)");

function look(): void {
  const { theme } = preferences.value;
  dark.value = theme === "dark" || (theme === "system" && system.matches);
  document.documentElement.dataset.theme = dark.value ? "dark" : "light";
  if (view.peek().dark !== dark.value) setView({ dark: dark.value });
}

/** Keeps the page's theme and the browser's storage at what the settings say. */
export function followSettings(): void {
  effect(look);
  effect(() => {
    const lasting = Object.fromEntries(LASTING.map((name) => [name, view.value[name]])) as Partial<View>;
    const now: Stored = { preferences: preferences.value, drawing: drawing.value, view: lasting };
    try {
      localStorage.setItem(PLACE, JSON.stringify(now));
    } catch {
      // a browser that keeps nothing still works
    }
  });
  system.addEventListener("change", look);
}
