/** Comments on the image and its regions, and how far several people agree. */
import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { cover, type Box } from "../core/geometry.ts";
import type { Agreements, Comment } from "../schema.d.ts";
import type { Desk } from "../state/desk.ts";
import { bring } from "../state/edits.ts";
import { pageOf } from "../state/next.ts";
import { members, reviews } from "../state/project.ts";
import { moment, percent, t } from "../texts.ts";
import { attempt, Button, tell, Tick } from "./ui.tsx";

export function Review({ desk }: { readonly desk: Desk }) {
  return (
    <>
      <Write desk={desk} />
      {!desk.comments.value.length && <p class="pad soft">{t.review.none}</p>}
      {desk.comments.value.toReversed().map((comment) => <Row key={comment.comment_id} desk={desk} comment={comment} />)}
      {reviews.value && <Agreement desk={desk} />}
    </>
  );
}

function Write({ desk }: { readonly desk: Desk }) {
  const [text, setText] = useState("");
  const [placed, setPlaced] = useState(true);
  void desk.ticks.selection.value;
  const { editor } = desk;
  const send = (): Promise<unknown> =>
    attempt(async () => {
      const box = editor.selection.map((key) => editor.document.box(key)).reduce<Box | null>((all, one) => cover(all, one), null);
      const place = box ?? editor.viewport.seen;
      await call("POST /api/images/{image_id}/comments", { image_id: desk.id }, { body: { text, box: placed ? place : null } });
      setText("");
      await desk.loadComments();
    });
  return (
    <div class="pad">
      <textarea rows={2} aria-label={t.review.write} placeholder={t.review.write} value={text} maxLength={4000} onInput={(event) => setText(event.currentTarget.value)} />
      <div class="row">
        <span class="grow"><Tick label={editor.selection.length ? t.review.selected : t.review.region} checked={placed} onChange={setPlaced} /></span>
        <Button kind="primary" disabled={!text.trim()} onClick={() => void send()}>{t.review.send}</Button>
      </div>
    </div>
  );
}

function Row({ desk, comment }: { readonly desk: Desk; readonly comment: Comment }) {
  const { text, author, at, box, resolved } = comment;
  const resolve = (): Promise<unknown> =>
    attempt(async () => {
      await call("PATCH /api/comments/{comment_id}", { comment_id: comment.comment_id }, { body: { resolved: !resolved } });
      await desk.loadComments();
    });
  return (
    <article class="finding">
      <div class="row">
        <strong>{author}</strong>
        <span class="soft grow">{moment(at)}</span>
        {resolved && <span class="chip accepted">{t.review.resolved}</span>}
      </div>
      <p class={resolved ? "soft" : ""}>{text}</p>
      <div class="row">
        {box && <Button icon="search" onClick={() => bring(desk.editor, box)}>{t.review.jump}</Button>}
        <Button onClick={() => void resolve()}>{resolved ? t.review.reopen : t.review.resolve}</Button>
      </div>
    </article>
  );
}

function Agreement({ desk }: { readonly desk: Desk }) {
  const [found, setFound] = useState<Agreements | null>(null);
  const [people, setPeople] = useState<readonly number[]>([]);
  const place = { image_id: desk.id };
  const compare = (): Promise<unknown> => attempt(async () => setFound(await call("GET /api/images/{image_id}/agreement", place)));
  const give = (): Promise<unknown> =>
    attempt(async () => {
      await call("POST /api/images/{image_id}/copies", place, { body: { people } });
      await compare();
    });
  const makeTruth = (): Promise<unknown> =>
    attempt(async () => {
      await call("POST /api/images/{image_id}/copies", place, { body: { truth: true } });
      tell(t.review.madeTruth);
    });
  const take = (copy: number): Promise<unknown> =>
    attempt(async () => {
      await call("POST /api/images/{image_id}/take/{copy_id}", { ...place, copy_id: copy });
      tell(t.review.taken);
    });
  return (
    <details class="pad">
      <summary>{t.review.agreement}</summary>
      <p class="hint">{t.review.agreementHint}</p>
      <div class="row"><Button onClick={() => void compare()}>{t.review.compare}</Button><Button onClick={() => void makeTruth()}>{t.review.makeTruth}</Button></div>
      {found && !found.pairs.length && <p class="soft">{t.review.noCopies}</p>}
      {found && found.pairs.length > 0 && (
        <table>
          <thead><tr><th scope="col">{t.review.versions}</th><th scope="col" class="number">IoU</th><th scope="col" class="number">PQ</th></tr></thead>
          <tbody>
            {found.pairs.map(({ first, second, iou, pq }) => (
              <tr key={`${first}-${second}`}><td>{first} – {second}</td><td class="number">{iou === null ? "–" : percent(iou)}</td><td class="number">{pq === null ? "–" : percent(pq)}</td></tr>
            ))}
          </tbody>
        </table>
      )}
      {found?.versions.filter(({ role }) => role === "copy").map((version) => (
        <div class="row" key={version.image_id}>
          <a class="grow" href={pageOf(desk.image.value.project_id, version.image_id)}>{version.assignee?.name ?? version.name}</a>
          <Button onClick={() => void take(version.image_id)}>{t.review.take}</Button>
        </div>
      ))}
      <p class="hint">{t.review.copies}</p>
      {members.value.map(({ user_id, name }) => (
        <Tick
          key={user_id} label={name} checked={people.includes(user_id)}
          onChange={(on) => setPeople(on ? [...people, user_id] : people.filter((other) => other !== user_id))}
        />
      ))}
      <div class="actions"><Button disabled={!people.length} onClick={() => void give()}>{t.review.give}</Button></div>
    </details>
  );
}
