/** Bars with words and values; the same figures stand in a table below. */
import { Fragment } from "preact";
import { t } from "../texts.ts";

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly words: string;
  readonly colour?: string;
}

const WIDE = 520;

/** One bar for each row, longest value over the whole width. */
export function BarChart({ rows, label }: { readonly rows: readonly Row[]; readonly label: string }) {
  const highest = Math.max(...rows.map(({ value }) => value), 1e-9);
  return (
    <div class="bars" role="img" aria-label={label}>
      {rows.map(({ name, value, words, colour }) => (
        <Fragment key={name}>
          <span class="name" title={name}>{name}</span>
          <span class="length" style={{ gridTemplateColumns: `minmax(2px, ${value / highest}fr) auto minmax(0, ${1 - value / highest}fr)` }}>
            <i style={colour ? { background: colour } : undefined} /><span>{words}</span>
          </span>
        </Fragment>
      ))}
    </div>
  );
}

const HIGH = 130;
const FOOT = 20;

/** One column for each day. */
export function ColumnChart({ rows, label }: { readonly rows: readonly Row[]; readonly label: string }) {
  const highest = Math.max(...rows.map(({ value }) => value), 1e-9);
  const step = Math.min(60, WIDE / rows.length);
  return (
    <div class="scroll"><svg class="chart" viewBox={`0 0 ${WIDE} ${HIGH + FOOT + 14}`} role="img" aria-label={label}>
      <line x1={0} x2={WIDE} y1={HIGH + 14} y2={HIGH + 14} />
      {rows.map(({ name, value, words }, i) => {
        const tall = (value / highest) * HIGH;
        const middle = i * step + step / 2;
        return (
          <g key={name}>
            <rect x={i * step + step * 0.15} width={step * 0.7} y={14 + HIGH - tall} height={Math.max(1, tall)} rx={2}><title>{`${name}: ${words}`}</title></rect>
            {step > 40 && <text x={middle} y={9 + HIGH - tall} text-anchor="middle">{words}</text>}
            {(step > 34 || i % 7 === 0) && <text x={middle} y={HIGH + FOOT + 10} text-anchor="middle">{name.slice(5)}</text>}
          </g>
        );
      })}
    </svg></div>
  );
}

/** The figures of a chart in a table that opens. */
export const AsTable = ({ head, rows }: { readonly head: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] }) => (
  <details>
    <summary>{t.dashboard.asTable}</summary>
    <table>
      <thead><tr>{head.map((words, i) => <th key={words} scope="col" class={i ? "number" : ""}>{words}</th>)}</tr></thead>
      <tbody>
        {rows.map((row) => <tr key={row[0]}>{row.map((cell, i) => <td key={head[i]} class={i ? "number" : ""}>{cell}</td>)}</tr>)}
      </tbody>
    </table>
  </details>
);
