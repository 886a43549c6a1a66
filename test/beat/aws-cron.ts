/**
 * AWS's own schedule expressions, written without the library after EventBridge's cron reference, and strict:
 * what that page does not show is refused, and so are `L`, `W` and `#`, which we never write.
 */

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

const MAX_CHARACTERS = 256;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface FieldGrammar {
  readonly what: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly names: readonly string[];
  readonly steps: boolean;
  readonly any: boolean;
}

const field = (what: string, minimum: number, maximum: number, more: Partial<FieldGrammar> = {}): FieldGrammar => ({
  what,
  minimum,
  maximum,
  names: [],
  steps: true,
  any: false,
  ...more,
});

const GRAMMAR = [
  field('minutes', 0, 59),
  field('hours', 0, 23),
  field('day of month', 1, 31, { any: true }),
  field('month', 1, 12, { names: MONTHS }),
  // The reference gives this one field no slash.
  field('day of week', 1, 7, { names: WEEKDAYS, steps: false, any: true }),
  field('year', 1970, 2199),
] as const;

/** An expression that EventBridge would refuse. */
export class Refused extends Error {}

type Allowed = ReadonlySet<number>;

export class AwsCron {
  readonly #allowed: readonly Allowed[];

  /** @throws Refused */
  constructor(expression: string) {
    if (expression.length > MAX_CHARACTERS) throw new Refused(`${expression.length} characters`);
    const inside = /^cron\(([^()]*)\)$/.exec(expression)?.[1];
    if (inside === undefined) throw new Refused(`'${expression}' is no cron(...)`);
    const texts = inside.split(' ');
    if (texts.length !== GRAMMAR.length) throw new Refused(`${texts.length} fields; six are required`);
    if ((texts[2] === '?') === (texts[4] === '?')) throw new Refused('exactly one of the two day fields is ?');
    this.#allowed = GRAMMAR.map((grammar, index) => parseField(texts[index] ?? '', grammar));
  }

  /** Does it fire in this minute of UTC? */
  matches(utcMs: number): boolean {
    const date = new Date(utcMs);
    return this.#allows(0, date.getUTCMinutes()) && this.#allows(1, date.getUTCHours()) && this.matchesDay(utcMs);
  }

  /** Does it fire on this day of UTC at all? */
  matchesDay(utcMs: number): boolean {
    const date = new Date(utcMs);
    return (
      this.#allows(2, date.getUTCDate()) &&
      this.#allows(3, date.getUTCMonth() + 1) &&
      this.#allows(4, date.getUTCDay() + 1) &&
      this.#allows(5, date.getUTCFullYear())
    );
  }

  /** Minutes of a day on which it fires, ascending. */
  minutesOfDay(): number[] {
    return Array.from({ length: 1440 }, (_, minute) => minute).filter(
      (minute) => this.#allows(0, minute % 60) && this.#allows(1, Math.floor(minute / 60)),
    );
  }

  #allows(index: number, value: number): boolean {
    return this.#allowed[index]?.has(value) ?? false;
  }
}

function parseField(text: string, grammar: FieldGrammar): Allowed {
  const { what, minimum, maximum } = grammar;
  if (text === '*' || (text === '?' && grammar.any)) return numbersFrom(minimum, maximum, 1);
  const allowed = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, last, step] = /^([0-9]+|[A-Z]+)(?:-([0-9]+|[A-Z]+)|\/([0-9]+))?$/.exec(part) ?? [];
    if (first === undefined) throw new Refused(`${what}: '${part}'`);
    const from = valueOf(first, grammar);
    if (step !== undefined && (!grammar.steps || Number(step) < 1 || Number(step) > maximum))
      throw new Refused(`${what}: step '${part}'`);
    const to = last === undefined ? (step === undefined ? from : maximum) : valueOf(last, grammar);
    if (to < from) throw new Refused(`${what}: range '${part}' goes backwards`);
    for (const value of numbersFrom(from, to, Number(step ?? 1))) allowed.add(value);
  }
  return allowed;
}

function valueOf(word: string, { what, minimum, maximum, names }: FieldGrammar): number {
  const value = /^\d/.test(word) ? Number(word) : names.indexOf(word) + minimum;
  const known = /^\d/.test(word) || names.includes(word);
  if (!known || value < minimum || value > maximum || /^0\d/.test(word)) throw new Refused(`${what}: '${word}'`);
  return value;
}

function numbersFrom(first: number, last: number, step: number): Allowed {
  const values = new Set<number>();
  for (let value = first; value <= last; value += step) values.add(value);
  return values;
}

const RATE_SECONDS: Readonly<Record<string, number>> = { minute: 60, hour: 3600, day: 86_400 };

/** Seconds between two firings of `rate(...)`: one `minute`, more `minutes`. @throws Refused */
export function rateSeconds(expression: string): number {
  const [, count = '', unit = '', plural] = /^rate\(([1-9][0-9]*) (minute|hour|day)(s?)\)$/.exec(expression) ?? [];
  const seconds = Number(count) * (RATE_SECONDS[unit] ?? 0);
  if (seconds === 0 || expression.length > MAX_CHARACTERS || (count === '1') !== (plural === ''))
    throw new Refused(`'${expression}' is no rate(...)`);
  return seconds;
}
