/** All commands by name, and all keys on one sheet. */
import { useId, useState } from "preact/hooks";
import type { Command } from "../core/commands.ts";
import type { Editor } from "../core/editor.ts";
import { shown, shownKey } from "../state/commands.ts";
import { t } from "../texts.ts";
import { Dialog } from "./ui.tsx";

const Keys = ({ keys }: { readonly keys: readonly string[] }) => (
  <span>{keys.map((key) => <><kbd key={key}>{key.split(/\+(?=.)/).map(shownKey).join("+")}</kbd>{" "}</>)}</span>
);

/** Commands whose titles or names hold all words: "opacity" finds what makes colours stronger. */
export function fitting(commands: readonly Command[], words: string): Command[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter(({ id, title }) => wanted.every((word) => `${title} ${id}`.toLowerCase().includes(word)));
}

export function Palette({ commands, editor }: { readonly commands: readonly Command[]; readonly editor: Editor }) {
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const found = fitting(commands, words);
  const close = (): void => void (shown.value = null);
  const run = (command: Command | undefined): void => {
    close();
    if (command) setTimeout(() => command.run(editor));
  };
  const press = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by) setChosen((chosen + by + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") run(found[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={t.palette.title} onClose={close} kind="high">
      <div class="palette">
        <input
          role="combobox" aria-expanded="true" aria-controls={id} aria-activedescendant={`${id}-${chosen}`} aria-label={t.palette.placeholder}
          placeholder={t.palette.placeholder} value={words} autofocus onKeyDown={press}
          onInput={(event) => { setWords(event.currentTarget.value); setChosen(0); }}
        />
        <ul id={id} role="listbox" aria-label={t.palette.title}>
          {found.map((command, i) => (
            <li
              key={command.id} id={`${id}-${i}`} role="option" aria-selected={i === chosen} onClick={() => run(command)}
              ref={(place) => { if (i === chosen) place?.scrollIntoView({ block: "nearest" }); }}
            >
              <span>{command.title}</span>
              <Keys keys={command.keys} />
            </li>
          ))}
        </ul>
        {!found.length && <p class="soft">{t.palette.none}</p>}
      </div>
    </Dialog>
  );
}

export function Sheet({ commands }: { readonly commands: readonly Command[] }) {
  const groups = [...new Set(commands.map(({ group }) => group))];
  return (
    <Dialog title={t.sheet.title} onClose={() => (shown.value = null)} kind="wide">
      <div class="sheet">
        {groups.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            {commands.filter((command) => command.group === group && command.keys.length).map(({ id, title, keys }) => (
              <div key={id}><span>{title}</span><Keys keys={keys} /></div>
            ))}
          </section>
        ))}
        <section>
          <h3>{t.sheet.mouse}</h3>
          {t.sheet.rows.map(([keys, words]) => <div key={keys}><span>{words}</span><span class="soft">{keys}</span></div>)}
        </section>
      </div>
    </Dialog>
  );
}
