/** The canvas, with what lies over it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { address, wordsFor } from "../api.ts";
import { ImageLayer } from "../canvas/picture.ts";
import { Stage } from "../canvas/stage.ts";
import type { Editor } from "../core/editor.ts";
import { t } from "../texts.ts";

/** The picture of an image, as large as the server has it. */
async function fetchPicture(image: number, signal: AbortSignal): Promise<ImageLayer> {
  const answer = await fetch(address("/api/images/{i}/pixels", { i: image }), { signal });
  if (!answer.ok) throw new Error(((await answer.json().catch(() => null)) as { error?: string } | null)?.error ?? `${answer.status}`);
  return ImageLayer.from(await answer.blob());
}

export function Canvas({ editor, image, label }: { readonly editor: Editor; readonly image: number; readonly label: string }) {
  const host = useRef<HTMLDivElement>(null);
  const [words, setWords] = useState<string | null>(t.loading);
  useEffect(() => {
    const stage = new Stage(editor, host.current!);
    const stop = new AbortController();
    let layer: ImageLayer | null = null;
    fetchPicture(image, stop.signal)
      .then((found) => {
        if (stop.signal.aborted) return found.close();
        layer = found;
        stage.show(found);
        setWords(null);
      })
      .catch((error: unknown) => !stop.signal.aborted && setWords(wordsFor(error)));
    return () => {
      stop.abort();
      stage.close();
      layer?.close();
    };
  }, [editor, image]);
  return (
    <>
      <div class="canvas" ref={host} role="application" aria-label={label} />
      {words && <p class="waiting" role="status">{words}</p>}
    </>
  );
}
