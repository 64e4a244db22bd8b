/** The project that is open: its settings, classes and members, kept up to date. */
import { computed, signal } from "@preact/signals";
import { call } from "../api.ts";
import { Classes } from "../core/classes.ts";
import { listen } from "../events.ts";
import type { ClassTable, Event, Member, Project } from "../schema.d.ts";

export const project = signal<Project | null>(null);
const NO_CLASSES: ClassTable = { revision: 0, classes: [] };
export const classTable = signal(NO_CLASSES);
/** Whether the classes were loaded: a new project has none. */
export const classesKnown = computed(() => classTable.value !== NO_CLASSES);
export const members = signal<readonly Member[]>([]);
export const failure = signal<unknown>(null);

export const role = computed(() => project.value?.role ?? "labeller");
export const reviews = computed(() => role.value !== "labeller");
export const owns = computed(() => role.value === "owner");

const DIGITS = "1234567890";

/** The classes as the canvas wants them; those for which nobody chose a key get the digits that are left. */
export const classes = computed(() => {
  const taken = new Set(classTable.value.classes.map(({ hotkey }) => hotkey));
  const free = [...DIGITS].filter((digit) => !taken.has(digit));
  const ids = new Map(classTable.value.classes.map((row) => [row.name, row.class_id ?? 0]));
  return new Classes(
    classTable.value.classes.map((row) => ({
      class_id: row.class_id ?? 0,
      name: row.name,
      kind: row.kind,
      colour: row.colour,
      parent: ids.get(row.parent ?? "") ?? null,
      hotkey: row.hotkey || (free.shift() ?? null),
      new: row.new ?? "inherit",
    })),
  );
});

const listeners = new Set<(event: Event | null) => void>();
let opened = 0;
let end = (): void => {};

/** Hears the project's events; null after the line was lost, when anything may have changed. */
export function onEvent(listener: (event: Event | null) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function loadProject(id: number): Promise<void> {
  project.value = await call("GET /api/projects/{project_id}", { project_id: id });
}

export async function loadClasses(id: number): Promise<void> {
  classTable.value = await call("GET /api/projects/{project_id}/classes", { project_id: id });
}

export async function loadMembers(id: number): Promise<void> {
  members.value = await call("GET /api/projects/{project_id}/members", { project_id: id });
}

/** Opens a project, unless it is open. */
export function openProject(id: number): void {
  if (opened === id) return;
  closeProject();
  opened = id;
  failure.value = null;
  Promise.all([loadProject(id), loadClasses(id), loadMembers(id)]).catch((error: unknown) => {
    opened = 0;
    failure.value = error;
  });
  const tell = (event: Event | null): void => {
    if (event === null || event.kind === "classes") void loadClasses(id).catch(() => undefined);
    if (event === null || event.kind === "images" || event.kind === "state") void loadProject(id).catch(() => undefined);
    for (const listener of listeners) listener(event);
  };
  end = listen(id, tell, () => tell(null));
}

export function closeProject(): void {
  end();
  end = () => {};
  opened = 0;
  project.value = null;
  members.value = [];
  classTable.value = NO_CLASSES;
}
