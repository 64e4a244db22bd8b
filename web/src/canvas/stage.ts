/** Puts the canvas on the page: three canvases and the minimap inside a host element, with its input. */
import type { Editor } from "../core/editor.ts";
import { Input } from "./input.ts";
import { Minimap } from "./minimap.ts";
import type { ImageLayer } from "./picture.ts";
import { Renderer } from "./renderer.ts";

const CURSORS: Readonly<Record<string, string>> = { select: "default", pan: "grab", brush: "none", erase: "none" };

export class Stage {
  readonly renderer: Renderer;
  readonly #editor: Editor;
  readonly #host: HTMLElement;
  readonly #input: Input;
  readonly #minimap: Minimap;
  readonly #observer: ResizeObserver;
  readonly #stop: () => void;
  #image: ImageLayer | null = null;
  #fitted = false;

  /** `host` is a positioned element with a size of its own; everything inside it goes. */
  constructor(editor: Editor, host: HTMLElement) {
    this.#editor = editor;
    this.#host = host;
    const [image, segments, top, map] = ["image", "segments", "top", "minimap"].map((name) => layer(host.ownerDocument, name));
    host.replaceChildren(image, segments, top, map);
    host.tabIndex = 0;
    this.renderer = new Renderer(editor, { image, segments, top });
    this.#minimap = new Minimap(editor, map);
    this.#input = new Input(editor, host);
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(host);
    this.#resize();
    this.#stop = editor.subscribe((topic) => topic === "tool" && this.#point());
    this.#point();
  }

  /** Shows an image and lets tools read its pixels; it is closed together with the stage. */
  show(image: ImageLayer): void {
    this.#image?.close();
    this.#editor.picture = this.#image = image;
    this.renderer.show(image);
    this.#minimap.show(image);
  }

  close(): void {
    this.#editor.tool.cancel?.();
    this.#stop();
    this.#observer.disconnect();
    this.#input.close();
    this.#minimap.close();
    this.renderer.close();
    this.#image?.close();
    this.#editor.picture = null;
    this.#host.replaceChildren();
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.#host;
    if (!clientWidth || !clientHeight) return;
    this.renderer.resize(clientWidth, clientHeight, window.devicePixelRatio || 1);
    if (!this.#fitted) this.#editor.viewport.fit();
    this.#fitted = true;
  }

  #point(): void {
    this.#host.style.cursor = CURSORS[this.#editor.toolName] ?? "crosshair";
  }
}

/** A canvas that fills the host, the minimap in its lower right corner; placed here so that no page can misplace it. */
function layer(page: globalThis.Document, name: string): HTMLCanvasElement {
  const canvas = page.createElement("canvas");
  const whole = name !== "minimap";
  canvas.className = name;
  canvas.setAttribute("aria-hidden", "true");
  Object.assign(canvas.style, {
    position: "absolute",
    inset: whole ? "0" : "auto 12px 12px auto",
    width: whole ? "100%" : "auto",
    height: whole ? "100%" : "auto",
    touchAction: "none",
    background: whole ? "transparent" : "#202020",
  });
  return canvas;
}
