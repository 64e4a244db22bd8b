/** Where click to segment is off, and why; the owner may use it all the same. */
import { choose, ofClass } from "../state/assistance.ts";
import { owns, project } from "../state/project.ts";
import { duration, t } from "../texts.ts";
import { attempt, Button } from "./ui.tsx";

export function AssistanceNote({ classId }: { readonly classId: number }) {
  const row = ofClass(classId);
  const open = project.value;
  if (!row?.off || !open) return null;
  const lost = row.choice === "automatic" && row.difference ? duration(row.difference[1]) : null;
  return (
    <span class="note" role="note">
      {lost ? t.assistance.offMeasured(row.name, lost) : t.assistance.offChosen(row.name)}
      {owns.value && <Button onClick={() => void attempt(() => choose(open, classId, "on"))}>{t.assistance.useAnyway}</Button>}
    </span>
  );
}
