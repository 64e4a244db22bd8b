/** The classes: the one to draw with, by click or key. */
import { useState } from "preact/hooks";
import { classColour } from "../canvas/palette.ts";
import { chooseClass } from "../core/commands.ts";
import type { Desk } from "../state/desk.ts";
import { addClass } from "../state/classes.ts";
import { owns, project } from "../state/project.ts";
import { t } from "../texts.ts";
import { attempt, Swatch, Tick } from "./ui.tsx";

const MANY = 12;

export function ClassList({ desk }: { readonly desk: Desk }) {
  const [words, setWords] = useState("");
  void desk.ticks.settings.value;
  void desk.ticks.view.value;
  const { editor } = desk;
  const { rows } = editor.classes;
  const shown = rows.filter(({ name }) => name.toLowerCase().includes(words.toLowerCase()));
  return (
    <section class="classes" aria-label={t.classes.title}>
      <header>
        <h2>{t.classes.title}</h2>
        {rows.length > MANY && <input type="search" aria-label={t.classes.search} placeholder={t.classes.search} value={words} onInput={(event) => setWords(event.currentTarget.value)} />}
        {owns.value && <a href={`/projects/${project.value?.project_id}/classes`}>{t.classes.edit}</a>}
      </header>
      {!rows.length && <p class="pad soft">{owns.value ? t.classes.none : t.classes.noneHere}</p>}
      <ul class="list">
        {shown.map((row) => (
          <li key={row.class_id}>
            <button
              type="button" class="item" aria-pressed={row.class_id === editor.settings.classId} title={t.classes.active(row.name)}
              onClick={() => chooseClass(editor, row.class_id)}
            >
              <Swatch colour={classColour(row.class_id, editor.classes, editor.view)} />
              <span class="name">{row.name}</span>
              {row.kind !== "thing" && <span class="soft">{t.classes[row.kind]}</span>}
              {row.hotkey && <kbd>{row.hotkey}</kbd>}
            </button>
          </li>
        ))}
      </ul>
      {owns.value && <NewClass desk={desk} asks={!rows.length} />}
    </section>
  );
}

/** Adds a class without leaving the image; it is chosen at once. */
function NewClass({ desk, asks }: { readonly desk: Desk; readonly asks: boolean }) {
  const [name, setName] = useState("");
  const [stuff, setStuff] = useState(false);
  const add = (event: Event): void => {
    event.preventDefault();
    const wanted = name.trim();
    if (!wanted) return;
    void attempt(async () => {
      chooseClass(desk.editor, await addClass(project.peek()!.project_id, wanted, stuff ? "stuff" : "thing"));
      setName("");
    });
  };
  return (
    <form class="row new" onSubmit={add}>
      <input
        class="grow" aria-label={t.classes.addHint} placeholder={asks ? t.classes.first : t.classes.addHint} value={name} maxLength={120}
        autofocus={asks} onInput={(event) => setName(event.currentTarget.value)}
      />
      {name && <Tick label={t.classes.stuff} hint={t.classes.addStuff} checked={stuff} onChange={setStuff} />}
    </form>
  );
}
