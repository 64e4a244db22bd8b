/** Two bars for each row, on one scale: the same with and without something. */

export interface Pair {
  readonly name: string;
  readonly values: readonly [number, number];
  readonly words: readonly [string, string];
}

const WIDE = 520;
const TALL = 36;
const NAMES = 150;
const VALUES = 96;

export function PairChart({ rows, label, legend }: { readonly rows: readonly Pair[]; readonly label: string; readonly legend: readonly [string, string] }) {
  const highest = Math.max(...rows.flatMap(({ values }) => values), 1e-9);
  const length = (value: number): number => (value / highest) * (WIDE - NAMES - VALUES);
  return (
    <figure class="pairs">
      <figcaption class="legend">
        {legend.map((words, i) => <span key={words}><i class={`swatch ${i ? "second" : "first"}`} />{words}</span>)}
      </figcaption>
      <div class="scroll"><svg class="chart" viewBox={`0 0 ${WIDE} ${rows.length * TALL}`} role="img" aria-label={label}>
        {rows.map(({ name, values, words }, i) => (
          <g key={name} transform={`translate(0 ${i * TALL})`}>
            <text class="strong" x={0} y={21}>{name.length > 22 ? `${name.slice(0, 21)}…` : name}</text>
            {values.map((value, k) => (
              <g key={k} transform={`translate(0 ${4 + 14 * k})`}>
                <rect class={k ? "second" : "first"} x={NAMES} height={12} rx={3} width={Math.max(1, length(value))} />
                <text x={NAMES + length(value) + 8} y={10}>{words[k]}</text>
              </g>
            ))}
          </g>
        ))}
      </svg></div>
    </figure>
  );
}
