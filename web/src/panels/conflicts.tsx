/** The merge view: what two people changed alike, place by place. */
import type { Editor } from "../core/editor.ts";
import { eachBit, area } from "../core/region.ts";
import type { Value } from "../core/gesture.ts";
import type { Conflict } from "../core/rebase.ts";
import type { Desk } from "../state/desk.ts";
import { bring } from "../state/edits.ts";
import { t } from "../texts.ts";
import { nameOf } from "./layers.tsx";
import { Button } from "./ui.tsx";

export function Conflicts({ desk }: { readonly desk: Desk }) {
  const list = desk.conflicts.value;
  if (!list.length) return null;
  void desk.settledTick.value;
  const settle = (done: readonly Conflict[]): void => void (desk.conflicts.value = list.filter((one) => !done.includes(one)));
  const mine = (chosen: readonly Conflict[]): void => {
    const possible = chosen.filter((one) => canTake(desk.editor, one));
    desk.editor.do("resolve", (draft) => {
      for (const one of possible) {
        if (one.kind === "pixels") draft.giveWhere(one.theirs, one.mine, one.region);
        else if (one.kind === "field") draft.set(one.key, one.field as Parameters<typeof draft.set>[1], one.mine as Value);
      }
    });
    settle(chosen);
  };
  return (
    <section class="conflicts" role="alertdialog" aria-label={t.merge.title}>
      <header><h2>{t.merge.title}</h2><span class="badge bad">{list.length}</span></header>
      <div class="pad">
        <p class="hint">{t.merge.words}</p>
        <div class="row">
          <Button onClick={() => settle(list)}>{t.merge.allTheirs}</Button>
          <Button onClick={() => mine(list)}>{t.merge.allMine}</Button>
        </div>
      </div>
      <div class="list">
        {list.map((one, i) => (
          <div class="conflict" key={i}>
            <p>{wordsOf(desk.editor, one)}</p>
            {one.kind === "pixels" && <Button icon="search" title={t.merge.show} onClick={() => show(desk.editor, one)} />}
            <Button onClick={() => settle([one])}>{t.merge.theirs}</Button>
            {canTake(desk.editor, one) && <Button kind="primary" onClick={() => mine([one])}>{t.merge.mine}</Button>}
          </div>
        ))}
      </div>
    </section>
  );
}

function canTake({ document }: Editor, one: Conflict): boolean {
  if (one.kind === "segment") return false;
  const keys = one.kind === "pixels" ? [one.mine, one.theirs] : [one.key];
  return keys.every((key) => key === null || document.has(key));
}

function name(editor: Editor, key: string | null): string {
  if (key === null) return t.merge.nobody;
  return editor.document.has(key) ? nameOf(editor, editor.document.get(key)) : t.merge.gone;
}

function wordsOf(editor: Editor, one: Conflict): string {
  if (one.kind === "pixels") return t.merge.pixels(area(one.region), name(editor, one.mine), name(editor, one.theirs));
  if (one.kind === "segment") return t.merge.segment(name(editor, one.key), one.words);
  const value = (what: unknown): string => (one.field === "class_id" ? editor.classes.name(what as number) : JSON.stringify(what));
  return t.merge.field(one.key === null ? t.merge.theImage : name(editor, one.key), one.field, value(one.mine), value(one.theirs));
}

/** Brings the place into sight and marks it. */
function show(editor: Editor, one: Extract<Conflict, { kind: "pixels" }>): void {
  let [x0, y0, x1, y1] = [Infinity, Infinity, 0, 0];
  eachBit(one.region, one.region.box, (x, y) => {
    [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x + 1), Math.max(y1, y + 1)];
  });
  bring(editor, [x0, y0, x1, y1]);
  editor.show({ region: one.region });
}
