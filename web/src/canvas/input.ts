/** Pointers to tools: mouse, pen with pressure, touch (one finger draws, two pan and zoom), wheel and space bar. */
import type { Editor } from "../core/editor.ts";
import { type Point, distance } from "../core/geometry.ts";
import type { Pointer } from "../core/tool.ts";

const DOUBLE = 350; // milliseconds between the presses of a double click
const WHEEL = 0.0015; // zoom for each unit of the wheel

export class Input {
  readonly #editor: Editor;
  readonly #host: HTMLElement;
  readonly #stop = new AbortController();
  readonly #touches = new Map<number, Point>();
  #drawing: number | null = null;
  #panning: number | null = null;
  #space = false;
  #penSeen = false;
  #last: Point = [0, 0];
  #pressed: { readonly at: Point; readonly time: number } | null = null;

  constructor(editor: Editor, host: HTMLElement) {
    this.#editor = editor;
    this.#host = host;
    const on = <K extends keyof HTMLElementEventMap>(name: K, listen: (event: HTMLElementEventMap[K]) => void, passive = true): void =>
      host.addEventListener(name, listen, { signal: this.#stop.signal, passive });
    on("pointerdown", (event) => this.#down(event), false);
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#drop(event));
    on("pointerleave", () => this.#drawing === null && this.#editor.preview?.brush && this.#editor.show(null));
    on("wheel", (event) => this.#wheel(event), false);
    on("contextmenu", (event) => event.preventDefault(), false);
    for (const name of ["keydown", "keyup"] as const)
      window.addEventListener(name, (event) => this.#spaceBar(event), { signal: this.#stop.signal });
    window.addEventListener("blur", () => (this.#space = false), { signal: this.#stop.signal });
  }

  close(): void {
    this.#stop.abort();
  }

  #screen(event: MouseEvent): Point {
    const { left, top } = this.#host.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  #pointer(event: PointerEvent, double = false): Pointer {
    const erases = event.pointerType === "pen" && (event.buttons & 32) !== 0; // the back end of a pen
    return {
      at: this.#editor.viewport.toImage(this.#screen(event)),
      pressure: event.pointerType === "pen" ? event.pressure : 0.5,
      shift: event.shiftKey,
      alt: event.altKey || erases,
      ctrl: event.ctrlKey || event.metaKey,
      double,
    };
  }

  #down(event: PointerEvent): void {
    const at = this.#screen(event);
    this.#host.focus({ preventScroll: true });
    event.preventDefault();
    try {
      this.#host.setPointerCapture(event.pointerId);
    } catch {
      // A pointer that is gone already (a synthetic event) needs no capture.
    }
    this.#last = at;
    this.#penSeen ||= event.pointerType === "pen";
    if (event.pointerType === "touch") {
      this.#touches.set(event.pointerId, at);
      if (this.#touches.size > 1) return this.#startPinch();
      if (this.#penSeen) return void (this.#panning = event.pointerId); // with a pen at work, fingers only move the image
    }
    if (event.button === 1 || event.button === 2 || this.#space) return void (this.#panning = event.pointerId);
    if (event.button !== 0 && event.button !== 5) return;
    const time = event.timeStamp;
    const double = this.#pressed !== null && time - this.#pressed.time < DOUBLE && distance(at, this.#pressed.at) < 5;
    this.#pressed = double ? null : { at, time };
    this.#drawing = event.pointerId;
    this.#editor.tool.pointerDown?.(this.#pointer(event, double));
  }

  #move(event: PointerEvent): void {
    const at = this.#screen(event);
    if (this.#touches.has(event.pointerId)) this.#pinch(event.pointerId, at);
    if (this.#panning === event.pointerId) this.#editor.viewport.pan(at[0] - this.#last[0], at[1] - this.#last[1]);
    if (this.#panning === event.pointerId) this.#last = at;
    if (this.#drawing === event.pointerId) {
      const all = event.getCoalescedEvents?.() ?? [];
      const between = (all.length ? all : [event]).map((each) => this.#pointer(each));
      this.#editor.tool.pointerDrag?.(this.#pointer(event), between);
    } else if (this.#panning === null && this.#drawing === null) this.#editor.tool.pointerMove?.(this.#pointer(event));
  }

  #up(event: PointerEvent): void {
    this.#touches.delete(event.pointerId);
    if (this.#panning === event.pointerId) this.#panning = null;
    if (this.#drawing !== event.pointerId) return;
    this.#drawing = null;
    this.#editor.tool.pointerUp?.(this.#pointer(event));
  }

  #drop(event: PointerEvent): void {
    this.#touches.delete(event.pointerId);
    if (this.#panning === event.pointerId) this.#panning = null;
    if (this.#drawing !== event.pointerId) return;
    this.#drawing = null;
    this.#editor.tool.cancel?.();
  }

  /** A second finger: what the first has drawn was no drawing. */
  #startPinch(): void {
    if (this.#drawing !== null) this.#editor.tool.cancel?.();
    this.#drawing = this.#panning = null;
  }

  #pinch(id: number, to: Point): void {
    const before = this.#touches.get(id)!;
    this.#touches.set(id, to);
    const other = [...this.#touches].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const { viewport } = this.#editor;
    const middle: Point = [(to[0] + other[0]) / 2, (to[1] + other[1]) / 2];
    viewport.zoom(distance(to, other) / Math.max(1, distance(before, other)), middle);
    viewport.pan((to[0] - before[0]) / 2, (to[1] - before[1]) / 2);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const { viewport } = this.#editor;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const [dx, dy] = [event.deltaX * lines, event.deltaY * lines];
    if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) viewport.pan(-dx || -dy, dx ? -dy : 0);
    else viewport.zoom(Math.exp(-dy * WHEEL * (event.ctrlKey ? 4 : 1)), this.#screen(event));
  }

  #spaceBar(event: KeyboardEvent): void {
    const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select, button, [contenteditable]");
    if (event.key === " " && !typing) this.#space = event.type === "keydown";
    if (event.key === " " && event.target === this.#host) event.preventDefault();
  }
}
