/** Times and counts as people read them. Pure. */

const STEPS: readonly (readonly [limitMs: number, unitMs: number, unit: string])[] = [
  [60_000, 1000, 's'],
  [3_600_000, 60_000, 'min'],
  [86_400_000, 3_600_000, 'h'],
  [Infinity, 86_400_000, 'd'],
];

/** A length of time in its two greatest units: `3 d 22 h`, `4 s`, `182 ms`. */
export function span(ms: number): string {
  const length = Math.max(0, ms);
  if (length < 1000) return `${Math.round(length)} ms`;
  const [, unitMs, unit] = STEPS.find(([limitMs]) => length < limitMs) ?? [0, 1000, 's'];
  const whole = Math.floor(length / unitMs);
  const smaller = STEPS[STEPS.findIndex(([, each]) => each === unitMs) - 1];
  const rest = smaller === undefined || whole > LONG ? 0 : Math.floor((length - whole * unitMs) / smaller[1]);
  return rest === 0 || smaller === undefined ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${smaller[2]}`;
}

// From ten of a unit on the next smaller one says nothing.
const LONG = 9;

/** An instant beside now: `4 s ago`, `in 3 min`; exact and in UTC with `--utc`. */
export function instant(at: Date, nowMs: number, { utc = false }: { readonly utc?: boolean }): string {
  if (utc) return at.toISOString();
  const ms = at.getTime() - nowMs;
  return ms > 0 ? `in ${span(ms)}` : `${span(-ms)} ago`;
}

/** `1 task`, `2 tasks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
