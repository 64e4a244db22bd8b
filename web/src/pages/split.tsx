/** Splitting a class: its segments with a tag, or of some size, get a new class. */
import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { stringToRuns } from "../core/masks.ts";
import { attempt, Bar, Button, Choice, Dialog, Field, tell } from "../panels/ui.tsx";
import type { ClassRow, Segment, SegmentPlace } from "../schema.d.ts";
import { freshClass } from "../state/classes.ts";
import { classTable } from "../state/project.ts";
import { t } from "../texts.ts";

/** Which segments of a class are meant. */
interface Wanted {
  /** Only images that have this tag somewhere are looked at. */
  readonly tag?: string;
  readonly fits: (segment: Segment) => boolean;
}

/** The segments of a class that are meant, in all images of a project. */
async function find(project: number, classId: number, { tag, fits }: Wanted, told: (share: number) => void): Promise<SegmentPlace[]> {
  const found: SegmentPlace[] = [];
  let after: string | null | undefined;
  let done = 0;
  do {
    const page = await call(
      "GET /api/projects/{project_id}/images", { project_id: project }, { query: { class_id: classId, tag, limit: 100, after } },
    );
    for (const { image_id } of page.images) {
      const { segments } = await call("GET /api/images/{image_id}/document", { image_id });
      for (const segment of segments) if (segment.class_id === classId && fits(segment)) found.push({ image_id, key: segment.key });
      told(++done / page.total);
    }
    after = page.next;
  } while (after);
  return found;
}

/** Pixels that are seen of a segment. */
const area = ({ visible }: Segment): number => (visible ? stringToRuns(visible.runs).reduce((sum, run, i) => sum + (i % 2 ? run : 0), 0) : 0);

type By = "tag" | "smaller" | "larger";

function wantedBy(by: By, tag: string, pixels: number): Wanted {
  if (by === "tag") return { tag, fits: ({ tags }) => !!tags?.includes(tag) };
  return { fits: (segment) => (by === "smaller" ? area(segment) < pixels : area(segment) >= pixels) };
}

export function SplitDialog({ project, row, onClose }: { readonly project: number; readonly row: ClassRow; readonly onClose: () => void }) {
  const [name, setName] = useState("");
  const [by, setBy] = useState<By>("tag");
  const [tag, setTag] = useState("");
  const [pixels, setPixels] = useState(100);
  const [share, setShare] = useState<number | null>(null);
  const [seen, setSeen] = useState<string | null>(null);
  const classId = row.class_id ?? 0;
  const look = async (): Promise<SegmentPlace[]> => {
    try {
      return await find(project, classId, wantedBy(by, tag, pixels), setShare);
    } finally {
      setShare(null);
    }
  };
  const preview = (): Promise<unknown> =>
    attempt(async () => {
      const segments = await look();
      setSeen(t.classes.splitSeen(segments.length, new Set(segments.map(({ image_id }) => image_id)).size, row.segments ?? 0));
    });
  const split = (): Promise<unknown> =>
    attempt(async () => {
      const segments = await look();
      if (!segments.length) return tell(by === "tag" ? t.classes.noneToSplit : t.classes.noneOfSize, { bad: true });
      const { kind, parent } = row;
      const fresh: ClassRow = { ...freshClass(name, classTable.peek().classes.length, kind), parent, new: row.new };
      await call("POST /api/projects/{project_id}/classes/split", { project_id: project }, { body: { class_id: classId, into: [{ row: fresh, segments }] } });
      tell(t.classes.started);
      onClose();
    });
  const changed = <T,>(set: (value: T) => void) => (value: T): void => {
    set(value);
    setSeen(null);
  };
  const ready = (by !== "tag" || !!tag) && share === null;
  return (
    <Dialog title={t.classes.split} onClose={onClose}>
      <p>{t.classes.splitHow(row.name)}</p>
      <Choice label={t.classes.splitBy} value={by} options={t.classes.splitWays} onChange={changed(setBy)} />
      {by === "tag" ? (
        <Field label={t.classes.splitTag}>
          {(id) => <input id={id} value={tag} maxLength={60} onInput={(event) => changed(setTag)(event.currentTarget.value)} />}
        </Field>
      ) : (
        <Field label={t.classes.splitArea}>
          {(id) => <input id={id} type="number" min={1} value={pixels} onInput={(event) => event.currentTarget.valueAsNumber > 0 && changed(setPixels)(event.currentTarget.valueAsNumber)} />}
        </Field>
      )}
      <Field label={t.classes.splitName}>
        {(id) => <input id={id} value={name} maxLength={120} onInput={(event) => setName(event.currentTarget.value)} />}
      </Field>
      {share !== null && <Bar share={share} label={t.loading} />}
      {seen && <p role="status">{seen}</p>}
      <div class="actions">
        <Button onClick={onClose}>{t.cancel}</Button>
        <Button disabled={!ready} onClick={() => void preview()}>{t.classes.splitPreview}</Button>
        <Button kind="primary" disabled={!name || !ready} onClick={() => void split()}>{t.classes.split}</Button>
      </div>
    </Dialog>
  );
}
