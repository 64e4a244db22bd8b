/** The tools, and the options of the one in hand. */
import { useState } from "preact/hooks";
import { classColour } from "../canvas/palette.ts";
import type { Engines } from "../schema.d.ts";
import type { Desk } from "../state/desk.ts";
import { shownKey, TOOL_KEYS } from "../state/commands.ts";
import { ofClass } from "../state/assistance.ts";
import { t } from "../texts.ts";
import { proposeNamed } from "../tools/everything.ts";
import { AssistanceNote } from "./assistance.tsx";
import { Icon, isIcon } from "./icons.tsx";
import { Choice, Slider, Swatch, Tick } from "./ui.tsx";

const GROUPS = [
  ["select", "pan"], ["brush", "erase", "polygon", "box", "lasso", "scissors", "fill", "superpixel", "prompt", "everything"], ["edge", "split", "merge"],
] as const;

export function Toolbar({ desk }: { readonly desk: Desk }) {
  void desk.ticks.tool.value;
  const { editor } = desk;
  return (
    <section class="toolbar" aria-label={t.toolbar}><div role="toolbar" aria-label={t.toolbar} aria-orientation="vertical">
      {GROUPS.map((names, i) => (
        <>
          {i > 0 && <hr />}
          {names.filter((name) => name in editor.tools).map((name) => (
            <button
              key={name} type="button" class="button bare" aria-pressed={editor.toolName === name} aria-label={t.tools[name]}
              title={`${t.tools[name]} (${shownKey(TOOL_KEYS[name])})\n${t.toolHints[name]}`} onClick={() => editor.use(name)}
            >
              {isIcon(name) && <Icon name={name} />}
              {TOOL_KEYS[name].length === 1 && <kbd aria-hidden="true">{shownKey(TOOL_KEYS[name])}</kbd>}
            </button>
          ))}
        </>
      ))}
    </div></section>
  );
}

const SIZED = new Set(["brush", "erase"]);
const SMOOTH = new Set(["lasso", "scissors", "edge"]);

export function Options({ desk, engines }: { readonly desk: Desk; readonly engines: Engines | null }) {
  void desk.ticks.tool.value;
  void desk.ticks.settings.value;
  void desk.ticks.view.value;
  const { editor } = desk;
  const { settings, toolName } = editor;
  const row = editor.classes.get(settings.classId);
  const reads = engines?.texts.includes(settings.engine ?? engines.default ?? "");
  return (
    <div class="options" role="group" aria-label={t.options.label}>
      <span class="active">{row && <Swatch colour={classColour(row.class_id, editor.classes, editor.view)} />}{row?.name ?? t.options.noClass}</span>
      {SIZED.has(toolName) && (
        <>
          <Slider label={t.options.size} min={1} max={200} value={settings.brush} onChange={(brush) => editor.change({ brush })} />
          <Tick label={t.options.pressure} checked={settings.pressure} onChange={(pressure) => editor.change({ pressure })} />
        </>
      )}
      {toolName === "fill" && <Slider label={t.options.tolerance} min={0} max={120} value={settings.tolerance} onChange={(tolerance) => editor.change({ tolerance })} />}
      {toolName === "superpixel" && <Slider label={t.options.superpixel} min={6} max={80} value={settings.superpixel} onChange={(superpixel) => editor.change({ superpixel })} />}
      {SMOOTH.has(toolName) && <Slider label={t.options.smoothing} min={0} max={6} step={0.25} value={settings.smoothing} onChange={(smoothing) => editor.change({ smoothing })} />}
      {toolName === "prompt" && !ofClass(settings.classId)?.off && <Tick label={t.options.hover} hint={t.options.hoverHint} checked={settings.hover} onChange={(hover) => editor.change({ hover })} />}
      {toolName === "everything" && <Slider label={t.options.grid} min={2} max={24} value={settings.grid} onChange={(grid) => editor.change({ grid })} />}
      {(toolName === "prompt" || toolName === "everything") && <AssistanceNote classId={settings.classId} />}
      {toolName === "prompt" && reads && !ofClass(settings.classId)?.off && <Named editor={editor} />}
      {toolName === "prompt" && engines && engines.engines.length > 1 && (
        <label>
          {t.options.engine}{" "}
          <select value={settings.engine ?? ""} onChange={(event) => editor.change({ engine: event.currentTarget.value || null })}>
            <option value="">{t.options.automatic}</option>
            {engines.engines.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
        </label>
      )}
      {row && row.new !== "inherit" ? <span class="soft" title={t.options.border}>{t.options.borderOf[row.new]}</span> : (
        <span title={t.options.border}>
          <Choice
            label={t.options.border} value={settings.border} options={{ wins: t.options.wins, yields: t.options.yields }}
            onChange={(border) => editor.change({ border })}
          />
        </span>
      )}
      <span title={t.options.mode}>
        <Choice
          label={t.options.mode} value={settings.mode} options={{ layered: t.options.layered, flat: t.options.flat }}
          onChange={(mode) => editor.change({ mode })}
        />
      </span>
      <Tick label={t.options.behind} checked={settings.behind} onChange={(behind) => editor.change({ behind })} />
    </div>
  );
}

/** A field for what to look for, where the engine reads texts. */
function Named({ editor }: { readonly editor: Desk["editor"] }) {
  const [text, setText] = useState("");
  const find = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && text.trim()) void proposeNamed(editor, text.trim());
  };
  return (
    <label title={t.options.namedHint}>
      {t.options.named}{" "}
      <input value={text} maxLength={200} placeholder={t.options.namedExample} onInput={(event) => setText(event.currentTarget.value)} onKeyDown={find} />
    </label>
  );
}
