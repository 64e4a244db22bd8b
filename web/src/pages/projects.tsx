/** The projects one is a member of, and making a new one. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import { attempt, Button, Dialog, Field } from "../panels/ui.tsx";
import { go } from "../router.ts";
import type { Image, Project } from "../schema.d.ts";
import { journal } from "../saving/journal.ts";
import { labelNext, pageOf } from "../state/next.ts";
import { closeProject } from "../state/project.ts";
import { session } from "../state/session.ts";
import { t } from "../texts.ts";
import { StateBar } from "../charts/states.tsx";
import { Shell, useTitle } from "./shell.tsx";

export function ProjectsPage() {
  const [projects, setProjects] = useState<readonly Project[] | null>(null);
  const [creating, setCreating] = useState(false);
  useTitle(t.projects.title);
  useEffect(() => {
    closeProject();
    void attempt(async () => setProjects(await call("GET /api/projects", {})));
  }, []);
  return (
    <Shell>
      <div class="heading">
        <h1>{t.projects.title}</h1>
        {session.value?.admin && <Button icon="plus" kind="primary" onClick={() => setCreating(true)}>{t.projects.create}</Button>}
      </div>
      {projects === null && <p class="soft">{t.loading}</p>}
      {projects?.length === 0 && <p class="soft">{t.projects.none}</p>}
      <Unsaved />
      <div class="grid">{projects?.map((project) => <ProjectCard key={project.project_id} project={project} />)}</div>
      {creating && <NewProject onClose={() => setCreating(false)} />}
    </Shell>
  );
}

/** Images of which this browser still keeps gestures that no server has: opening one saves them. */
function Unsaved() {
  const [rows, setRows] = useState<readonly Image[]>([]);
  const user = session.value?.user.user_id;
  useEffect(() => {
    if (user === undefined) return;
    void journal.then(async (kept) => {
      const found = await Promise.all((await kept.images(user)).map((image_id) => call("GET /api/images/{image_id}", { image_id }).catch(() => null)));
      setRows(found.filter((one) => one !== null));
    });
  }, [user]);
  if (!rows.length) return null;
  return (
    <section class="card">
      <h2>{t.projects.waiting}</h2>
      <p class="hint">{t.projects.waitingHint}</p>
      <p class="row">{rows.map(({ image_id, project_id, name }) => <a key={image_id} href={pageOf(project_id, image_id)}>{name}</a>)}</p>
    </section>
  );
}

const ProjectCard = ({ project }: { readonly project: Project }) => (
  <article class="card project">
    <div class="row">
      <h2 class="grow"><a href={`/projects/${project.project_id}`}>{project.name}</a></h2>
      <span class="chip">{t.roles[project.role]}</span>
    </div>
    <StateBar states={project.states} total={project.images} />
    <p class="hint">
      {t.projects.images(project.images)}
      {project.scanning ? `, ${t.projects.scanning}` : `, ${t.projects.done(project.states.accepted ?? 0, project.images)}`}
    </p>
    <div class="row">
      <Button kind="primary" onClick={() => void labelNext(project.project_id)}>{t.projects.label}</Button>
      <Button onClick={() => go(`/projects/${project.project_id}`)}>{t.projects.open}</Button>
    </div>
  </article>
);

function NewProject({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState("");
  const [folder, setFolder] = useState("");
  const create = (): Promise<unknown> =>
    attempt(async () => go(`/projects/${(await call("POST /api/projects", {}, { body: { name, folder } })).project_id}`));
  return (
    <Dialog title={t.projects.create} onClose={onClose}>
      <Field label={t.projects.name}>
        {(id) => <input id={id} value={name} maxLength={120} autofocus onInput={(event) => setName(event.currentTarget.value)} />}
      </Field>
      <Field label={t.projects.folder} hint={t.projects.folderHint}>
        {(id) => <input id={id} value={folder} onInput={(event) => setFolder(event.currentTarget.value)} />}
      </Field>
      <div class="actions">
        <Button onClick={onClose}>{t.cancel}</Button>
        <Button kind="primary" disabled={!name || !folder} onClick={() => void create()}>{t.projects.create}</Button>
      </div>
    </Dialog>
  );
}
