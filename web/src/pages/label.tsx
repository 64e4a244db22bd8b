/** The page on which images are labelled. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { call } from "../api.ts";
import { press } from "../core/commands.ts";
import { Adjust } from "../panels/adjust.tsx";
import { ClassList } from "../panels/classes.tsx";
import { Conflicts } from "../panels/conflicts.tsx";
import { Facts } from "../panels/facts.tsx";
import { Findings } from "../panels/findings.tsx";
import { Footer } from "../panels/footer.tsx";
import { HistoryList } from "../panels/history.tsx";
import { Layers } from "../panels/layers.tsx";
import { Palette, Sheet } from "../panels/palette.tsx";
import { Past } from "../panels/past.tsx";
import { Proposals } from "../panels/proposals.tsx";
import { Review } from "../panels/review.tsx";
import { Canvas, usePicture } from "../panels/stage.tsx";
import { Options, Toolbar } from "../panels/toolbar.tsx";
import { TopBar } from "../panels/topbar.tsx";
import { attempt, Tabs, tell } from "../panels/ui.tsx";
import { go } from "../router.ts";
import { journal } from "../saving/journal.ts";
import { loadAssistance } from "../state/assistance.ts";
import { commandsOf, isTyping, type Page, shown } from "../state/commands.ts";
import type { Engines } from "../schema.d.ts";
import { Desk, openDesk, whyNot } from "../state/desk.ts";
import { proposals } from "../state/edits.ts";
import { labelNext, pageOf } from "../state/next.ts";
import { classesKnown, classTable, onEvent } from "../state/project.ts";
import { session } from "../state/session.ts";
import { t } from "../texts.ts";
import { TOOLS } from "../tools/index.ts";
import { Failed, Plain, useTitle } from "./shell.tsx";

let lastTool = "brush";

export function LabelPage({ project, image }: { readonly project: number; readonly image: number }) {
  const [desk, setDesk] = useState<Desk | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const ready = classesKnown.value;
  const picture = usePicture(image);
  useEffect(() => {
    let open: Desk | null = null;
    let gone = false;
    const me = session.peek()?.user;
    if (!me || !ready) return;
    void (async () => {
      try {
        const found = await openDesk(image, { me, tools: TOOLS, journal: await journal });
        if (gone) return found.close();
        open = found;
        found.editor.use(lastTool);
        Object.assign(globalThis, { inlay: found });
        setDesk(found);
      } catch (error) {
        if (!gone) setFailed(new Error(whyNot(error)));
      }
    })();
    void loadAssistance(project).catch(() => undefined);
    const end = onEvent((event) => open?.heard(event));
    return () => {
      gone = true;
      end();
      if (open) lastTool = open.editor.toolName;
      open?.close();
    };
  }, [image, ready]);
  if (failed) return <Failed error={failed} />;
  if (!desk) return <Plain>{t.loading}</Plain>;
  return <OpenDesk key={image} desk={desk} project={project} picture={picture} />;
}

function OpenDesk({ desk, project, picture }: { readonly desk: Desk; readonly project: number; readonly picture: ReturnType<typeof usePicture> }) {
  const [past, setPast] = useState<number | null>(null);
  const [engines, setEngines] = useState<Engines | null>(null);
  const page = usePage(desk, project);
  const commands = useMemo(() => commandsOf(desk, page), [desk, desk.editor.classes, classTable.value]);
  useTitle(desk.image.value.name);
  useSayings(desk);
  useKeys(desk, commands);
  useEffect(() => void call("GET /api/engines", {}).then(setEngines).catch(() => undefined), []);
  return (
    <div class="desk">
      <TopBar desk={desk} page={page} />
      <Toolbar desk={desk} />
      <main class="middle" id="content">
        <Options desk={desk} engines={engines} />
        <div class="stage">
          <Canvas editor={desk.editor} picture={picture} label={t.label.canvas} />
          {past !== null && <Past desk={desk} revision={past} onLeave={() => setPast(null)} />}
        </div>
      </main>
      <Side desk={desk} onLook={setPast} />
      <Footer desk={desk} />
      {shown.value === "palette" && <Palette commands={commands} editor={desk.editor} />}
      {shown.value === "sheet" && <Sheet commands={commands} />}
    </div>
  );
}

/** What leads away from the image. */
function usePage(desk: Desk, project: number): Page {
  return useMemo(
    () => ({
      submit: () =>
        void attempt(async () => {
          await desk.queue.idle();
          await call("POST /api/images/{image_id}/state", { image_id: desk.id }, { body: { state: "submitted" } });
          tell(t.label.submitted);
          await labelNext(project);
        }),
      open: (image) => image !== null && go(pageOf(project, image)),
      propagate: () => void attempt(() => carry(desk, project, "propagate")),
      follow: () => void attempt(() => carry(desk, project, "follow")),
    }),
    [desk, project],
  );
}

