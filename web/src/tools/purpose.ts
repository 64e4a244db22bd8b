/** What shift and alt mean for tools that draw an area: add to the selected segment, or cut out of it. */
import type { Purpose } from "../core/editor.ts";
import type { Pointer } from "../core/tool.ts";

export function purposeOf(pointer: Pick<Pointer, "shift" | "alt">): Purpose {
  if (pointer.alt) return "subtract";
  return pointer.shift ? "add" : "new";
}
