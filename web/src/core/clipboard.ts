/** Segments to take along: within an image, or to the next frame, where a thing keeps its instance id. */
import type { Editor } from "./editor.ts";
import { clip } from "./geometry.ts";
import { type Gesture, type SegmentJson, newKey } from "./gesture.ts";
import { toMask, toRegion } from "./masks.ts";
import { crop } from "./region.ts";

/** Segments back to front, plain JSON: it may be stored and pasted into another document. */
export interface Clip {
  readonly segments: readonly SegmentJson[];
}

/** The selected segments; all of them when none is selected. */
export function copy(editor: Editor): Clip {
  const { document, selection } = editor;
  const chosen = document.segments.filter(({ key }) => !selection.length || selection.includes(key));
  return {
    segments: chosen.map(({ slot: _slot, ...head }) => ({
      ...head,
      visible: toMask(document.visible(head.key)),
      hidden: toMask(document.hidden(head.key)),
    })),
  };
}

/** Puts copies in front of everything, as far as they lie in the image; they keep class, tags and instance id. */
export function paste(editor: Editor, { segments }: Clip): Gesture | null {
  const { document } = editor;
  return editor.do("paste", (draft) => {
    const keys = segments.map((segment) => {
      const { visible, hidden, ...head } = segment;
      const key = draft.create({ ...head, key: newKey() });
      for (const mask of [visible, hidden])
        if (mask) draft.paint(key, crop(toRegion(mask), clip(mask.box, document.pixels.bounds)));
      return key;
    });
    editor.select(keys);
  });
}
