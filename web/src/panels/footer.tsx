/** The line below the canvas: where the pointer is, what the tool wants, how much is labelled. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { fillGap, goToNextGap } from "../state/commands.ts";
import type { Desk } from "../state/desk.ts";
import { percent, t } from "../texts.ts";
import { nameOf } from "./layers.tsx";
import { Bar, Button } from "./ui.tsx";

const where = signal("");
const zoom = signal(1);

export function Footer({ desk }: { readonly desk: Desk }) {
  const { editor } = desk;
  useEffect(() => {
    const move = (event: PointerEvent): void => {
      const canvas = (event.target as Element | null)?.closest?.(".canvas");
      if (!canvas) return void (where.value = "");
      const { left, top } = canvas.getBoundingClientRect();
      const [x, y] = editor.viewport.toImage([event.clientX - left, event.clientY - top]).map(Math.floor);
      const segment = editor.document.at(x, y);
      where.value = `${x}, ${y}${segment ? `  ${nameOf(editor, segment)}` : ""}`;
    };
    addEventListener("pointermove", move, { passive: true });
    zoom.value = editor.viewport.scale;
    const stop = editor.viewport.subscribe(() => (zoom.value = editor.viewport.scale));
    return () => {
      removeEventListener("pointermove", move);
      stop();
    };
  }, [editor]);
  return (
    <footer class="foot">
      <Where />
      <ToolHint desk={desk} />
      <Coverage desk={desk} />
    </footer>
  );
}

const Where = () => (
  <>
    <span class="where">{where.value}</span>
    <span>{percent(zoom.value, 0)}</span>
  </>
);

function ToolHint({ desk }: { readonly desk: Desk }) {
  void desk.ticks.tool.value;
  return <span class="hint" title={t.toolHints[desk.editor.toolName]}>{t.toolHints[desk.editor.toolName]}</span>;
}

function Coverage({ desk }: { readonly desk: Desk }) {
  void desk.settledTick.value;
  const { coverage, unlabelled } = desk.editor.document;
  return (
    <>
      <span title={t.coverage.overlapHint}>{t.coverage.overlap}</span>
      <span>{t.coverage.unlabelled(1 - coverage, unlabelled)}</span>
      <Bar share={coverage} label={t.coverage.labelled(coverage)} bad={coverage < 1} />
      <Button icon="gap" disabled={!unlabelled} keys="." title={t.coverage.next} onClick={() => goToNextGap(desk)}>{t.coverage.next}</Button>
      <Button icon="fill" disabled={!unlabelled} keys="," title={t.coverage.fillHint} onClick={() => fillGap(desk)}>{t.coverage.fill}</Button>
    </>
  );
}