/** Brings the selected segments, or all, to the next frame: as they are, or found again there. */
async function carry(desk: Desk, project: number, how: "propagate" | "follow"): Promise<void> {
  const to = desk.image.peek().next_frame;
  if (to === null) return tell(t.label.noNextFrame);
  await desk.queue.idle();
  if (how === "follow") tell(t.label.following);
  const { gesture } = await call(`POST /api/images/{image_id}/${how}`, { image_id: desk.id }, { body: { to, keys: [...desk.editor.selection] } });
  const { revision } = await call("GET /api/images/{image_id}/document", { image_id: to });
  await call("POST /api/images/{image_id}/gestures", { image_id: to }, { body: { gestures: [gesture] }, revision });
  tell((how === "follow" ? t.label.followedTo : t.label.propagated)(gesture.ops.filter(({ op }) => op === "create").length));
  go(pageOf(project, to));
}

/** Shows what the desk and its tools have to say. */
function useSayings(desk: Desk): void {
  useEffect(() => desk.said.subscribe((said) => said && tell(said.words, said)), [desk]);
}

/** Escape leaves a field for the canvas: from there every key is a command again. */
function leaveField({ key }: KeyboardEvent): void {
  if (key === "Escape") document.querySelector<HTMLElement>(".canvas")?.focus();
}

const OWN_KEYS = new Set(["Enter", " ", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"]);

function useKeys(desk: Desk, commands: ReturnType<typeof commandsOf>): void {
  const latest = useRef(commands);
  latest.current = commands;
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || shown.peek() || document.querySelector("dialog[open]")) return;
      if (isTyping(event.target)) return leaveField(event);
      const control = event.target instanceof Element && event.target.closest("button, input, a, summary, [role=tab]");
      if (control && OWN_KEYS.has(event.key)) return;
      if (press(desk.editor, latest.current, event)) event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [desk]);
}

type Tab = "segments" | "findings" | "proposals" | "review" | "history" | "adjust";

function Side({ desk, onLook }: { readonly desk: Desk; readonly onLook: (revision: number) => void }) {
  void desk.settledTick.value;
  const waiting = proposals(desk.editor).length;
  const [open, setOpen] = useState<Tab>(waiting ? "proposals" : "segments");
  useEffect(() => {
    if (waiting) setOpen("proposals");
  }, [waiting > 0]);
  const found = desk.findings.value?.findings ?? [];
  const comments = desk.comments.value.filter(({ resolved }) => !resolved).length;
  const tabs = [
    { name: "segments", words: t.layers.title, count: desk.editor.document.segments.length },
    { name: "findings", words: t.findings.title, count: found.length, bad: found.some(({ severity }) => severity === "error") },
    ...(waiting || open === "proposals" ? [{ name: "proposals", words: t.proposals.title, count: waiting } as const] : []),
    { name: "review", words: t.review.title, icon: "comment", count: comments, bad: true },
    { name: "history", words: t.history.title, icon: "history" },
    { name: "adjust", words: t.adjust.title, icon: "settings" },
  ] as const;
  return (
    <aside class="side">
      <Conflicts desk={desk} />
      <ClassList desk={desk} />
      <Facts desk={desk} />
      <Tabs<Tab> label={t.layers.title} tabs={tabs} open={open} onOpen={setOpen}>
        {open === "segments" && <Layers desk={desk} />}
        {open === "findings" && <Findings desk={desk} />}
        {open === "proposals" && <Proposals desk={desk} />}
        {open === "review" && <Review desk={desk} />}
        {open === "history" && <HistoryList desk={desk} onLook={onLook} />}
        {open === "adjust" && <Adjust desk={desk} />}
      </Tabs>
    </aside>
  );
}
