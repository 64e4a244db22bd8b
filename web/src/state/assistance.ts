/** What click to segment costs or saves, class by class: measured by the server, overruled by the owner. */
import { signal } from "@preact/signals";
import { call } from "../api.ts";
import type { Assistance, ClassAssistance, Project } from "../schema.d.ts";
import { project } from "./project.ts";

export const assistance = signal<Assistance>({ enough: 0, classes: [] });

export async function loadAssistance(id: number): Promise<void> {
  assistance.value = await call("GET /api/projects/{project_id}/assistance", { project_id: id });
}

export const ofClass = (id: number): ClassAssistance | undefined => assistance.value.classes.find(({ class_id }) => class_id === id);

/** Sets whether a class has assistance: as measured, always, or never. */
export async function choose(now: Project, id: number, choice: ClassAssistance["choice"]): Promise<void> {
  const without = (list: readonly number[]): number[] => list.filter((other) => other !== id);
  const body = {
    assist_on: choice === "on" ? [...without(now.assist_on), id] : without(now.assist_on),
    assist_off: choice === "off" ? [...without(now.assist_off), id] : without(now.assist_off),
  };
  project.value = await call("PATCH /api/projects/{project_id}", { project_id: now.project_id }, { body });
  await loadAssistance(now.project_id);
}
