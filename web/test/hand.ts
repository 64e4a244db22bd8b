/** A hand for tests of tools: an editor without a page, and pointers and keys that reach its tool. */
import { Classes } from "../src/core/classes.ts";
import { type KeyPress, press } from "../src/core/commands.ts";
import { Document } from "../src/core/document.ts";
import { Editor } from "../src/core/editor.ts";
import type { Box, Point } from "../src/core/geometry.ts";
import type { Gesture } from "../src/core/gesture.ts";
import type { Picture } from "../src/core/picture.ts";
import { solid } from "../src/core/region.ts";
import type { Pointer } from "../src/core/tool.ts";
import { TOOLS } from "../src/tools/index.ts";

const ROW = { colour: "#336699", parent: null, new: "inherit" } as const;

export const CLASSES = new Classes([
  { ...ROW, class_id: 1, name: "car", kind: "thing", hotkey: "1" },
  { ...ROW, class_id: 2, name: "sky", kind: "stuff", hotkey: "2" },
  { ...ROW, class_id: 3, name: "sticker", kind: "thing", hotkey: "3", new: "yields" },
]);

/** A picture of one grey with a bright square, as a camera would see a box. */
export function squarePicture(width: number, height: number, bright: Box): Picture {
  return {
    width,
    height,
    crop([x0, y0, x1, y1]) {
      const data = new Uint8ClampedArray(4 * (x1 - x0) * (y1 - y0));
      for (let y = y0, i = 0; y < y1; y++)
        for (let x = x0; x < x1; x++, i += 4) {
          const inside = x >= bright[0] && y >= bright[1] && x < bright[2] && y < bright[3];
          data.set(inside ? [220, 200, 180, 255] : [60, 60, 70, 255], i);
        }
      return { width: x1 - x0, height: y1 - y0, data };
    },
  };
}

export class Hand {
  readonly editor: Editor;
  readonly sent: Gesture[] = [];

  constructor(tool: string, size: readonly [number, number] = [100, 80], document = new Document(1, size)) {
    this.editor = new Editor(document, CLASSES, TOOLS);
    this.editor.viewport.resize(size[0] * 4, size[1] * 4); // one image pixel is four on the screen
    this.editor.viewport.fit();
    this.editor.change({ classId: 1, brush: 10 });
    this.editor.onGesture((gesture) => this.sent.push(gesture));
    this.editor.use(tool);
  }

  get document(): Document {
    return this.editor.document;
  }

  pointer(at: Point, more: Partial<Pointer> = {}): Pointer {
    return { at, pressure: 0.5, shift: false, alt: false, ctrl: false, double: false, ...more };
  }

  click(at: Point, more: Partial<Pointer> = {}): void {
    this.editor.tool.pointerDown?.(this.pointer(at, more));
    this.editor.tool.pointerUp?.(this.pointer(at, more));
  }

  drag(points: readonly Point[], more: Partial<Pointer> = {}): void {
    const all = points.map((at) => this.pointer(at, more));
    this.editor.tool.pointerDown?.(all[0]);
    for (const each of all.slice(1)) this.editor.tool.pointerDrag?.(each, [each]);
    this.editor.tool.pointerUp?.(all.at(-1)!);
  }

  /** A key that reaches the tool or names a class; commands are the app's. */
  key(key: string, more: Partial<KeyPress> = {}): boolean {
    return press(this.editor, [], { key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });
  }

  /** A segment of whole boxes, drawn in one gesture. */
  put(classId: number, ...boxes: readonly Box[]): string {
    this.editor.change({ classId });
    this.editor.select([]);
    this.editor.do("box", (draft) => {
      const key = this.editor.target(draft, false);
      for (const box of boxes) draft.paint(key, solid(box));
      this.editor.select([key]);
    });
    return this.editor.selection[0];
  }

  areas(): number[] {
    return this.document.segments.map(({ key }) => this.document.area(key));
  }
}
