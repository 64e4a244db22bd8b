/** Eraser: takes pixels from the selected segment, or from whoever is seen; what ran underneath comes to light. */
import type { Pointer } from "../core/tool.ts";
import { BrushTool } from "./brush.ts";

export class EraseTool extends BrushTool {
  static override readonly id: string = "erase";

  protected override erases(_pointer: Pointer): boolean {
    return true;
  }
}
