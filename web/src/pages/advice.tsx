/** Advice: nine questions, the cheapest label type that answers them, and what it costs. */
import { useEffect, useState } from "preact/hooks";
import { address, call } from "../api.ts";
import { RangeChart } from "../charts/ranges.tsx";
import { Inline, Marked } from "../panels/marked.tsx";
import { attempt, Button, Choice, Field, tell } from "../panels/ui.tsx";
import type { Advice, AdviceForm, AdviceQuestion, Cost } from "../schema.d.ts";
import { t } from "../texts.ts";
import { Buying } from "./buying.tsx";
import { Shell, useTitle } from "./shell.tsx";

type Answer = "yes" | "no" | "unknown";
const SAID = { yes: true, no: false, unknown: null } as const;

/** What is priced, as it stands in the fields. */
interface Priced {
  readonly images: number;
  readonly wage: number;
  readonly tool: NonNullable<AdviceQuestion["tool"]>;
  readonly labellers: number;
  readonly objects: string;
  readonly size: number;
}

export function AdvicePage({ project: id }: { readonly project: number }) {
  const [form, setForm] = useState<AdviceForm | null>(null);
  const [answers, setAnswers] = useState<Readonly<Record<string, Answer>>>({});
  const [priced, setPriced] = useState<Priced>({ images: 1, wage: 20, tool: "polygon", labellers: 1, objects: "", size: 0.1 });
  const [advice, setAdvice] = useState<Advice | null>(null);
  useTitle(t.advice.title);
  useEffect(
    () =>
      void attempt(async () => {
        const found = await call("GET /api/projects/{project_id}/advice", { project_id: id });
        setForm(found);
        setPriced((now) => ({ ...now, images: Math.max(1, found.images), wage: found.wage || now.wage }));
      }),
    [id],
  );
  const ask = (): Promise<unknown> =>
    attempt(async () => {
      const said = Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, SAID[answer]]));
      const { objects, ...rest } = priced;
      const counts = objects.split(/[\s,;]+/).filter(Boolean).map(Number);
      if (counts.some((count) => !Number.isFinite(count) || count < 0)) return tell(t.advice.badCounts, { bad: true });
      setAdvice(await call("POST /api/projects/{project_id}/advice", { project_id: id }, { body: { ...rest, answers: said, objects: counts } }));
      requestAnimationFrame(() => document.getElementById("answer")?.scrollIntoView({ block: "start" }));
    });
  return (
    <Shell>
      <div class="heading"><h1>{t.advice.title}</h1></div>
      {!form ? <p class="soft">{t.loading}</p> : (
        <>
          <section class="card">
            <h2>{t.advice.questions}</h2>
            <p class="hint">{t.advice.questionsHint}</p>
            {form.questions.map(({ name, words }) => (
              <div class="row question" key={name}>
                <span class="grow">{words}</span>
                <Choice
                  label={words} value={answers[name] ?? "unknown"} options={t.advice.answers}
                  onChange={(answer) => setAnswers({ ...answers, [name]: answer })}
                />
              </div>
            ))}
          </section>
          <Prices project={id} form={form} priced={priced} onChange={(part) => setPriced({ ...priced, ...part })} />
          <div class="actions"><Button kind="primary" onClick={() => void ask()}>{t.advice.ask}</Button></div>
          {advice && <Answered advice={advice} />}
          <Buying project={id} labelled={form.labelled} />
        </>
      )}
    </Shell>
  );
}

function Prices({ project, form, priced, onChange }: { readonly project: number; readonly form: AdviceForm; readonly priced: Priced; readonly onChange: (part: Partial<Priced>) => void }) {
  const number = (label: string, name: "images" | "wage" | "labellers" | "size", rest: { min: number; max: number; step: number }) => (
    <Field label={label}>
      {(field) => (
        <input
          id={field} type="number" value={priced[name]} {...rest}
          onInput={(event) => event.currentTarget.valueAsNumber >= rest.min && onChange({ [name]: event.currentTarget.valueAsNumber })}
        />
      )}
    </Field>
  );
  return (
    <section class="card">
      <h2>{t.advice.price}</h2>
      <p class="hint">
        {t.advice.known(form.labelled, form.timed, form.enough)}{" "}
        {form.timed > 0 && <a href={address("/api/projects/{project_id}/advice/timings", { project_id: project })} download="timings.csv">{t.advice.timings}</a>}
      </p>
      <div class="filters even">
        {number(t.advice.images, "images", { min: 1, max: 1e9, step: 1 })}
        {number(t.advice.wage, "wage", { min: 0.01, max: 100_000, step: 0.5 })}
        {number(t.advice.labellers, "labellers", { min: 1, max: 100, step: 1 })}
        <Field label={t.advice.tool}>
          {(field) => (
            <select id={field} value={priced.tool} onChange={(event) => onChange({ tool: event.currentTarget.value as Priced["tool"] })}>
              {form.tools.map((tool) => <option key={tool} value={tool}>{t.advice.tools[tool] ?? tool}</option>)}
            </select>
          )}
        </Field>
        <Field label={form.labelled ? t.advice.objectsInstead : t.advice.objects}>
          {(field) => <input id={field} value={priced.objects} placeholder="3, 12, 7" onInput={(event) => onChange({ objects: event.currentTarget.value })} />}
        </Field>
        {priced.objects && number(t.advice.size, "size", { min: 0.001, max: 1, step: 0.01 })}
      </div>
    </section>
  );
}

