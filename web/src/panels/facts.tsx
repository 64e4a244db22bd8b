/** What is known of the selected segment, or of the image where none is. */
import { useState } from "preact/hooks";
import { relabel } from "../core/commands.ts";
import type { Editor } from "../core/editor.ts";
import type { Desk } from "../state/desk.ts";
import { duplicate, mergeSelected, removeSelected, reorder, setField, setTag, splitParts } from "../state/edits.ts";
import { t } from "../texts.ts";
import { nameOf } from "./layers.tsx";
import { Button, Tick } from "./ui.tsx";

export function Facts({ desk }: { readonly desk: Desk }) {
  void desk.settledTick.value;
  void desk.ticks.selection.value;
  const { editor } = desk;
  const keys = editor.selection;
  if (!keys.length)
    return (
      <section class="facts" aria-label={t.facts.imageTags}>
        <header><h2>{t.facts.imageTags}</h2></header>
        <div class="pad"><Tags tags={editor.document.imageTags} known={[]} onTag={(tag, on) => setTag(editor, tag, on, true)} /></div>
      </section>
    );
  return (
    <section class="facts" aria-label={t.facts.title}>
      <header>
        <h2>{editor.selected ? nameOf(editor, editor.selected) : t.facts.many(keys.length)}</h2>
        {keys.length > 1 && <Button icon="merge" title={t.facts.merge} keys="Ctrl+M" onClick={() => mergeSelected(editor)} />}
        <Button icon="up" title={t.layers.forward} keys="Ctrl+]" onClick={() => reorder(editor, "forward")} disabled={keys.length > 1} />
        <Button icon="down" title={t.layers.backward} keys="Ctrl+[" onClick={() => reorder(editor, "backward")} disabled={keys.length > 1} />
        <Button icon="copy" title={t.facts.duplicate} keys="Ctrl+D" onClick={() => duplicate(editor)} disabled={keys.length > 1} />
        <Button icon="split" title={t.facts.split} keys="Shift+K" onClick={() => splitParts(editor)} disabled={keys.length > 1} />
        <Button icon="trash" kind="danger" title={t.facts.remove} keys="Delete" onClick={() => removeSelected(editor)} />
      </header>
      <Selected editor={editor} />
    </section>
  );
}

function Selected({ editor }: { readonly editor: Editor }) {
  const segments = editor.selection.map((key) => editor.document.get(key));
  const same = new Set(segments.map(({ class_id }) => class_id)).size === 1 ? segments[0].class_id : "";
  const shared = segments[0].tags.filter((tag) => segments.every(({ tags }) => tags.includes(tag)));
  const { score, source } = segments[0];
  return (
    <div class="pad">
      <div class="row">
        <label class="grow row">
          <span class="soft">{t.facts.className}</span>
          <select class="grow" value={same} onChange={(event) => relabel(editor, Number(event.currentTarget.value))}>
            {same === "" && <option value="" disabled>…</option>}
            {editor.classes.rows.map(({ class_id, name }) => <option key={class_id} value={class_id}>{name}</option>)}
          </select>
        </label>
        <Tick
          label={t.facts.crowd} hint={t.facts.crowdHint} checked={segments.every(({ crowd }) => crowd)}
          onChange={(crowd) => setField(editor, "tags", "crowd", crowd)}
        />
      </div>
      <Tags tags={shared} known={t.facts.known} onTag={(tag, on) => setTag(editor, tag, on)} />
      {segments.length === 1 && (
        <p class="hint">{t.layers.pixels(editor.document.area(segments[0].key))} · {source}{score !== null && ` · ${t.facts.score.toLowerCase()} ${score.toFixed(2)}`}</p>
      )}
    </div>
  );
}

function Tags({ tags, known, onTag }: {
  readonly tags: readonly string[];
  readonly known: readonly string[];
  readonly onTag: (tag: string, on: boolean) => void;
}) {
  const [words, setWords] = useState("");
  const add = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !words.trim()) return;
    onTag(words.trim().slice(0, 60), true);
    setWords("");
  };
  return (
    <div class="tags" role="group" aria-label={t.facts.tags}>
      {tags.map((tag) => (
        <span class="chip" key={tag}>
          {tag}
          <button type="button" aria-label={`${t.remove}: ${tag}`} onClick={() => onTag(tag, false)}>×</button>
        </span>
      ))}
      {known.filter((tag) => !tags.includes(tag)).map((tag) => (
        <button type="button" class="chip soft" key={tag} onClick={() => onTag(tag, true)}>+ {tag}</button>
      ))}
      <input
        aria-label={t.facts.addTag} placeholder={t.facts.addTag} value={words} maxLength={60}
        onInput={(event) => setWords(event.currentTarget.value)} onKeyDown={add}
      />
    </div>
  );
}
