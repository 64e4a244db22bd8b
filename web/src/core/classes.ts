/** The classes of a project, as the server lists them. */

export interface ClassRow {
  readonly class_id: number;
  readonly name: string;
  readonly kind: "thing" | "stuff" | "void";
  /** "#rrggbb" */
  readonly colour: string;
  readonly parent: number | null;
  /** One key that chooses the class. */
  readonly hotkey: string | null;
  /** Whether a new segment of the class takes pixels that have an owner. */
  readonly new: "wins" | "yields" | "inherit";
}

export class Classes {
  readonly rows: readonly ClassRow[];
  readonly #byId: ReadonlyMap<number, ClassRow>;

  constructor(rows: readonly ClassRow[]) {
    this.rows = rows;
    this.#byId = new Map(rows.map((row) => [row.class_id, row]));
  }

  get(classId: number): ClassRow | null {
    return this.#byId.get(classId) ?? null;
  }

  name(classId: number): string {
    return this.get(classId)?.name ?? `class ${classId}`;
  }

  isThing = (classId: number): boolean => this.get(classId)?.kind === "thing";

  byHotkey(key: string): ClassRow | null {
    return this.rows.find((row) => row.hotkey === key) ?? null;
  }
}
