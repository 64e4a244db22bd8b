/** What a tool is: it decides what a gesture means. It knows no DOM; points are image pixels. */
import type { Box, Point } from "./geometry.ts";
import type { Region } from "./region.ts";

/** A pointer at a place of the image. */
export interface Pointer {
  readonly at: Point;
  /** Of a pen, 0 .. 1; 0.5 for a mouse. */
  readonly pressure: number;
  readonly shift: boolean;
  readonly alt: boolean;
  readonly ctrl: boolean;
  /** Second press in short time at the same place. */
  readonly double: boolean;
}

export interface Tool {
  pointerDown?(pointer: Pointer): void;
  /** While the button is down; `between` are the points since the last call, the last one included. */
  pointerDrag?(pointer: Pointer, between: readonly Pointer[]): void;
  pointerUp?(pointer: Pointer): void;
  /** While no button is down. */
  pointerMove?(pointer: Pointer): void;
  /** A key that the tool may use ("Enter", "Backspace", "["...); true when it did. */
  key?(key: string, pointer: Pick<Pointer, "shift" | "alt" | "ctrl">): boolean;
  /** Ends what is being drawn and keeps it. */
  finish?(): void;
  /** Drops what is being drawn. */
  cancel?(): void;
}

/** What is shown on top of the segments while a tool is at work; image pixels. */
export interface Preview {
  readonly lines?: readonly { readonly points: readonly Point[]; readonly closed?: boolean; readonly dashed?: boolean }[];
  readonly dots?: readonly { readonly at: Point; readonly kind: "vertex" | "active" | "positive" | "negative" }[];
  readonly box?: Box;
  readonly region?: Region;
  /** Outline of a round brush. */
  readonly brush?: { readonly at: Point; readonly radius: number };
}
