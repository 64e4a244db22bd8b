/** What a person has set: how tools draw, and how the canvas looks. Neither is part of the document. */

/** How tools draw. */
export interface Settings {
  readonly classId: number;
  /** Layered: the stack decides and covered parts run on underneath. Flat: pixels just change owner. */
  readonly mode: "layered" | "flat";
  /** Whether what is drawn anew takes pixels that have an owner, unless its class says otherwise. */
  readonly border: "wins" | "yields";
  /** New segments begin at the very back. */
  readonly behind: boolean;
  /** Diameter of brush and eraser, image pixels. */
  readonly brush: number;
  /** Pen pressure changes the diameter. */
  readonly pressure: boolean;
  /** Colour distance up to which fill goes on, 0 .. 255. */
  readonly tolerance: number;
  /** Side of a superpixel, image pixels. */
  readonly superpixel: number;
  /** Points of lasso, scissors and traced outlines nearer to the line than this are dropped, pixels. */
  readonly smoothing: number;
  /** Which engine answers prompts; null lets the server choose. */
  readonly engine: string | null;
  /** Whether the mask of a click is shown where the pointer rests. */
  readonly hover: boolean;
  /** Clicks along the longer side of a box in which everything is proposed. */
  readonly grid: number;
}

export const SETTINGS: Settings = {
  classId: 0,
  mode: "layered",
  border: "wins",
  behind: false,
  brush: 24,
  pressure: true,
  tolerance: 16,
  superpixel: 24,
  smoothing: 1,
  engine: null,
  hover: true,
  grid: 8,
};

/** How the canvas looks. */
export interface View {
  readonly colours: "class" | "instance" | "safe";
  /** Of segments, 0 .. 1. */
  readonly opacity: number;
  readonly outlines: boolean;
  /** Shows what runs on underneath. */
  readonly amodal: boolean;
  /** Shows pixels without an owner. */
  readonly gaps: boolean;
  readonly brightness: number;
  readonly contrast: number;
  readonly channel: "all" | "red" | "green" | "blue";
  readonly minimap: boolean;
  readonly dark: boolean;
  /** Keys of segments that are not shown. */
  readonly concealed: ReadonlySet<string>;
  /** Keys of the only segments shown; empty: all. */
  readonly solo: ReadonlySet<string>;
  /** Keys of segments that keep their pixels. */
  readonly locked: ReadonlySet<string>;
}

export const VIEW: View = {
  colours: "instance",
  opacity: 0.5,
  outlines: true,
  amodal: false,
  gaps: false,
  brightness: 1,
  contrast: 1,
  channel: "all",
  minimap: true,
  dark: true,
  concealed: new Set(),
  solo: new Set(),
  locked: new Set(),
};

/** Whether a segment is shown. */
export const isShown = (view: View, key: string): boolean =>
  !view.concealed.has(key) && (view.solo.size === 0 || view.solo.has(key));
