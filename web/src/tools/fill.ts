/** Fill: the empty area round a click; with ctrl, what hangs together in colour. */
import type { Editor, Purpose } from "../core/editor.ts";
import { type Box, type Point, clip } from "../core/geometry.ts";
import { gapAt } from "../core/gaps.ts";
import { fillHoles, flood } from "../core/parts.ts";
import type { Region } from "../core/region.ts";
import type { Pointer, Tool } from "../core/tool.ts";
import { purposeOf } from "./purpose.ts";

const REACH = 768; // image pixels round a click up to which colour is followed

export class FillTool implements Tool {
  static readonly id = "fill";
  readonly #editor: Editor;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  pointerDown(pointer: Pointer): void {
    const { document } = this.#editor;
    const gap = pointer.ctrl ? null : gapAt(document, pointer.at);
    const region = gap?.region ?? this.#byColour(pointer.at);
    if (region) this.#editor.draw("fill", region, this.#purpose(pointer));
  }

  #purpose(pointer: Pointer): Purpose {
    const purpose = purposeOf(pointer);
    const { selected, settings } = this.#editor;
    return purpose === "new" && selected?.class_id === settings.classId ? "add" : purpose;
  }

  /** The pixels near a click whose colour differs by at most the tolerance from the one clicked, holes filled. */
  #byColour(at: Point): Region | null {
    const { picture, document, settings } = this.#editor;
    if (!picture) {
      this.#editor.say("The image is still loading: filling by colour needs its pixels");
      return null;
    }
    const [x, y] = [Math.floor(at[0]), Math.floor(at[1])];
    const box: Box = clip([x - REACH, y - REACH, x + REACH, y + REACH], document.pixels.bounds);
    const { data, width } = picture.crop(box);
    const start = 4 * ((y - box[1]) * width + x - box[0]);
    const region = flood(at, box, (px, py) => {
      const i = 4 * ((py - box[1]) * width + px - box[0]);
      for (let c = 0; c < 3; c++) if (Math.abs(data[i + c] - data[start + c]) > settings.tolerance) return false;
      return true;
    });
    return region && fillHoles(region);
  }
}
