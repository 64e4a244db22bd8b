/** Settings of the project, for its owners, and one's own. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import { attempt, Button, Choice, Field, tell, Tick } from "../panels/ui.tsx";
import type { ProjectChange } from "../schema.d.ts";
import { owns, project } from "../state/project.ts";
import { preferences, setPreferences, setView, view } from "../state/settings.ts";
import { t } from "../texts.ts";
import { Shell, useTitle } from "./shell.tsx";

export function SettingsPage({ project: id }: { readonly project: number }) {
  useTitle(t.settings.title);
  return (
    <Shell>
      <div class="heading"><h1>{t.settings.title}</h1></div>
      <section class="card narrow">
        <h2>{t.settings.yours}</h2>
        <div class="row">
          <span class="grow">{t.view.theme}</span>
          <Choice
            label={t.view.theme} value={preferences.value.theme} onChange={(theme) => setPreferences({ theme })}
            options={{ system: t.view.system, dark: t.view.dark, light: t.view.light }}
          />
        </div>
        <div class="row">
          <span class="grow">{t.view.colours}</span>
          <Choice
            label={t.view.colours} value={view.value.colours} onChange={(colours) => setView({ colours })}
            options={{ class: t.view.byClass, instance: t.view.byInstance, safe: t.view.safe }}
          />
        </div>
        <label class="row">
          <span class="grow">{t.settings.idle}</span>
          <input
            type="number" min={5} max={300} value={preferences.value.idleSeconds}
            onChange={(event) => setPreferences({ idleSeconds: Math.min(300, Math.max(5, event.currentTarget.valueAsNumber || 30)) })}
          />
          {t.settings.seconds}
        </label>
      </section>
      {owns.value && <ProjectSettings id={id} />}
    </Shell>
  );
}

function ProjectSettings({ id }: { readonly id: number }) {
  const now = project.value;
  const [changed, setChanged] = useState<ProjectChange>({});
  const [packs, setPacks] = useState<readonly string[]>([]);
  useEffect(() => void attempt(async () => setPacks(await call("GET /api/packs", {}))), []);
  if (!now) return null;
  const wanted = { ...now, ...changed };
  const set = (part: ProjectChange): void => setChanged({ ...changed, ...part });
  const save = (): Promise<unknown> =>
    attempt(async () => {
      project.value = await call("PATCH /api/projects/{project_id}", { project_id: id }, { body: changed });
      setChanged({});
      tell(t.settings.saved);
    });
  const number = (label: string, name: "consensus" | "honeypots" | "rate", rest: { min: number; max: number; step: number }, hint?: string) => (
    <Field label={label} hint={hint}>
      {(field) => (
        <input
          id={field} type="number" value={wanted[name] ?? 0} {...rest}
          onInput={(event) => Number.isFinite(event.currentTarget.valueAsNumber) && set({ [name]: event.currentTarget.valueAsNumber })}
        />
      )}
    </Field>
  );
  const toggle = <T,>(list: readonly T[], value: T, on: boolean): T[] => (on ? [...list, value] : list.filter((other) => other !== value));
  return (
    <section class="card narrow">
      <h2>{t.settings.project}</h2>
      <Field label={t.settings.name}>
        {(field) => <input id={field} value={wanted.name ?? ""} maxLength={120} onInput={(event) => set({ name: event.currentTarget.value })} />}
      </Field>
      <Tick label={t.settings.strict} hint={t.settings.strictHint} checked={!!wanted.strict} onChange={(strict) => set({ strict })} />
      {number(t.settings.consensus, "consensus", { min: 1, max: 9, step: 1 }, t.settings.consensusHint)}
      {number(t.settings.honeypots, "honeypots", { min: 0, max: 0.5, step: 0.01 }, t.settings.honeypotsHint)}
      {number(t.settings.rate, "rate", { min: 0, max: 100_000, step: 0.5 })}
      <fieldset class="row" style={{ border: 0, padding: 0, margin: 0 }}>
        <legend class="hint">{t.settings.packs}</legend>
        {packs.map((pack) => (
          <Tick key={pack} label={pack} checked={!!wanted.packs?.includes(pack)} onChange={(on) => set({ packs: toggle(wanted.packs ?? [], pack, on) })} />
        ))}
      </fieldset>
      <Field label={t.settings.rules} hint={t.settings.rulesHint}>
        {(field) => (
          <textarea
            id={field} rows={6} spellcheck={false} style={{ fontFamily: "var(--mono)" }} value={wanted.rules ?? ""}
            onInput={(event) => set({ rules: event.currentTarget.value })}
          />
        )}
      </Field>
      <div class="actions">
        <Button kind="primary" disabled={!Object.keys(changed).length} onClick={() => void save()}>{t.save}</Button>
      </div>
    </section>
  );
}
