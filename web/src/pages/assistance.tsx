/** What click to segment costs or saves for each class, and whether it is used: a part of the dashboard. */
import { useEffect } from "preact/hooks";
import { PairChart } from "../charts/pairs.tsx";
import { attempt, Choice } from "../panels/ui.tsx";
import type { ClassAssistance, Pace } from "../schema.d.ts";
import { assistance, choose, loadAssistance } from "../state/assistance.ts";
import { owns, project } from "../state/project.ts";
import { duration, t } from "../texts.ts";

export function AssistanceSection({ project: id }: { readonly project: number }) {
  useEffect(() => void attempt(() => loadAssistance(id)), [id]);
  const { classes, enough } = assistance.value;
  const drawn = classes.filter(({ assisted, by_hand }) => assisted.segments || by_hand.segments);
  const both = drawn.filter(({ assisted, by_hand }) => assisted.segments && by_hand.segments);
  const shown = [...drawn, ...classes.filter((row) => !drawn.includes(row) && row.choice !== "automatic")];
  return (
    <section class="card" aria-labelledby="assistance">
      <h2 id="assistance">{t.assistance.title}</h2>
      <p class="hint">{t.assistance.hint(enough)}</p>
      {!shown.length && <p class="soft">{t.assistance.none}</p>}
      {both.length > 0 && (
        <PairChart
          label={t.assistance.title} legend={[t.assistance.assisted, t.assistance.byHand]}
          rows={both.map(({ name, assisted, by_hand }) => ({
            name, values: [assisted.seconds, by_hand.seconds], words: [duration(assisted.seconds), duration(by_hand.seconds)],
          }))}
        />
      )}
      {shown.length > 0 && <Table rows={shown} enough={enough} />}
    </section>
  );
}

function Table({ rows, enough }: { readonly rows: readonly ClassAssistance[]; readonly enough: number }) {
  const words = t.assistance;
  const figures = [words.segments, words.seconds, words.edits];
  return (
    <div class="scroll">
      <table class="paired">
        <thead>
          <tr>
            <th scope="col" rowSpan={2}>{words.className}</th>
            <th scope="colgroup" colSpan={3}>{words.assisted}</th>
            <th scope="colgroup" colSpan={3}>{words.byHand}</th>
            <th scope="col" rowSpan={2}>{words.difference}</th>
            <th scope="col" rowSpan={2}>{words.use}</th>
          </tr>
          <tr>{["a", "b"].map((side) => figures.map((figure) => <th key={side + figure} scope="col" class="number">{figure}</th>))}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.class_id}>
              <th scope="row">{row.name}</th>
              <Figures pace={row.assisted} />
              <Figures pace={row.by_hand} />
              <td><Difference row={row} enough={enough} /></td>
              <td><Use row={row} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Figures = ({ pace: { segments, seconds, edits } }: { readonly pace: Pace }) => (
  <>
    <td class="number">{segments}</td>
    <td class="number">{segments ? seconds.toFixed(1) : "–"}</td>
    <td class="number">{segments ? edits.toFixed(1) : "–"}</td>
  </>
);

function Difference({ row, enough }: { readonly row: ClassAssistance; readonly enough: number }) {
  const { difference, assisted, by_hand } = row;
  const missing = Math.max(0, enough - assisted.segments) + Math.max(0, enough - by_hand.segments);
  if (!difference) return <span class="soft">{t.assistance.tooFew(missing)}</span>;
  return <>{t.assistance.interval(...difference)} <span class={`chip ${verdict(row).look}`}>{verdict(row).words}</span></>;
}

function verdict({ difference, costs, off }: ClassAssistance): { words: string; look: string } {
  if (costs) return off ? { words: t.assistance.costs, look: "returned" } : { words: t.assistance.overruled, look: "warning" };
  if (difference && difference[2] < 0) return { words: t.assistance.saves, look: "accepted" };
  return { words: t.assistance.unclear, look: "todo" };
}

function Use({ row }: { readonly row: ClassAssistance }) {
  const open = project.value;
  if (!open || !owns.value) return <span>{t.assistance.choices[row.choice]}</span>;
  return (
    <Choice
      label={t.assistance.choice(row.name)} value={row.choice} options={t.assistance.choices}
      onChange={(choice) => void attempt(() => choose(open, row.class_id, choice))}
    />
  );
}
