/** What the rules find, live. */
import type { Finding } from "../schema.d.ts";
import { finding as shownFinding, showFinding } from "../state/commands.ts";
import type { Desk } from "../state/desk.ts";
import { t } from "../texts.ts";
import { Button } from "./ui.tsx";

export function Findings({ desk }: { readonly desk: Desk }) {
  const found = desk.findings.value;
  if (!found) return <p class="pad soft">{t.findings.waiting}</p>;
  if (!found.findings.length) return <p class="pad soft">{t.findings.none}</p>;
  return (
    <>
      {found.findings.map((one) => <Row key={one.fingerprint} desk={desk} finding={one} />)}
    </>
  );
}

function Row({ desk, finding }: { readonly desk: Desk; readonly finding: Finding }) {
  const { fingerprint, severity, message, rule, fix } = finding;
  return (
    <div class={fingerprint === shownFinding.value ? "finding chosen" : "finding"}>
      <div class="row">
        <span class={`chip ${severity}`}>{t.findings[severity]}</span>
        <span class="soft grow">{rule}</span>
        {fix && <Button icon="fix" title={`${t.findings.fix}: ${message}`} keys={t.findings.fixKey} onClick={() => void desk.fix(fingerprint)}>{t.findings.fix}</Button>}
      </div>
      <button type="button" class="go" onClick={() => showFinding(desk, fingerprint)}>{message}</button>
    </div>
  );
}
