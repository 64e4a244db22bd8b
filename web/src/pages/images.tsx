/** The images of a project: searched, filtered, assigned. */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { address, call } from "../api.ts";
import { Icon } from "../panels/icons.tsx";
import { attempt, Bar, Button, Field, tell } from "../panels/ui.tsx";
import { StateBar } from "../charts/states.tsx";
import type { BrokenRule, ImagePage, ImageRow } from "../schema.d.ts";
import { labelNext, pageOf } from "../state/next.ts";
import { classTable, loadProject, members, onEvent, owns, project, reviews } from "../state/project.ts";
import { duration, percent, t } from "../texts.ts";
import { type State, STATES } from "../words.ts";
import { Shell, useTitle } from "./shell.tsx";

interface Filters {
  readonly q?: string;
  readonly state?: State;
  readonly class_id?: number;
  readonly tag?: string;
  readonly finding?: string;
  readonly person?: number;
}

const PAGE = 100;
/** Outlives the page, so that one comes back from an image to the same list. */
const filters = signal<Filters>({});

export function ImagesPage({ project: id }: { readonly project: number }) {
  const [page, setPage] = useState<ImagePage | null>(null);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const wanted = filters.value;
  useTitle(project.value?.name ?? t.images.title);
  useEffect(() => {
    const stop = new AbortController();
    const load = (): void => {
      call("GET /api/projects/{project_id}/images", { project_id: id }, { query: { ...wanted, limit: PAGE }, signal: stop.signal })
        .then(setPage)
        .catch((error: unknown) => !stop.signal.aborted && tell(String(error), { bad: true }));
    };
    let timer = window.setTimeout(load, 120);
    const again = (): void => {
      clearTimeout(timer);
      timer = window.setTimeout(load, 500);
    };
    const end = onEvent((event) => (event === null || event.kind !== "classes") && again());
    return () => {
      stop.abort();
      clearTimeout(timer);
      end();
    };
  }, [id, wanted]);
  const more = (): Promise<unknown> =>
    attempt(async () => {
      const next = await call(
        "GET /api/projects/{project_id}/images", { project_id: id }, { query: { ...wanted, limit: PAGE, after: page?.next } },
      );
      setPage({ ...next, images: [...(page?.images ?? []), ...next.images] });
    });
  return (
    <Shell>
      <div class="heading">
        <h1>{project.value?.name}</h1>
        {owns.value && <Button onClick={() => void rescan(id)}>{t.images.rescan}</Button>}
        <Button kind="primary" onClick={() => void labelNext(id)}>{t.images.next}</Button>
      </div>
      {project.value && <StateBar states={project.value.states} total={project.value.images} legend />}
      <FilterBar project={id} />
      <div class="row">
        <span class="soft" aria-live="polite">{page ? t.images.total(page.total) : t.loading}{page?.scanning ? `, ${t.projects.scanning}` : ""}</span>
        {reviews.value && chosen.size > 0 && <Assign project={id} chosen={chosen} onDone={() => setChosen(new Set())} />}
      </div>
      {page && page.images.length > 0 && (
        <div class="card table">
          <ImageTable project={id} images={page.images} chosen={chosen} onChoose={setChosen} />
        </div>
      )}
      {page && !page.images.length && <p class="soft">{page.total || Object.keys(wanted).length ? t.images.none : t.images.empty}</p>}
      {page?.next && <div class="row"><Button onClick={() => void more()}>{t.images.moreImages}</Button></div>}
    </Shell>
  );
}

const rescan = (id: number): Promise<unknown> =>
  attempt(async () => {
    await call("POST /api/projects/{project_id}/scan", { project_id: id });
    await loadProject(id);
  });

