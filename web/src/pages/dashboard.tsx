/** Progress, time, cost and quality of a project. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import { AsTable, BarChart, ColumnChart, type Row } from "../charts/bars.tsx";
import { StateBar } from "../charts/states.tsx";
import { attempt } from "../panels/ui.tsx";
import type { Dashboard, Seconds } from "../schema.d.ts";
import { classes, onEvent, project } from "../state/project.ts";
import { duration, percent, t } from "../texts.ts";
import { AssistanceSection } from "./assistance.tsx";
import { Shell, useTitle } from "./shell.tsx";

export function DashboardPage({ project: id }: { readonly project: number }) {
  const [board, setBoard] = useState<Dashboard | null>(null);
  useTitle(t.dashboard.title);
  useEffect(() => {
    const load = (): void => void attempt(async () => setBoard(await call("GET /api/projects/{project_id}/dashboard", { project_id: id })));
    let timer = 0;
    load();
    const end = onEvent(() => {
      clearTimeout(timer);
      timer = window.setTimeout(load, 3000);
    });
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [id]);
  return (
    <Shell>
      <div class="heading"><h1>{t.dashboard.title}</h1></div>
      {board ? <Figures board={board} project={id} /> : <p class="soft">{t.loading}</p>}
    </Shell>
  );
}

const Figure = ({ value, words }: { readonly value: string; readonly words: string }) => (
  <div class="figure"><b>{value}</b><span>{words}</span></div>
);

function Figures({ board, project: id }: { readonly board: Dashboard; readonly project: number }) {
  const accepted = board.states.accepted ?? 0;
  const finished = accepted + (board.states.submitted ?? 0);
  const left = finished ? (board.seconds / finished) * (board.images - finished) : 0;
  const count = t.dashboard.count;
  const paid = (project.value?.rate ?? 0) > 0;
  const ofClass = (name: string): string | undefined => classes.value.rows.find((row) => row.name === name)?.colour;
  return (
    <>
      <div class="figures">
        <Figure value={count(board.images)} words={t.dashboard.images} />
        <Figure value={count(board.segments)} words={t.dashboard.segments} />
        <Figure value={duration(board.seconds)} words={t.dashboard.time} />
        <Figure value={paid ? board.cost.toFixed(2) : "–"} words={paid ? t.dashboard.cost : t.dashboard.noRate} />
        <Figure value={count(board.proposed)} words={t.dashboard.waiting} />
      </div>
      <section class="card">
        <h2>{t.dashboard.progress}</h2>
        <StateBar states={board.states} total={board.images} legend />
        <p class="hint">
          {t.dashboard.share(accepted / Math.max(1, board.images))}. {left > 0 && t.dashboard.left(duration(left))} {t.dashboard.timeHint}
        </p>
      </section>
      {!board.days.length && <p class="soft">{t.dashboard.none}</p>}
      <div class="columns">
        {board.days.length > 0 && <Days board={board} />}
        <Spent title={t.dashboard.spent(t.dashboard.byClass, paid)} rows={board.classes} paid={paid} colour={ofClass} />
        <Spent title={t.dashboard.spent(t.dashboard.byPerson, paid)} rows={board.people} paid={paid} />
        <Pace title={t.dashboard.pace(t.dashboard.byClass)} rows={board.classes} colour={ofClass} />
        <Pace title={t.dashboard.pace(t.dashboard.byPerson)} rows={board.people} />
        <Tools rows={board.tools} />
      </div>
      <AssistanceSection project={id} />
      <Quality board={board} />
    </>
  );
}

const Days = ({ board }: { readonly board: Dashboard }) => (
  <section class="card">
    <h2>{t.dashboard.perDay}</h2>
    <ColumnChart label={t.dashboard.perDay} rows={board.days.map(({ day, seconds }) => ({ name: day, value: seconds, words: duration(seconds) }))} />
    <AsTable
      head={[t.dashboard.day, t.dashboard.time, t.dashboard.gestures, t.dashboard.submitted]}
      rows={board.days.map(({ day, seconds, gestures, submitted }) => [day, duration(seconds), gestures, submitted])}
    />
  </section>
);

type Bar = Row & { readonly cells: readonly (string | number)[] };

/** Bars, and the same as a table whose cells follow the name; nothing where there is no bar. */
function BarCard({ title, head, bars }: { readonly title: string; readonly head: readonly string[]; readonly bars: readonly Bar[] }) {
  if (!bars.length) return null;
  return (
    <section class="card">
      <h2>{title}</h2>
      <BarChart label={title} rows={bars} />
      <AsTable head={[t.dashboard.name, ...head]} rows={bars.map(({ name, cells }) => [name, ...cells])} />
    </section>
  );
}

type RowsProps = { readonly title: string; readonly rows: readonly Seconds[]; readonly colour?: (name: string) => string | undefined };

/** What was spent on each: money where an hour has a price, else time. */
function Spent({ title, rows, paid, colour }: RowsProps & { readonly paid: boolean }) {
  const worked = rows.filter(({ seconds }) => seconds).toSorted((one, other) => other.seconds - one.seconds);
  const bars = worked.map(({ name, seconds, cost, gestures }) => ({
    name, value: seconds, words: paid ? cost.toFixed(2) : duration(seconds), colour: colour?.(name),
    cells: [duration(seconds), paid ? cost.toFixed(2) : "–", gestures],
  }));
  return <BarCard title={title} head={[t.dashboard.time, t.dashboard.cost, t.dashboard.gestures]} bars={bars} />;
}

const perSegment = ({ seconds, segments }: Seconds): number => (segments ? seconds / segments : 0);

function Pace({ title, rows, colour }: RowsProps) {
  const bars = rows.filter(perSegment).map((row) => ({
    name: row.name, value: perSegment(row), words: duration(perSegment(row)), colour: colour?.(row.name),
    cells: [duration(perSegment(row)), row.segments, duration(row.seconds)],
  }));
  return <BarCard title={title} head={[t.dashboard.perSegment, t.dashboard.worked, t.dashboard.time]} bars={bars} />;
}

function Tools({ rows }: { readonly rows: readonly Seconds[] }) {
  const bars = rows.filter(({ seconds }) => seconds > 0).map(({ name, seconds, gestures }) => ({
    name: t.history.kinds[name] ?? name, value: seconds, words: duration(seconds), cells: [duration(seconds), gestures],
  }));
  return <BarCard title={t.dashboard.perTool} head={[t.dashboard.time, t.dashboard.gestures]} bars={bars} />;
}

function Quality({ board }: { readonly board: Dashboard }) {
  if (!board.quality.length) return null;
  const head = [t.dashboard.submitted, t.dashboard.accepted, t.dashboard.returned, t.dashboard.honeypots, t.dashboard.pq];
  return (
    <section class="card">
      <h2>{t.dashboard.quality}</h2>
      <table>
        <thead>
          <tr><th scope="col">{t.dashboard.person}</th>{head.map((words) => <th key={words} scope="col" class="number">{words}</th>)}</tr>
        </thead>
        <tbody>
          {board.quality.map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.name}</th>
              {[row.submitted, row.accepted, row.returned, row.honeypots].map((n, i) => <td key={head[i]} class="number">{n}</td>)}
              <td class="number">{row.pq === null ? "–" : percent(row.pq)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
