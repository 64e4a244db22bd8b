/** New classes: each with a colour of its own. */
import { call } from "../api.ts";
import type { ClassRow } from "../schema.d.ts";
import { classTable, loadClasses } from "./project.ts";

const SPREAD = 0.61803398875; // of hues, so that neighbours differ

/** A colour for the n-th class. */
function freshColour(n: number): string {
  const hue = (n * SPREAD * 360) % 360;
  const part = (shift: number): string => {
    const k = (shift + hue / 30) % 12;
    const value = 0.55 - 0.32 * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** A class that is not saved yet. */
export const freshClass = (name: string, place: number, kind: ClassRow["kind"] = "thing"): ClassRow => ({
  name, kind, colour: freshColour(place), hotkey: "", new: "inherit", parent: "",
});

/** Adds a class to the project, unless there is one of that name; gives its number. */
export async function addClass(project: number, name: string, kind: ClassRow["kind"]): Promise<number> {
  await loadClasses(project);
  const { revision, classes } = classTable.peek();
  const there = classes.find((row) => row.name === name);
  if (there) return there.class_id ?? 0;
  const sent = classes.map(({ segments: _segments, ...row }) => row);
  const body = { classes: [...sent, freshClass(name, classes.length, kind)] };
  classTable.value = await call("PUT /api/projects/{project_id}/classes", { project_id: project }, { body, revision });
  return classTable.value.classes.find((row) => row.name === name)?.class_id ?? 0;
}
