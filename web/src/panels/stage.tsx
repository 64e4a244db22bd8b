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

/** The picture of an image, asked for and decoded at once: while its document is still on the way. */
export function usePicture(image: number): Promise<ImageLayer> | null {
  const [picture, setPicture] = useState<Promise<ImageLayer> | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    const coming = fetchPicture(image, stop.signal);
    setPicture(coming);
    coming.catch(() => undefined); // the canvas says what went wrong, once there is one
    return () => {
      stop.abort();
      void coming.then((layer) => layer.close(), () => undefined);
    };
  }, [image]);
  return picture;
}

interface Shown {
  readonly editor: Editor;
  readonly picture: Promise<ImageLayer> | null;
  readonly label: string;
}

export function Canvas({ editor, picture, label }: Shown) {
  const host = useRef<HTMLDivElement>(null);
  const [words, setWords] = useState<string | null>(t.loading);
  useEffect(() => {
    const stage = new Stage(editor, host.current!);
    let gone = false;
    const show = (layer: ImageLayer): void => {
      if (gone) return;
      stage.show(layer);
      setWords(null);
    };
    picture?.then(show).catch((error: unknown) => gone || setWords(wordsFor(error)));
    return () => {
      gone = true;
      stage.close();
    };
  }, [editor, picture]);
  return (
    <>
      <div class="canvas" ref={host} role="application" aria-label={label} />
      {words && <p class="waiting" role="status">{words}</p>}
    </>
  );
}
