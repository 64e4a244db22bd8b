/** What models propose: accepted, rejected or edited one by one. */
import { useState } from "preact/hooks";
import { colourOf } from "../canvas/palette.ts";
import { nextProposal } from "../state/commands.ts";
import type { Desk } from "../state/desk.ts";
import { judge, judgeSelected, proposals, reveal } from "../state/edits.ts";
import { t } from "../texts.ts";
import { nameOf } from "./layers.tsx";
import { Button, Slider, Swatch } from "./ui.tsx";

export function Proposals({ desk }: { readonly desk: Desk }) {
  const [least, setLeast] = useState(0.5);
  void desk.settledTick.value;
  void desk.ticks.selection.value;
  void desk.ticks.view.value;
  const { editor } = desk;
  const keys = proposals(editor);
  if (!keys.length) return <p class="pad soft">{t.proposals.none}</p>;
  const sure = keys.filter((key) => (editor.document.get(key).score ?? 0) >= least);
  const chosen = keys.some((key) => editor.selection.includes(key));
  return (
    <>
      <div class="pad">
        <div class="row">
          <span class="grow">{t.proposals.left(keys.length)}</span>
          <Button icon="check" disabled={!chosen} keys="Y" title={t.proposals.accept} onClick={() => judgeSelected(editor, true)}>{t.proposals.accept}</Button>
          <Button icon="close" disabled={!chosen} keys="X" title={t.proposals.reject} onClick={() => judgeSelected(editor, false)}>{t.proposals.reject}</Button>
          <Button icon="right" keys="I" title={t.proposals.next} onClick={() => nextProposal(desk)} />
        </div>
        <p class="hint">{t.proposals.hint}</p>
        <Slider label={t.proposals.score} min={0} max={1} step={0.05} value={least} onChange={setLeast} />
        <div class="row">
          <Button disabled={!sure.length} onClick={() => judge(editor, sure, true)}>{t.proposals.acceptSure(sure.length)}</Button>
          <Button kind="danger" onClick={() => judge(editor, keys, false)}>{t.proposals.rejectAll}</Button>
        </div>
      </div>
      <ul class="list">
        {keys.slice(0, 200).map((key) => {
          const segment = editor.document.get(key);
          return (
            <li key={key}>
              <button type="button" class="item" aria-pressed={editor.selection.includes(key)} onClick={() => reveal(editor, key)}>
                <Swatch colour={colourOf(segment, editor.classes, editor.view)} />
                <span class="name">{nameOf(editor, segment)}</span>
                <span class="soft">{segment.source.replace(/^(model|click):/, "")}</span>
                <span class="number">{segment.score?.toFixed(2)}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}
