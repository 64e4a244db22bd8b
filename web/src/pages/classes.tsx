/** The classes of a project: renamed, ordered, merged and split without losing a segment. */
import { useEffect, useState } from "preact/hooks";
import { call, Refused } from "../api.ts";
import { attempt, Button, Dialog, Field, tell } from "../panels/ui.tsx";
import type { ClassChange, ClassRow } from "../schema.d.ts";
import { freshClass } from "../state/classes.ts";
import { classes, classTable, loadClasses, onEvent, owns } from "../state/project.ts";
import { moment, t } from "../texts.ts";
import { SplitDialog } from "./split.tsx";
import { Shell, useTitle } from "./shell.tsx";

const KINDS = ["thing", "stuff", "void"] as const;
const NEW = ["inherit", "wins", "yields"] as const;
/** What is wrong with a table, in words; null when it can be saved. */
export function fault(rows: readonly ClassRow[]): string | null {
  const names = new Set<string>();
  const keys = new Set<string>();
  for (const { name, hotkey } of rows) {
    if (!name.trim()) return t.classes.noName;
    if (names.has(name)) return t.classes.nameTaken(name);
    if (hotkey && keys.has(hotkey)) return t.classes.keyTaken(hotkey);
    names.add(name);
    if (hotkey) keys.add(hotkey);
  }
  return null;
}

export function ClassesPage({ project: id }: { readonly project: number }) {
  const [rows, setRows] = useState<readonly ClassRow[] | null>(null);
  const [changes, setChanges] = useState<readonly ClassChange[]>([]);
  const [merging, setMerging] = useState<ClassRow | null>(null);
  const [splitting, setSplitting] = useState<ClassRow | null>(null);
  useTitle(t.classes.title);
  const loadChanges = (): void => {
    if (owns.peek()) void attempt(async () => setChanges(await call("GET /api/projects/{project_id}/classes/changes", { project_id: id })));
  };
  useEffect(() => {
    void attempt(() => loadClasses(id));
    loadChanges();
    return onEvent((event) => (event === null || event.kind === "classes" || event.kind === "job") && loadChanges());
  }, [id]);
  const shown = rows ?? classTable.value.classes;
  const wrong = rows && fault(rows);
  const save = (): Promise<unknown> =>
    attempt(async () => {
      const sent = shown.map(({ segments: _segments, ...row }) => row);
      try {
        const revision = classTable.peek().revision;
        classTable.value = await call("PUT /api/projects/{project_id}/classes", { project_id: id }, { body: { classes: sent }, revision });
        tell(t.classes.saved);
        setRows(null);
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 412) throw error;
        await loadClasses(id);
        setRows(null);
        tell(t.classes.stale, { bad: true });
      }
    });
  const add = (): void =>
    setRows([...shown, freshClass("", shown.length)]);
  return (
    <Shell>
      <div class="heading">
        <h1>{t.classes.title}</h1>
        {wrong ? <span class="error-box" role="alert">{wrong}</span> : rows && <span class="soft">{t.classes.unsaved}</span>}
        {rows && <Button onClick={() => setRows(null)}>{t.cancel}</Button>}
        {owns.value && <Button icon="plus" onClick={add}>{t.classes.add}</Button>}
        {owns.value && <Button kind="primary" disabled={!rows || !!wrong} onClick={() => void save()}>{t.save}</Button>}
      </div>
      <p class="hint">{t.classes.hint}</p>
      <div class="card table">
        <ClassTable rows={shown} onChange={setRows} onMerge={setMerging} onSplit={setSplitting} saved={!rows} />
      </div>
      {changes.length > 0 && <Changes project={id} changes={changes} onDone={loadChanges} />}
      {merging && <MergeDialog project={id} row={merging} onClose={() => setMerging(null)} />}
      {splitting && <SplitDialog project={id} row={splitting} onClose={() => setSplitting(null)} />}
    </Shell>
  );
}

