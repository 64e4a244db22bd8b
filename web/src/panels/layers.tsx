/** The stack of segments, front first: choose, order by drag, lock, hide, show alone. */
import { useEffect, useRef, useState } from "preact/hooks";
import { colourOf } from "../canvas/palette.ts";
import type { Segment } from "../core/document.ts";
import type { Editor } from "../core/editor.ts";
import type { Desk } from "../state/desk.ts";
import { moveTo, reveal, toggleLock, toggleShown, toggleSolo } from "../state/edits.ts";
import { t } from "../texts.ts";
import { Icon } from "./icons.tsx";
import { Button, Slider, Swatch, Tick } from "./ui.tsx";

const ROW = 26;
const SPARE = 8;

/** The name of a segment as panels write it. */
export function nameOf(editor: Editor, { class_id, instance_id }: Pick<Segment, "class_id" | "instance_id">): string {
  return instance_id ? `${editor.classes.name(class_id)} ${t.layers.instance(instance_id)}` : editor.classes.name(class_id);
}

export function Layers({ desk }: { readonly desk: Desk }) {
  const { editor } = desk;
  void desk.settledTick.value;
  void desk.ticks.selection.value;
  void desk.ticks.view.value;
  const place = useRef<HTMLUListElement>(null);
  const [top, setTop] = useState(0);
  const [words, setWords] = useState("");
  const [dragged, setDragged] = useState<string | null>(null);
  const [onto, setOnto] = useState<string | null>(null);
  const all = editor.document.segments;
  const rows = all.toReversed().filter((segment) => !words || nameOf(editor, segment).toLowerCase().includes(words.toLowerCase()));
  const at = rows.findIndex(({ key }) => key === editor.selection[0]);
  useEffect(() => {
    const list = place.current;
    if (!list || at < 0 || (at * ROW >= list.scrollTop && (at + 1) * ROW <= list.scrollTop + list.clientHeight)) return;
    list.scrollTop = at * ROW - list.clientHeight / 2;
  }, [editor.selection[0]]);
  const drop = (target: string): void => {
    if (dragged && dragged !== target) {
      const rest = all.filter(({ key }) => key !== dragged).map(({ key }) => key);
      moveTo(editor, dragged, rest.indexOf(target) + 1, rest);
    }
    setDragged(null);
    setOnto(null);
  };
  const tall = place.current?.clientHeight || 600;
  const first = Math.max(0, Math.floor(top / ROW) - SPARE);
  const last = Math.min(rows.length, Math.ceil((top + tall) / ROW) + SPARE);
  return (
    <div class="layers">
      <Look editor={editor} />
      {all.length > 15 && (
        <div class="pad"><input type="search" aria-label={t.layers.search} placeholder={t.layers.search} value={words} onInput={(event) => setWords(event.currentTarget.value)} /></div>
      )}
      {!all.length && <p class="pad soft">{t.layers.none}</p>}
      <ul class="list" ref={place} aria-label={t.layers.hint} onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
        {first > 0 && <li style={{ height: `${first * ROW}px` }} aria-hidden="true" />}
        {rows.slice(first, last).map((segment) => (
          <li key={segment.key} style={{ height: `${ROW}px` }}>
            <Row
              editor={editor} segment={segment} onto={onto === segment.key} onGrab={() => setDragged(segment.key)}
              onOver={() => dragged && setOnto(segment.key)} onDrop={() => drop(segment.key)} onEnd={() => { setDragged(null); setOnto(null); }}
            />
          </li>
        ))}
        {last < rows.length && <li style={{ height: `${(rows.length - last) * ROW}px` }} aria-hidden="true" />}
      </ul>
    </div>
  );
}

type RowProps = {
  readonly editor: Editor;
  readonly segment: Segment;
  readonly onto: boolean;
  readonly onGrab: () => void;
  readonly onOver: () => void;
  readonly onDrop: () => void;
  readonly onEnd: () => void;
};

function Row({ editor, segment, onto, onGrab, onOver, onDrop, onEnd }: RowProps) {
  const { key } = segment;
  const chosen = editor.selection.includes(key);
  const name = nameOf(editor, segment);
  const hidden = editor.document.hiddenArea(key);
  const area = t.layers.pixels(editor.document.area(key)) + (hidden ? `, ${t.layers.hiddenPixels(hidden)}` : "");
  const choose = (event: MouseEvent): void => {
    if (event.shiftKey || event.ctrlKey || event.metaKey)
      editor.select(chosen ? editor.selection.filter((other) => other !== key) : [...editor.selection, key]);
    else reveal(editor, key);
  };
  const locked = editor.view.locked.has(key);
  const concealed = editor.view.concealed.has(key);
  const solo = editor.view.solo.has(key);
  return (
    <div
      class={`layer${chosen ? " chosen" : ""}${editor.isShown(key) ? "" : " dim"}${onto ? " onto" : ""}`} draggable
      onDragStart={(event) => { event.dataTransfer?.setData("text/plain", key); onGrab(); }}
      onDragOver={(event) => { event.preventDefault(); onOver(); }}
      onDrop={(event) => { event.preventDefault(); onDrop(); }} onDragEnd={onEnd}
    >
      <span class="grip"><Icon name="grip" /></span>
      <button type="button" class="item" aria-pressed={chosen} title={`${name}\n${area}`} onClick={choose}>
        <Swatch colour={colourOf(segment, editor.classes, editor.view)} />
        <span class="name">{name}{segment.crowd ? ` (${t.facts.crowd.toLowerCase()})` : ""}</span>
        {segment.state === "proposed" && <span class="chip">{segment.score === null ? t.layers.proposed : segment.score.toFixed(2)}</span>}
        {segment.tags.length > 0 && <span class="soft" title={segment.tags.join(", ")}>{short(segment.tags.join(", "))}</span>}
      </button>
      <Button icon="solo" kind="quiet" pressed={solo} title={`${t.layers.solo}: ${name}`} onClick={() => toggleSolo(editor, [key])} />
      <Button icon={concealed ? "hidden" : "eye"} kind="quiet" pressed={concealed} title={`${concealed ? t.layers.show : t.layers.hide}: ${name}`} onClick={() => toggleShown(editor, [key])} />
      <Button icon={locked ? "lock" : "unlock"} kind="quiet" pressed={locked} title={`${locked ? t.layers.unlock : t.layers.lock}: ${name}`} onClick={() => toggleLock(editor, [key])} />
    </div>
  );
}

/** How segments look. */
function Look({ editor }: { readonly editor: Editor }) {
  const { view } = editor;
  const filtered = view.concealed.size + view.solo.size > 0;
  return (
    <div class="pad">
      <Slider label={t.layers.opacity} min={0} max={1} step={0.05} value={view.opacity} onChange={(opacity) => editor.look({ opacity })} />
      <div class="row">
        <Tick label={t.layers.outlines} checked={view.outlines} onChange={(outlines) => editor.look({ outlines })} />
        <Tick label={t.layers.amodal} checked={view.amodal} onChange={(amodal) => editor.look({ amodal })} hint={t.commands.amodal} />
        <Tick label={t.layers.gaps} checked={view.gaps} onChange={(gaps) => editor.look({ gaps })} />
        {filtered && <Button onClick={() => editor.look({ concealed: new Set(), solo: new Set() })}>{t.layers.everything}</Button>}
      </div>
    </div>
  );
}

const short = (words: string): string => (words.length > 18 ? `${words.slice(0, 17)}…` : words);
