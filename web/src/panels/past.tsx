/** The image as it was at a revision, over the canvas; it can be brought back. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { call } from "../api.ts";
import { Document } from "../core/document.ts";
import { Editor } from "../core/editor.ts";
import type { DocumentJson } from "../core/gesture.ts";
import type { Desk } from "../state/desk.ts";
import { t } from "../texts.ts";
import { TOOLS } from "../tools/index.ts";
import { Canvas, usePicture } from "./stage.tsx";
import { attempt, Button, tell } from "./ui.tsx";

export function Past({ desk, revision, onLeave }: { readonly desk: Desk; readonly revision: number; readonly onLeave: () => void }) {
  const [json, setJson] = useState<DocumentJson | null>(null);
  const picture = usePicture(desk.id);
  useEffect(() => {
    setJson(null);
    void attempt(async () => {
      setJson((await call("GET /api/images/{image_id}/document", { image_id: desk.id }, { query: { revision } })) as DocumentJson);
    });
  }, [desk, revision]);
  const editor = useMemo(() => {
    if (!json) return null;
    const past = new Editor(Document.load(json), desk.editor.classes, { pan: TOOLS.pan });
    past.look(desk.editor.view);
    past.use("pan");
    return past;
  }, [json]);
  const restore = (): Promise<unknown> =>
    attempt(async () => {
      await desk.queue.idle();
      const done = await call("POST /api/images/{image_id}/restore", { image_id: desk.id }, { body: { revision }, revision: desk.queue.revision });
      desk.queue.heard(done.revision);
      tell(t.history.restored);
      onLeave();
    });
  return (
    <>
      {editor && <Canvas key={revision} editor={editor} picture={picture} label={t.history.looking(revision)} />}
      <div class="over" role="status">
        <strong>{t.history.looking(revision)}</strong>
        <Button kind="primary" onClick={() => void restore()}>{t.history.restore}</Button>
        <Button onClick={onLeave}>{t.history.leave}</Button>
      </div>
    </>
  );
}
