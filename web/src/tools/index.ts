/** The menu of tools: a new tool is a file beside this one and its line here. */
import type { Tools } from "../core/editor.ts";
import { BoxTool } from "./box.ts";
import { BrushTool } from "./brush.ts";
import { EdgeTool } from "./edge.ts";
import { EraseTool } from "./erase.ts";
import { EverythingTool } from "./everything.ts";
import { FillTool } from "./fill.ts";
import { LassoTool } from "./lasso.ts";
import { MergeTool } from "./merge.ts";
import { PanTool } from "./pan.ts";
import { PolygonTool } from "./polygon.ts";
import { PromptTool } from "./prompt.ts";
import { ScissorsTool } from "./scissors.ts";
import { SelectTool } from "./select.ts";
import { SplitTool } from "./split.ts";
import { SuperpixelTool } from "./superpixel.ts";

const MENU = [
  SelectTool, BrushTool, EraseTool, PolygonTool, BoxTool, LassoTool, ScissorsTool, FillTool, SuperpixelTool, PromptTool, EverythingTool,
  SplitTool, MergeTool, EdgeTool, PanTool,
];

export const TOOLS: Tools = Object.fromEntries(MENU.map((Tool) => [Tool.id, (editor) => new Tool(editor)]));
