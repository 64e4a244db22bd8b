/** The bar above the canvas: where one is, whether all is saved, what comes next. */
import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { shown } from "../state/commands.ts";
import type { Page } from "../state/commands.ts";
import type { Desk } from "../state/desk.ts";
import { pageOf } from "../state/next.ts";
import { reviews } from "../state/project.ts";
import { t } from "../texts.ts";
import type { State } from "../words.ts";
import { attempt, Button, Dialog, Field } from "./ui.tsx";

export function TopBar({ desk, page }: { readonly desk: Desk; readonly page: Page }) {
  const image = desk.image.value;
  const [returning, setReturning] = useState(false);
  const lock = desk.lock.value;
  const set = (state: State, comment = ""): Promise<unknown> =>
    attempt(async () => {
      await desk.queue.idle();
      await call("POST /api/images/{image_id}/state", { image_id: desk.id }, { body: { state, comment } });
      await desk.loadImage();
    });
  const submitted = image.state === "submitted" || image.state === "accepted";
  return (
    <header class="top">
      <div class="place">
        <a class="brand" href="/" aria-label={t.toProjects}><img src="/icon.svg" alt="" /></a>
        <a href={`/projects/${image.project_id}`}>{t.label.back}</a>
        <span class="soft">/</span>
        <h1 title={image.name}>{image.name}</h1>
        <Button icon="left" kind="quiet" title={t.label.previous} keys="PageUp" disabled={image.previous === null} onClick={() => page.open(image.previous)} />
        <Button icon="right" kind="quiet" title={t.label.next} keys="PageDown" disabled={image.next === null} onClick={() => page.open(image.next)} />
      </div>
      <span class={`chip ${image.state}`}>{t.states[image.state]}</span>
      <Saved desk={desk} />
      {lock && !lock.mine && <span class="chip labelling" title={t.label.lockedBy(lock.locked_by.name)}>{t.images.locked(lock.locked_by.name)}</span>}
      <UndoRedo desk={desk} />
      <span class="right row">
        <Button icon="command" kind="quiet" title={t.commands.palette} keys="Ctrl+K" onClick={() => (shown.value = "palette")} />
        <Button icon="keyboard" kind="quiet" title={t.commands.sheet} keys="?" onClick={() => (shown.value = "sheet")} />
        {image.next_frame !== null && (image.group || image.frame !== null) && <Button title={t.commands.propagate} keys="Shift+P" onClick={page.propagate}>{t.label.propagate}</Button>}
        {image.next_frame !== null && (image.group || image.frame !== null) && <Button title={t.commands.follow} keys="Shift+F" onClick={page.follow}>{t.label.follow}</Button>}
        {reviews.value && submitted && <Button kind="danger" onClick={() => setReturning(true)}>{t.label.giveBack}</Button>}
        {reviews.value && image.state === "submitted" && <Button kind="primary" icon="check" onClick={() => void set("accepted")}>{t.label.accept}</Button>}
        {image.state === "accepted" && reviews.value && <Button onClick={() => void set("labelling")}>{t.label.reopen}</Button>}
        {!submitted && <Button kind="primary" title={t.commands.submit} keys="Ctrl+Enter" onClick={page.submit}>{t.label.submit}</Button>}
        {submitted && image.next !== null && <Button title={pageOf(image.project_id, image.next)} onClick={() => page.open(image.next)}>{t.label.next}</Button>}
      </span>
      {returning && <GiveBack onClose={() => setReturning(false)} onDone={(words) => void set("returned", words).then(() => desk.loadComments())} />}
    </header>
  );
}

function UndoRedo({ desk }: { readonly desk: Desk }) {
  void desk.ticks.history.value;
  const { editor } = desk;
  return (
    <span class="row">
      <Button icon="undo" kind="quiet" title={t.commands.undo} keys="Ctrl+Z" disabled={!editor.history.undoable} onClick={() => void editor.undo()} />
      <Button icon="redo" kind="quiet" title={t.commands.redo} keys="Ctrl+Shift+Z" disabled={!editor.history.redoable} onClick={() => void editor.redo()} />
    </span>
  );
}

/** Whether all is saved; what waits can be tried again at once. */
function Saved({ desk }: { readonly desk: Desk }) {
  const { status, waiting, words } = desk.saving.value;
  const said = {
    saved: t.label.saved, saving: t.label.saving(waiting), away: t.label.away(waiting), denied: `${t.label.denied}: ${words}`,
  }[status];
  return (
    <>
      <span class={`saved ${status}`} role="status" title={words || said}>{said}</span>
      {(status === "away" || status === "denied") && <Button onClick={() => desk.queue.retry()}>{t.label.retry}</Button>}
    </>
  );
}

function GiveBack({ onClose, onDone }: { readonly onClose: () => void; readonly onDone: (words: string) => void }) {
  const [words, setWords] = useState("");
  return (
    <Dialog title={t.label.giveBack} onClose={onClose}>
      <Field label={t.label.returnWhy}>
        {(id) => <textarea id={id} rows={4} autofocus value={words} maxLength={4000} onInput={(event) => setWords(event.currentTarget.value)} />}
      </Field>
      <div class="actions">
        <Button onClick={onClose}>{t.cancel}</Button>
        <Button kind="primary" onClick={() => { onDone(words); onClose(); }}>{t.label.giveBack}</Button>
      </div>
    </Dialog>
  );
}
