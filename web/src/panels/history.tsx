/** What was done to the image, by whom and when; any state can be seen and brought back. */
import type { Desk } from "../state/desk.ts";
import { moment, t } from "../texts.ts";
import { Button } from "./ui.tsx";

const SHOWN = 200;

export function HistoryList({ desk, onLook }: { readonly desk: Desk; readonly onLook: (revision: number) => void }) {
  void desk.ticks.history.value;
  const { editor } = desk;
  const entries = desk.entries.value.filter(({ gesture }) => gesture.ops.length).slice(-SHOWN).toReversed();
  return (
    <>
      <div class="pad">
        <div class="row">
          <Button icon="undo" disabled={!editor.history.undoable} keys="Ctrl+Z" title={t.commands.undo} onClick={() => void editor.undo()}>{t.commands.undo}</Button>
          <Button icon="redo" disabled={!editor.history.redoable} keys="Ctrl+Shift+Z" title={t.commands.redo} onClick={() => void editor.redo()}>{t.commands.redo}</Button>
        </div>
      </div>
      <ul class="list">
        {entries.map(({ revision, author, at, gesture }) => (
          <li key={revision}>
            <button type="button" class="item" title={t.history.revision(revision)} onClick={() => onLook(revision)}>
              <span class="name">{t.history.kinds[gesture.kind] ?? gesture.kind}</span>
              <span class="soft">{author}</span>
              <span class="soft">{moment(at)}</span>
            </button>
          </li>
        ))}
        <li><button type="button" class="item" onClick={() => onLook(0)}><span class="name soft">{t.history.begin}</span></button></li>
      </ul>
    </>
  );
}
