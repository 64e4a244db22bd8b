/** The few controls of which all pages are made. */
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import type { Rgb } from "../canvas/palette.ts";
import { t } from "../texts.ts";
import { Icon, type IconName } from "./icons.tsx";
import { Inline } from "./marked.tsx";

type ButtonProps = {
  readonly onClick: () => void;
  readonly children?: ComponentChildren;
  readonly icon?: IconName;
  /** What it does; the name for screen readers where there is only an icon. */
  readonly title?: string;
  readonly keys?: string;
  readonly kind?: "plain" | "primary" | "danger" | "quiet";
  readonly pressed?: boolean;
  readonly disabled?: boolean;
};

/** A button; with an icon alone its title is its name. */
export function Button({ onClick, children, icon, title, keys, kind = "plain", pressed, disabled }: ButtonProps) {
  const hint = [title, keys && `(${keys})`].filter(Boolean).join(" ");
  return (
    <button
      type="button" class={`button ${kind}${children ? "" : " bare"}`} title={hint || undefined} aria-pressed={pressed}
      aria-label={children ? undefined : title} disabled={disabled} onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

type FieldProps = {
  readonly label: string;
  readonly children: (id: string) => ComponentChildren;
  readonly hint?: string;
};

/** A control with its label, and a hint below. */
export function Field({ label, children, hint }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id)}
      {hint && <p class="hint"><Inline words={hint} /></p>}
    </div>
  );
}

/** Choices of which one holds, as a row of buttons. */
export function Choice<Value extends string>({ label, value, options, onChange }: {
  readonly label: string;
  readonly value: Value;
  readonly options: Readonly<Partial<Record<Value, string>>>;
  readonly onChange: (value: Value) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {(Object.entries(options) as [Value, string][]).map(([name, words]) => (
        <button type="button" key={name} aria-pressed={name === value} onClick={() => onChange(name)}>
          {words}
        </button>
      ))}
    </div>
  );
}

/** A slider with its value beside it. */
export function Slider({ label, value, min, max, step = 1, unit = "", onChange }: {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly unit?: string;
  readonly onChange: (value: number) => void;
}) {
  const id = useId();
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <input
        id={id} type="range" min={min} max={max} step={step} value={value}
        onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
      />
      <output for={id}>{step < 1 ? value.toFixed(2) : Math.round(value)}{unit}</output>
    </div>
  );
}

/** A box to tick, with its words. */
export function Tick({ label, checked, onChange, hint }: {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly hint?: string;
}) {
  return (
    <label class="tick" title={hint}>
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

/** A window in front of the page: the browser keeps focus inside; Escape closes it. */
export function Dialog({ title, onClose, children, kind = "" }: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  /** "wide" for what needs room; "high" for a list that grows and shrinks below its head. */
  readonly kind?: "" | "wide" | "high";
}) {
  const place = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    place.current?.showModal();
    return () => (before instanceof HTMLElement ? before.focus() : undefined);
  }, []);
  const outside = (event: JSX.TargetedMouseEvent<HTMLDialogElement>): void => {
    if (event.target === event.currentTarget) onClose();
  };
  return (
    <dialog ref={place} class={kind} aria-labelledby={id} onCancel={onClose} onClick={outside}>
      <div class="dialog">
        <header>
          <h2 id={id}>{title}</h2>
          <Button icon="close" title={t.close} kind="quiet" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** Tabs over one panel; arrow keys move between them. */
export function Tabs<Name extends string>({ label, tabs, open, onOpen, children }: {
  readonly label: string;
  readonly tabs: readonly { readonly name: Name; readonly words: string; readonly icon?: IconName; readonly count?: number; readonly bad?: boolean }[];
  readonly open: Name;
  readonly onOpen: (name: Name) => void;
  readonly children: ComponentChildren;
}) {
  const id = useId();
  const move = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by) return;
    const next = tabs[(tabs.findIndex(({ name }) => name === open) + by + tabs.length) % tabs.length];
    onOpen(next.name);
    document.getElementById(`${id}${next.name}`)?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map(({ name, words, icon, count, bad }) => (
          <button
            type="button" role="tab" key={name} id={`${id}${name}`} aria-selected={name === open} aria-controls={`${id}panel`}
            tabIndex={name === open ? 0 : -1} aria-label={icon && words} title={icon && words} onClick={() => onOpen(name)}
          >
            {icon ? <Icon name={icon} /> : words}
            {!!count && <span class={bad ? "badge bad" : "badge"} title={String(count)}>{count > 999 ? "1k+" : count}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}panel`} aria-labelledby={`${id}${open}`} tabIndex={0}>
        {children}
      </div>
    </div>
  );
}

/** A share as a bar with words for those who do not see it. */
export function Bar({ share, label, bad }: { readonly share: number; readonly label: string; readonly bad?: boolean }) {
  return (
    <span class={bad ? "bar bad" : "bar"} role="img" aria-label={label} title={label}>
      <span style={{ width: `${Math.max(0, Math.min(1, share)) * 100}%` }} />
    </span>
  );
}

/** A coloured square. */
export const Swatch = ({ colour: [r, g, b] }: { readonly colour: Rgb }) => <span class="swatch" style={{ background: `rgb(${r} ${g} ${b})` }} />;

interface Notice {
  readonly id: number;
  readonly words: string;
  readonly bad: boolean;
}

const notices = signal<readonly Notice[]>([]);
let count = 0;

/** Says something to the user for a while. */
export function tell(words: string, { bad = false } = {}): void {
  const id = ++count;
  notices.value = [...notices.value.filter((other) => other.words !== words), { id, words, bad }].slice(-4);
  setTimeout(() => (notices.value = notices.value.filter((other) => other.id !== id)), bad ? 12_000 : 5_000);
}

/** Does something that may fail, and says so when it does. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error), { bad: true });
    return undefined;
  }
}

/** Where notices appear. */
export const Notices = () => (
  <div class="notices" role="status" aria-live="polite">
    {notices.value.map(({ id, words, bad }) => (
      <div key={id} class={bad ? "notice bad" : "notice"}>
        <span>{words}</span>
        <Button icon="close" title={t.close} kind="quiet" onClick={() => (notices.value = notices.value.filter((other) => other.id !== id))} />
      </div>
    ))}
  </div>
);
