/** Splitting a class: its segments with a tag get a new class. */
import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { attempt, Bar, Button, Dialog, Field, tell } from "../panels/ui.tsx";
import type { ClassRow, SegmentPlace } from "../schema.d.ts";
import { classTable } from "../state/project.ts";
import { t } from "../texts.ts";
import { freshClass } from "../state/classes.ts";

/** The segments of a class that have a tag, in all images of a project. */
export async function segmentsWith(project: number, classId: number, tag: string, told: (done: number, total: number) => void): Promise<SegmentPlace[]> {
  const found: SegmentPlace[] = [];
  let after: string | null | undefined;
  let done = 0;
  do {
    const page = await call(
      "GET /api/projects/{project_id}/images", { project_id: project }, { query: { class_id: classId, tag, limit: 100, after } },
    );
    for (const { image_id } of page.images) {
      const { segments } = await call("GET /api/images/{image_id}/document", { image_id });
      for (const { key, class_id, tags } of segments)
        if (class_id === classId && tags?.includes(tag)) found.push({ image_id, key });
      told(++done, page.total);
    }
    after = page.next;
  } while (after);
  return found;
}

export function SplitDialog({ project, row, onClose }: { readonly project: number; readonly row: ClassRow; readonly onClose: () => void }) {
  const [name, setName] = useState("");
  const [tag, setTag] = useState("");
  const [share, setShare] = useState<number | null>(null);
  const split = (): Promise<unknown> =>
    attempt(async () => {
      const classId = row.class_id ?? 0;
      const segments = await segmentsWith(project, classId, tag, (done, total) => setShare(done / total));
      setShare(null);
      if (!segments.length) return tell(t.classes.noneToSplit, { bad: true });
      const { kind, parent } = row;
      const fresh: ClassRow = { ...freshClass(name, classTable.peek().classes.length, kind), parent, new: row.new };
      await call("POST /api/projects/{project_id}/classes/split", { project_id: project }, { body: { class_id: classId, into: [{ row: fresh, segments }] } });
      tell(t.classes.started);
      onClose();
    });
  return (
    <Dialog title={t.classes.split} onClose={onClose}>
      <p>{t.classes.splitHow(row.name)}</p>
      <Field label={t.classes.splitTag}>
        {(id) => <input id={id} value={tag} maxLength={60} onInput={(event) => setTag(event.currentTarget.value)} />}
      </Field>
      <Field label={t.classes.splitName}>
        {(id) => <input id={id} value={name} maxLength={120} onInput={(event) => setName(event.currentTarget.value)} />}
      </Field>
      {share !== null && <Bar share={share} label={t.loading} />}
      <div class="actions">
        <Button onClick={onClose}>{t.cancel}</Button>
        <Button kind="primary" disabled={!name || !tag || share !== null} onClick={() => void split()}>{t.classes.split}</Button>
      </div>
    </Dialog>
  );
}
