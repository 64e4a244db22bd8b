/** What the next hours buy most of: a table of scores goes in, each way to spend them comes out with its gain. */
import { useState } from "preact/hooks";
import { call, wordsFor } from "../api.ts";
import { RangeChart } from "../charts/ranges.tsx";
import { Button, Field } from "../panels/ui.tsx";
import type { Buys } from "../schema.d.ts";
import { t } from "../texts.ts";

const EXAMPLE = "type,seconds,images,score\ncoarse,40,20,0.41\ncoarse,40,40,0.46\ncoarse,40,80,0.49\nsharp,360,20,0.47";

/** The kinds of labels in a table, in order of appearance: its first column is not always the type. */
export function typesOf(table: string): readonly string[] {
  const [head = "", ...lines] = table.trim().split(/\r?\n/);
  const separator = ["\t", ";", ","].find((each) => head.includes(each)) ?? ",";
  const at = head.split(separator).findIndex((name) => name.trim() === "type");
  return at < 0 ? [] : [...new Set(lines.map((line) => (line.split(separator)[at] ?? "").trim()).filter(Boolean))];
}

export function Buying({ project: id, labelled }: { readonly project: number; readonly labelled: number }) {
  const [table, setTable] = useState("");
  const [chosen, setHave] = useState("");
  const [images, setImages] = useState(Math.max(20, labelled));
  const [hours, setHours] = useState(8);
  const [found, setFound] = useState<Buys | null>(null);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const types = typesOf(table);
  const have = types.includes(chosen) ? chosen : (types[0] ?? "");
  const ask = async (): Promise<void> => {
    setBusy(true);
    try {
      const body = { table, have, images, hours };
      setFound(await call("POST /api/projects/{project_id}/advice/buy", { project_id: id }, { body }));
      setWrong("");
    } catch (error) {
      setFound(null);
      setWrong(wordsFor(error));
    }
    setBusy(false);
  };
  const number = (label: string, value: number, min: number, change: (value: number) => void) => (
    <Field label={label}>
      {(field) => (
        <input
          id={field} type="number" value={value} min={min} step={min}
          onInput={({ currentTarget: { valueAsNumber } }) => valueAsNumber >= min && change(valueAsNumber)}
        />
      )}
    </Field>
  );
  return (
    <section class="card" aria-labelledby="buying">
      <h2 id="buying">{t.buying.title}</h2>
      <p class="hint">{t.buying.hint}</p>
      <Field label={t.buying.table}>
        {(field) => (
          <textarea id={field} rows={8} style={{ fontFamily: "var(--mono)" }} value={table} placeholder={EXAMPLE} spellcheck={false} onInput={(event) => setTable(event.currentTarget.value)} />
        )}
      </Field>
      <div class="filters even">
        <Field label={t.buying.file}>
          {(field) => <input id={field} type="file" accept=".csv,.tsv,.txt,text/csv" onChange={(event) => void event.currentTarget.files?.[0]?.text().then(setTable)} />}
        </Field>
        <Field label={t.buying.have}>
          {(field) => (
            <select id={field} value={have} onChange={(event) => setHave(event.currentTarget.value)}>
              {types.map((type) => <option key={type} value={type}>{type}</option>)}
            </select>
          )}
        </Field>
        {number(t.buying.images, images, 1, setImages)}
        {number(t.buying.hours, hours, 0.5, setHours)}
      </div>
      <div class="actions"><Button kind="primary" disabled={busy || !table.trim()} onClick={() => void ask()}>{busy ? t.buying.asking : t.buying.ask}</Button></div>
      {wrong && <p class="error-box" role="alert">{wrong}</p>}
      {found && <Ways found={found} />}
    </section>
  );
}

function Ways({ found: { ways, best } }: { readonly found: Buys }) {
  const gain = t.buying.gain;
  return (
    <div role="status" class="answer">
      <h2 class="big">{best ? t.buying.best(best) : t.buying.stop}</h2>
      <p class="hint">{t.buying.chart}</p>
      <RangeChart
        label={t.buying.chart}
        rows={ways.map((way) => ({ name: way.name, low: way.gain[0], middle: way.gain[1], high: way.gain[2], words: gain(way.gain[1]), strong: way.name === best }))}
      />
      <div class="scroll">
        <table>
          <thead><tr>{t.buying.columns.map((name, i) => <th key={name} scope="col" class={i ? "number" : ""}>{name}</th>)}</tr></thead>
          <tbody>
            {ways.map((way) => (
              <tr key={way.name}>
                <th scope="row">{way.name}</th>
                <td class="number">{way.hours.toFixed(1)}</td>
                {way.gain.map((value, i) => <td key={i} class="number">{gain(value)}</td>)}
                <td class="number">{t.buying.perHour(way.per_hour)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
