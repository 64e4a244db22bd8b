/** How many images are in which state, as one bar. */
import { t } from "../texts.ts";
import { type State, STATES } from "../words.ts";

export const STATE_COLOURS: Record<State, string> = {
  todo: "var(--hover)", labelling: "var(--warn)", submitted: "var(--link)", accepted: "var(--good)", returned: "var(--bad)",
};

type Props = { readonly states: Readonly<Partial<Record<State, number>>>; readonly total: number; readonly legend?: boolean };

export function StateBar({ states, total, legend }: Props) {
  const shown = STATES.toReversed().filter((state) => states[state]);
  const words = shown.map((state) => `${states[state]} ${t.states[state]}`).join(", ");
  return (
    <div>
      <div class="stack" role="img" aria-label={words} title={words}>
        {shown.map((state) => (
          <span key={state} style={{ width: `${((states[state] ?? 0) / Math.max(1, total)) * 100}%`, background: STATE_COLOURS[state] }} />
        ))}
      </div>
      {legend && (
        <p class="legend">
          {shown.map((state) => (
            <span key={state}>
              <span class="swatch" style={{ background: STATE_COLOURS[state] }} />{states[state]} {t.states[state]}
            </span>
          ))}
        </p>
      )}
    </div>
  );
}
