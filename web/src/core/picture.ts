/** What tools ask of the world outside: the image's pixels, and engines that turn a prompt into masks. */
import type { Box, Point } from "./geometry.ts";
import type { Mask } from "./gesture.ts";

/** Red, green, blue, alpha of each pixel of a box, row-major. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** The pixels of a box inside the image. */
  crop(box: Box): Pixels;
}

export interface Prompt {
  readonly points: readonly [x: number, y: number, positive: boolean][];
  readonly box: Box | null;
  readonly scribble: readonly Point[] | null;
  /** What there is to be corrected. */
  readonly mask: Mask | null;
  readonly engine: string | null;
}

export interface Candidate {
  readonly mask: Mask;
  readonly score: number;
  /** Which engine found it. */
  readonly engine?: string;
}

/** Answers prompts; throws an `Error` with words for the user. */
export interface Prompts {
  ask(prompt: Prompt, signal: AbortSignal): Promise<readonly Candidate[]>;
  /** A mask for each thing that a text names, the surest first. */
  named(text: string, signal: AbortSignal): Promise<readonly Candidate[]>;
  /** Masks of what lies in a box and has no segment yet, the best first; `side`: clicks along its longer side. */
  everything(box: Box, side: number, signal: AbortSignal): Promise<readonly Candidate[]>;
}
