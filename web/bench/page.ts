/** The canvas alone with a made-up image and many segments, for benchmarks/studio.py. */
import { ImageLayer } from "../src/canvas/picture.ts";
import { Stage } from "../src/canvas/stage.ts";
import { Classes } from "../src/core/classes.ts";
import { Document } from "../src/core/document.ts";
import { Draft, PLAIN } from "../src/core/draft.ts";
import { Editor } from "../src/core/editor.ts";
import type { DocumentJson, Head } from "../src/core/gesture.ts";
import { fillDab } from "../src/core/raster.ts";
import { solid } from "../src/core/region.ts";
import { TOOLS } from "../src/tools/index.ts";

const ROWS = ["#4682b4", "#dc143c", "#2e8b57", "#daa520", "#8a2be2"].map((colour, i) => ({
  class_id: i, name: `class ${i}`, kind: i ? ("thing" as const) : ("stuff" as const), colour, parent: null, hotkey: null, new: "inherit" as const,
}));

const head = (i: number): Head => ({
  key: `segment-${String(i).padStart(8, "0")}`, class_id: i ? 1 + (i % 4) : 0, instance_id: i, crowd: false, tags: [], score: null,
  source: "import", state: "final",
});

/** Ground that runs on underneath discs which overlap one another. */
function makeDocument(width: number, height: number, segments: number): DocumentJson {
  const document = new Document(1, [width, height]);
  const draft = new Draft(document, "import", { ...PLAIN, isThing: () => false });
  draft.create(head(0), null);
  draft.paint(head(0).key, solid([0, 0, width, height]));
  const side = Math.sqrt((width * height) / segments);
  const across = Math.floor(width / side);
  for (let i = 1; i < segments; i++) {
    const [x, y] = [((i % across) + 0.5 + 0.3 * Math.sin(i)) * side, (Math.floor(i / across) + 0.5 + 0.3 * Math.cos(3 * i)) * side];
    draft.paint(draft.create(head(i)), fillDab([x, y], side * (0.45 + 0.2 * Math.sin(7 * i)), document.pixels.bounds));
  }
  draft.commit();
  return document.toJson();
}

/** A picture with colour and grain, as a file. */
async function makeImage(width: number, height: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  const ramp = context.createLinearGradient(0, 0, width, height);
  ["#87ceeb", "#556b2f", "#a0522d", "#708090"].forEach((colour, i) => ramp.addColorStop(i / 3, colour));
  context.fillStyle = ramp;
  context.fillRect(0, 0, width, height);
  for (let i = 0; i < 4000; i++) {
    context.fillStyle = `hsla(${(i * 47) % 360}, 40%, ${30 + (i % 50)}%, 0.4)`;
    context.fillRect((i * 7919) % width, (i * 6271) % height, 10 + (i % 90), 10 + (i % 70));
  }
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
}

interface Times {
  /** Milliseconds from the server's answers to the first picture: reading them, the image's decoding, drawing. */
  readonly open: readonly [document: number, image: number, picture: number];
  /** Milliseconds of work for each frame. */
  readonly frames: number[];
  /** Milliseconds from each pointer event to the end of the frame that shows it. */
  readonly latencies: number[];
  readonly commits: number[];
}

declare global {
  interface Window {
    bench: { editor: Editor; times: Times; stage: Stage };
    makeBench(width: number, height: number, segments: number): Promise<void>;
    openBench(): Promise<Times["open"]>;
  }
}

/** Keeps what a server would send, so that a fresh page opens it without having made it. */
window.makeBench = async (width, height, segments) => {
  const store = await caches.open("bench");
  await store.put("/document", new Response(JSON.stringify(makeDocument(width, height, segments))));
  await store.put("/pixels", new Response(await makeImage(width, height)));
};

window.openBench = async () => {
  const store = await caches.open("bench");
  const json = await (await store.match("/document"))!.text();
  const file = await (await store.match("/pixels"))!.blob();
  const marks = [performance.now()];
  const mark = (): number => marks.push(performance.now());
  const decoding = ImageLayer.from(file); // off the main thread, while the document is read
  const document = Document.load(JSON.parse(json));
  const editor = new Editor(document, new Classes(ROWS), TOOLS);
  editor.use("brush");
  editor.change({ classId: 1, brush: 80 });
  mark();
  const stage = new Stage(editor, window.document.querySelector<HTMLElement>("#host")!);
  stage.show(await decoding);
  mark();
  stage.renderer.draw();
  mark();
  const open = [1, 2, 3].map((i) => marks[i] - marks[i - 1]) as unknown as Times["open"];
  const times: Times = { open, frames: [], latencies: [], commits: [] };
  measure(stage, editor, times);
  window.bench = { editor, times, stage };
  return open;
};

function measure(stage: Stage, editor: Editor, times: Times): void {
  let waiting: number[] = [];
  window.addEventListener("pointermove", (event) => event.buttons && waiting.push(event.timeStamp), { capture: true });
  stage.renderer.onFrame = (milliseconds) => {
    times.frames.push(milliseconds);
    const seen = waiting;
    waiting = [];
    const channel = new MessageChannel();
    channel.port1.onmessage = () => times.latencies.push(...seen.map((at) => performance.now() - at));
    channel.port2.postMessage(null);
  };
  const commit = editor.commit.bind(editor);
  editor.commit = (draft) => {
    const start = performance.now();
    const gesture = commit(draft);
    times.commits.push(performance.now() - start);
    return gesture;
  };
}