function FilterBar({ project: id }: { readonly project: number }) {
  const now = filters.value;
  const [broken, setBroken] = useState<readonly BrokenRule[]>([]);
  const look = (): Promise<unknown> =>
    attempt(async () => setBroken(await call("GET /api/projects/{project_id}/broken-rules", { project_id: id })));
  const set = (part: Filters): void => {
    const next = Object.entries({ ...now, ...part }).filter(([, value]) => value !== undefined && value !== "");
    filters.value = Object.fromEntries(next) as Filters;
  };
  const pick = (label: string, name: keyof Filters, options: readonly (readonly [string | number, string])[], numeric = false) => (
    <Field label={label}>
      {(id) => (
        <select
          id={id} value={now[name] ?? ""}
          onChange={({ currentTarget: { value } }) => set({ [name]: value === "" ? undefined : numeric ? Number(value) : value })}
        >
          <option value="">{t.all}</option>
          {options.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
        </select>
      )}
    </Field>
  );
  const text = (label: string, name: "q" | "tag" | "finding") => (
    <Field label={label}>
      {(id) => (
        <input
          id={id} type="search" value={now[name] ?? ""} maxLength={120} {...(name === "finding" && { list: "finding-words", onFocus: look })}
          onInput={(event) => set({ [name]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      {text(t.images.search, "q")}
      {pick(t.images.state, "state", STATES.map((state) => [state, t.states[state]]))}
      {pick(t.images.className, "class_id", classTable.value.classes.map((row) => [row.class_id ?? 0, row.name]), true)}
      {text(t.images.tag, "tag")}
      {text(t.images.finding, "finding")}
      <datalist id="finding-words">
        <option value="any">{t.images.anyFinding}</option>
        {broken.map(({ rule, images }) => <option key={rule} value={rule}>{t.images.total(images)}</option>)}
      </datalist>
      {members.value.length > 1 && pick(t.images.person, "person", members.value.map(({ user_id, name }) => [user_id, name]), true)}
      {Object.keys(now).length > 0 && <Button kind="quiet" onClick={() => (filters.value = {})}>{t.images.clear}</Button>}
    </form>
  );
}

function Assign({ project: id, chosen, onDone }: { readonly project: number; readonly chosen: ReadonlySet<number>; readonly onDone: () => void }) {
  const assign = (value: string): Promise<unknown> =>
    attempt(async () => {
      const body = { images: [...chosen], user_id: value === "0" ? null : Number(value) };
      await call("POST /api/projects/{project_id}/assign", { project_id: id }, { body });
      tell(t.images.assigned(chosen.size));
      filters.value = { ...filters.peek() };
      onDone();
    });
  return (
    <label class="row right">
      {t.images.assign}
      <select value="" onChange={(event) => void assign(event.currentTarget.value)}>
        <option value="" disabled>…</option>
        <option value="0">{t.anybody}</option>
        {members.value.map(({ user_id, name }) => <option key={user_id} value={user_id}>{name}</option>)}
      </select>
    </label>
  );
}

function ImageTable({ project: id, images, chosen, onChoose }: {
  readonly project: number;
  readonly images: readonly ImageRow[];
  readonly chosen: ReadonlySet<number>;
  readonly onChoose: (chosen: ReadonlySet<number>) => void;
}) {
  const choose = (image: number, on: boolean): void => {
    const next = new Set(chosen);
    if (on) next.add(image);
    else next.delete(image);
    onChoose(next);
  };
  const all = images.every(({ image_id }) => chosen.has(image_id));
  return (
    <table>
      <thead>
        <tr>
          {reviews.value && (
            <th scope="col">
              <input
                type="checkbox" aria-label={t.images.selectAll} checked={all}
                onChange={() => onChoose(all ? new Set() : new Set(images.map(({ image_id }) => image_id)))}
              />
            </th>
          )}
          <th scope="col"><span class="hush">{t.adjust.title}</span></th>
          <th scope="col">{t.images.name}</th>
          <th scope="col">{t.images.state}</th>
          <th scope="col" class="number">{t.images.segments}</th>
          <th scope="col" class="number">{t.images.findings}</th>
          <th scope="col">{t.images.coverage}</th>
          <th scope="col">{t.images.assignee}</th>
          <th scope="col" class="number">{t.images.time}</th>
        </tr>
      </thead>
      <tbody>
        {images.map((row) => (
          <Row key={row.image_id} project={id} row={row} chosen={chosen.has(row.image_id)} onChoose={(on) => choose(row.image_id, on)} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ project: id, row, chosen, onChoose }: {
  readonly project: number;
  readonly row: ImageRow;
  readonly chosen: boolean;
  readonly onChoose: (on: boolean) => void;
}) {
  const special = { "": "", truth: t.images.truth, copy: t.images.copy }[row.role];
  return (
    <tr>
      {reviews.value && (
        <td>
          <input
            type="checkbox" aria-label={`${t.images.select} ${row.name}`} checked={chosen}
            onChange={(event) => onChoose(event.currentTarget.checked)}
          />
        </td>
      )}
      <td class="thumbs">
        <img class="thumb" src={address("/api/images/{i}/pixels", { i: row.image_id }, { side: 128 })} alt="" loading="lazy" />
      </td>
      <td>
        <a href={pageOf(id, row.image_id)}>{row.name}</a>{" "}
        {special && <span class="chip">{special}</span>}
        {row.locked_by && <span class="chip" title={t.images.locked(row.locked_by.name)}><Icon name="brush" />{row.locked_by.name}</span>}
        {row.comments > 0 && <span class="chip" title={t.images.comments(row.comments)}><Icon name="comment" />{row.comments}</span>}
      </td>
      <td><span class={`chip ${row.state}`}>{t.states[row.state]}</span></td>
      <td class="number">{row.segments}{row.proposed > 0 && <span class="soft"> +{row.proposed} {t.layers.proposed}</span>}</td>
      <td class="number">{row.findings === null ? <span class="soft" title={t.images.notLooked}>–</span> : row.findings}</td>
      <td class="share"><Bar share={row.coverage} label={t.coverage.labelled(row.coverage)} /> <span class="soft number">{percent(row.coverage, 0)}</span></td>
      <td>{row.assignee?.name ?? <span class="soft">{t.anybody}</span>}</td>
      <td class="number">{row.seconds ? duration(row.seconds) : "–"}</td>
    </tr>
  );
}