function ClassTable({ rows, onChange, onMerge, onSplit, saved }: {
  readonly rows: readonly ClassRow[];
  readonly onChange: (rows: readonly ClassRow[]) => void;
  readonly onMerge: (row: ClassRow) => void;
  readonly onSplit: (row: ClassRow) => void;
  readonly saved: boolean;
}) {
  const set = (at: number, part: Partial<ClassRow>): void => onChange(rows.map((row, i) => (i === at ? { ...row, ...part } : row)));
  const move = (at: number, by: number): void => {
    const next = [...rows];
    [next[at], next[at + by]] = [next[at + by], next[at]];
    onChange(next);
  };
  const locked = !owns.value;
  return (
    <table class="editor-table">
      <thead>
        <tr>
          <th scope="col">{t.classes.colour}</th><th scope="col">{t.classes.name}</th><th scope="col">{t.classes.kind}</th>
          <th scope="col">{t.classes.hotkey}</th><th scope="col">{t.classes.parent}</th><th scope="col">{t.classes.fresh}</th>
          <th scope="col" class="number">{t.classes.segments}</th><th scope="col"><span class="hush">{t.more}</span></th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => {
          const of = (words: string): string => `${words}: ${row.name || i + 1}`;
          return (
            <tr key={row.class_id ?? `new${i}`}>
              <td><input type="color" disabled={locked} aria-label={of(t.classes.colour)} value={row.colour} onInput={(event) => set(i, { colour: event.currentTarget.value })} /></td>
              <td><input disabled={locked} aria-label={of(t.classes.name)} value={row.name} maxLength={120} onInput={(event) => set(i, { name: event.currentTarget.value })} /></td>
              <td>
                <select disabled={locked} aria-label={of(t.classes.kind)} value={row.kind} onChange={(event) => set(i, { kind: event.currentTarget.value as ClassRow["kind"] })}>
                  {KINDS.map((kind) => <option key={kind} value={kind}>{t.classes[kind]}</option>)}
                </select>
              </td>
              <td><input class="key" placeholder={classes.value.get(row.class_id ?? -1)?.hotkey ?? ""} disabled={locked} aria-label={of(t.classes.hotkey)} value={row.hotkey ?? ""} maxLength={1} onInput={(event) => set(i, { hotkey: event.currentTarget.value })} /></td>
              <td>
                <input disabled={locked} aria-label={of(t.classes.parent)} value={row.parent ?? ""} maxLength={120} onInput={(event) => set(i, { parent: event.currentTarget.value })} />
              </td>
              <td>
                <select disabled={locked} aria-label={of(t.classes.fresh)} value={row.new ?? "inherit"} onChange={(event) => set(i, { new: event.currentTarget.value as ClassRow["new"] })}>
                  {NEW.map((value) => <option key={value} value={value}>{t.classes[value]}</option>)}
                </select>
              </td>
              <td class="number">{row.segments ?? "–"}</td>
              <td>
                {!locked && (
                  <span class="row" style={{ flexWrap: "nowrap", gap: "2px" }}>
                    <Button icon="up" kind="quiet" title={of(t.classes.up)} disabled={i === 0} onClick={() => move(i, -1)} />
                    <Button icon="down" kind="quiet" title={of(t.classes.down)} disabled={i === rows.length - 1} onClick={() => move(i, 1)} />
                    <Button icon="merge" kind="quiet" title={of(t.classes.merge)} disabled={!saved || rows.length < 2} onClick={() => onMerge(row)} />
                    <Button icon="split" kind="quiet" title={of(t.classes.split)} disabled={!saved || !row.segments} onClick={() => onSplit(row)} />
                    <Button
                      icon="trash" kind="quiet" title={row.segments ? of(t.classes.inUse) : of(t.classes.remove)} disabled={!!row.segments}
                      onClick={() => onChange(rows.filter((other) => other !== row))}
                    />
                  </span>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function MergeDialog({ project: id, row, onClose }: { readonly project: number; readonly row: ClassRow; readonly onClose: () => void }) {
  const others = classTable.value.classes.filter(({ class_id }) => class_id !== row.class_id);
  const [into, setInto] = useState(others[0]?.class_id ?? 0);
  const merge = (): Promise<unknown> =>
    attempt(async () => {
      await call("POST /api/projects/{project_id}/classes/merge", { project_id: id }, { body: { from: [row.class_id ?? 0], into } });
      tell(t.classes.started);
      onClose();
    });
  return (
    <Dialog title={t.classes.merge} onClose={onClose}>
      <p>{t.classes.mergeHow(row.name)}</p>
      <Field label={t.classes.into}>
        {(field) => (
          <select id={field} value={into} onChange={(event) => setInto(Number(event.currentTarget.value))}>
            {others.map(({ class_id, name }) => <option key={class_id} value={class_id ?? 0}>{name}</option>)}
          </select>
        )}
      </Field>
      <div class="actions">
        <Button onClick={onClose}>{t.cancel}</Button>
        <Button kind="primary" onClick={() => void merge()}>{t.classes.merge}</Button>
      </div>
    </Dialog>
  );
}

function Changes({ project: id, changes, onDone }: { readonly project: number; readonly changes: readonly ClassChange[]; readonly onDone: () => void }) {
  const undo = (change: number): Promise<unknown> =>
    attempt(async () => {
      await call("POST /api/projects/{project_id}/classes/changes/{change_id}/undo", { project_id: id, change_id: change });
      tell(t.classes.started);
      onDone();
    });
  return (
    <section class="card">
      <h2>{t.classes.changes}</h2>
      {changes.map((change) => (
        <div class="row" key={change.change_id}>
          <span class="grow">{change.words} <span class="soft">{change.author}, {moment(change.at)}</span></span>
          {change.undone ? <span class="chip">{t.classes.undone}</span> : <Button onClick={() => void undo(change.change_id)}>{t.classes.undo}</Button>}
        </div>
      ))}
    </section>
  );
}