const List = ({ words }: { readonly words: readonly string[] }) => <ul class="bullets">{words.map((line) => <li key={line}><Inline words={line} /></li>)}</ul>;

function Answered({ advice }: { readonly advice: Advice }) {
  const names = [[t.advice.packs, advice.packs], [t.advice.metrics, advice.metrics], [t.advice.models, advice.models]] as const;
  return (
    <>
      <section class="card" id="answer" aria-labelledby="label-type">
        <h2 id="label-type" class="big">{t.advice.label(advice.label_type)}</h2>
        <div><h3>{t.advice.because}</h3><List words={advice.reasons} /></div>
        <p>{t.advice.cannot(advice.cannot)}</p>
        {advice.also.length > 0 && <div><h3>{t.advice.also}</h3><List words={advice.also} /></div>}
        {advice.unknown.length > 0 && <p class="hint">{t.advice.unknown(advice.unknown.map((name) => name.replaceAll("_", " ")).join(", "))}</p>}
        <dl class="facts-list">
          {names.map(([words, found]) => <div key={words}><dt>{words}</dt><dd>{found.join(", ")}</dd></div>)}
          <div><dt>{t.advice.hardware}</dt><dd>{advice.hardware}</dd></div>
        </dl>
      </section>
      <section class="card">
        <h2>{t.advice.alternatives}</h2>
        <div class="two">
          {advice.alternatives.map(({ label_type, when, cannot }) => (
            <div key={label_type}><h3>{label_type}</h3><p>{when}</p><p class="hint">{t.advice.cannot(cannot)}</p></div>
          ))}
        </div>
      </section>
      {advice.costs.length ? <Costs advice={advice} /> : <section class="card"><h2>{t.advice.costs}</h2><p class="soft">{t.advice.noLoad}</p></section>}
      <Guide words={advice.guide} />
    </>
  );
}

function Costs({ advice }: { readonly advice: Advice }) {
  const advised = new Set(advice.advised);
  const main = advice.costs.find(({ mode }) => advised.has(mode)) ?? advice.costs[0];
  const money = t.advice.money;
  return (
    <section class="card">
      <h2>{t.advice.costs}</h2>
      <p class="hint">{t.advice.costsHint(advice.looked_at)} {advice.advised.length > 1 && t.advice.mixed(advice.label_type, advice.advised)}</p>
      <RangeChart
        label={t.advice.costs}
        rows={advice.costs.map((cost) => ({ name: cost.mode, low: cost.money[0], middle: cost.money[1], high: cost.money[2], words: money(cost.money[1]), strong: advised.has(cost.mode) }))}
      />
      <CostTable costs={advice.costs} advised={advised} />
      <h3>{t.advice.drivers(main.mode)}</h3>
      <RangeChart
        label={t.advice.drivers(main.mode)}
        rows={main.drivers.map(({ name, low, high }) => ({ name: t.advice.driverNames[name] ?? name, low, high, middle: main.money[1], words: `${money(low)} – ${money(high)}` }))}
      />
    </section>
  );
}

const CostTable = ({ costs, advised }: { readonly costs: readonly Cost[]; readonly advised: ReadonlySet<string> }) => (
  <div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">{t.advice.mode}</th>
          {["P10", "P50", "P90"].map((tail) => <th key={tail} scope="col" class="number">{t.advice.hours(tail)}</th>)}
          {["P10", "P50", "P90"].map((tail) => <th key={tail} scope="col" class="number">{t.advice.moneyOf(tail)}</th>)}
          <th scope="col">{t.advice.source}</th>
        </tr>
      </thead>
      <tbody>
        {costs.map(({ mode, hours, money, source }) => (
          <tr key={mode}>
            <th scope="row">{mode}{advised.has(mode) && <span class="chip accepted">{t.advice.advised}</span>}</th>
            {hours.map((value, i) => <td key={i} class="number">{value.toLocaleString("en", { maximumFractionDigits: 1 })}</td>)}
            {money.map((value, i) => <td key={i} class="number">{t.advice.money(value)}</td>)}
            <td class="soft">{source}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

/** The guide as it is written: Markdown, to read, copy or keep as a file. */
function Guide({ words }: { readonly words: string }) {
  const keep = (): void => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([words], { type: "text/markdown" }));
    link.download = "guide.md";
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const copy = (): void => void attempt(async () => { await navigator.clipboard.writeText(words); tell(t.members.copied); });
  return (
    <section class="card">
      <div class="heading">
        <h2 class="grow">{t.advice.guide}</h2>
        <Button icon="copy" onClick={copy}>{t.advice.copyGuide}</Button>
        <Button icon="down" onClick={keep}>{t.advice.keepGuide}</Button>
      </div>
      <p class="hint">{t.advice.guideHint}</p>
      <div class="guide" tabIndex={0} role="document" aria-label={t.advice.guide}><Marked words={words} /></div>
    </section>
  );
}
