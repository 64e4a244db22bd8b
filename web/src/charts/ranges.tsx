/** A range from low to high with its middle marked, one line for each row, all on one scale. */

export interface Range {
  readonly name: string;
  readonly low: number;
  readonly middle: number;
  readonly high: number;
  readonly words: string;
  readonly strong?: boolean;
}

const WIDE = 680;
const TALL = 24;
const NAMES = 220;
const VALUES = 130;

export function RangeChart({ rows, label }: { readonly rows: readonly Range[]; readonly label: string }) {
  const lowest = Math.min(...rows.map(({ low, middle }) => Math.min(low, middle)));
  const highest = Math.max(...rows.map(({ high, middle }) => Math.max(high, middle)), lowest + 1e-9);
  const from = lowest > highest / 3 ? lowest - (highest - lowest) * 0.05 : Math.min(0, lowest); // a tornado is read by its width
  const at = (value: number): number => NAMES + ((value - from) / (highest - from)) * (WIDE - NAMES - VALUES);
  return (
    <div class="scroll"><svg class="chart ranges" viewBox={`0 0 ${WIDE} ${rows.length * TALL}`} role="img" aria-label={label}>
      {rows.map(({ name, low, middle, high, words, strong }, i) => (
        <g key={name} transform={`translate(0 ${i * TALL})`}>
          <text class="strong" x={0} y={16}>{name.length > 34 ? `${name.slice(0, 33)}…` : name}</text>
          <rect class={strong === false ? "second" : ""} x={at(low)} y={5} height={14} rx={3} width={Math.max(2, at(high) - at(low))} />
          <line class="middle" x1={at(middle)} x2={at(middle)} y1={2} y2={22} />
          <text x={WIDE - VALUES + 8} y={16}>{words}</text>
        </g>
      ))}
    </svg></div>
  );
}
