/** The classes: the one to draw with, by click or key. */
import { useState } from "preact/hooks";
import { chooseClass } from "../core/commands.ts";
import type { Desk } from "../state/desk.ts";
import { owns, project } from "../state/project.ts";
import { t } from "../texts.ts";
import { Swatch } from "./ui.tsx";

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
      {!rows.length && <p class="pad soft">{t.classes.none}</p>}
      <ul class="list">
        {shown.map((row) => (
          <li key={row.class_id}>
            <button
              type="button" class="item" aria-pressed={row.class_id === editor.settings.classId} title={t.classes.active(row.name)}
              onClick={() => chooseClass(editor, row.class_id)}
            >
              <Swatch colour={row.colour} />
              <span class="name">{row.name}</span>
              {row.kind !== "thing" && <span class="soft">{t.classes[row.kind]}</span>}
              {row.hotkey && <kbd>{row.hotkey}</kbd>}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
