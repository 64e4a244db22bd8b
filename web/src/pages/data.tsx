/** Labels and predictions in, labels out, in any format. */
import { useEffect, useState } from "preact/hooks";
import { address, call } from "../api.ts";
import { attempt, Bar, Button, Field, tell, Tick } from "../panels/ui.tsx";
import type { FormatRow, Job } from "../schema.d.ts";
import { onEvent } from "../state/project.ts";
import { moment, t } from "../texts.ts";
import { type State, STATES } from "../words.ts";
import { Shell, useTitle } from "./shell.tsx";

export function DataPage({ project: id }: { readonly project: number }) {
  const [formats, setFormats] = useState<readonly FormatRow[]>([]);
  const [jobs, setJobs] = useState<readonly Job[]>([]);
  useTitle(t.data.title);
  const load = async (): Promise<void> => setJobs(await call("GET /api/projects/{project_id}/jobs", { project_id: id }));
  const running = jobs.some(({ state }) => state === "waiting" || state === "running");
  useEffect(() => {
    void attempt(async () => setFormats(await call("GET /api/formats", {})));
    void attempt(load);
    return onEvent((event) => (event === null || event.kind === "job") && void load().catch(() => undefined));
  }, [id]);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => void load().catch(() => undefined), 1000);
    return () => clearInterval(timer);
  }, [running]);
  const started = (): void => void attempt(load);
  return (
    <Shell>
      <div class="heading"><h1>{t.data.title}</h1></div>
      <div class="two">
        <Import project={id} formats={formats} onStarted={started} />
        <Export project={id} formats={formats} onStarted={started} />
      </div>
      <section class="card">
        <h2>{t.data.jobs}</h2>
        {jobs.length ? <Jobs jobs={jobs} /> : <p class="soft">{t.data.none}</p>}
      </section>
    </Shell>
  );
}

type PartProps = { readonly project: number; readonly formats: readonly FormatRow[]; readonly onStarted: () => void };

function FormatField({ value, formats, onChange, free }: {
  readonly value: string;
  readonly formats: readonly FormatRow[];
  readonly onChange: (value: string) => void;
  readonly free?: boolean;
}) {
  return (
    <Field label={t.data.format} hint={formats.find(({ name }) => name === value)?.words}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {free && <option value="">{t.data.guess}</option>}
          {formats.map(({ name }) => <option key={name} value={name}>{name}</option>)}
        </select>
      )}
    </Field>
  );
}

function Import({ project: id, formats, onStarted }: PartProps) {
  const [file, setFile] = useState<File | null>(null);
  const [format, setFormat] = useState("");
  const [kind, setKind] = useState<"labels" | "predictions">("labels");
  const [model, setModel] = useState("");
  const [busy, setBusy] = useState(false);
  const start = async (): Promise<void> => {
    if (!file) return tell(t.data.noFile, { bad: true });
    setBusy(true);
    const query = { name: file.name, as: kind, format: format || null, model };
    await attempt(async () => {
      await call("POST /api/projects/{project_id}/import", { project_id: id }, { body: file, query });
      onStarted();
    });
    setBusy(false);
  };
  return (
    <section class="card">
      <h2>{t.data.import}</h2>
      <Field label={t.data.file}>
        {(field) => <input id={field} type="file" onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />}
      </Field>
      <FormatField value={format} formats={formats} onChange={setFormat} free />
      <Field label={t.data.as}>
        {(field) => (
          <select id={field} value={kind} onChange={(event) => setKind(event.currentTarget.value as "labels" | "predictions")}>
            <option value="labels">{t.data.labels}</option>
            <option value="predictions">{t.data.predictions}</option>
          </select>
        )}
      </Field>
      {kind === "predictions" && (
        <Field label={t.data.model}>
          {(field) => <input id={field} value={model} maxLength={80} pattern="[\w .:\-]*" onInput={(event) => setModel(event.currentTarget.value)} />}
        </Field>
      )}
      <div class="actions"><Button kind="primary" disabled={busy} onClick={() => void start()}>{busy ? t.loading : t.data.start}</Button></div>
    </section>
  );
}

function Export({ project: id, formats, onStarted }: PartProps) {
  const [format, setFormat] = useState("coco");
  const [reader, setReader] = useState("");
  const [lossy, setLossy] = useState(false);
  const [proposed, setProposed] = useState(false);
  const [states, setStates] = useState<readonly State[]>([]);
  const readers = formats.find(({ name }) => name === format)?.readers ?? [];
  const start = (): Promise<unknown> =>
    attempt(async () => {
      const body = { format, lossy, proposed, states, reader: reader || null };
      await call("POST /api/projects/{project_id}/export", { project_id: id }, { body });
      onStarted();
    });
  return (
    <section class="card">
      <h2>{t.data.export}</h2>
      <FormatField value={format} formats={formats} onChange={(name) => { setFormat(name); setReader(""); }} />
      {readers.length > 0 && (
        <Field label={t.data.reader}>
          {(field) => (
            <select id={field} value={reader} onChange={(event) => setReader(event.currentTarget.value)}>
              <option value="">{t.data.anyReader}</option>
              {readers.map((name) => <option key={name} value={name}>{name}</option>)}
            </select>
          )}
        </Field>
      )}
      <fieldset class="row" style={{ border: 0, padding: 0, margin: 0 }}>
        <legend class="hint">{t.data.states}</legend>
        {STATES.map((state) => (
          <Tick
            key={state} label={t.states[state]} checked={states.includes(state)}
            onChange={(on) => setStates(on ? [...states, state] : states.filter((other) => other !== state))}
          />
        ))}
      </fieldset>
      <Tick label={t.data.proposed} checked={proposed} onChange={setProposed} />
      <Tick label={t.data.lossy} checked={lossy} onChange={setLossy} />
      <div class="actions"><Button kind="primary" onClick={() => void start()}>{t.data.exportStart}</Button></div>
    </section>
  );
}

const Jobs = ({ jobs }: { readonly jobs: readonly Job[] }) => (
  <table>
    <tbody>
      {jobs.map((job) => (
        <tr key={job.job_id}>
          <td>{t.data.kinds[job.kind] ?? job.kind}</td>
          <td><span class={`chip ${job.state}`}>{t.data.jobStates[job.state] ?? job.state}</span></td>
          <td class="grow">
            {job.error ? <p class="error-box">{job.error}</p> : job.words}{" "}
            {job.state === "running" && <Bar share={job.done / Math.max(1, job.total)} label={t.data.tooFew(job.done, job.total)} />}
          </td>
          <td class="soft when">{job.author}, {moment(job.at)}</td>
          <td class="when">{job.file && <a class="button" href={address("/api/jobs/{j}/file", { j: job.job_id })} download={job.file}>{t.data.fetch(job.file)}</a>}</td>
        </tr>
      ))}
    </tbody>
  </table>
);
