/** Random histories of calls, made on two adapters of one port: both must answer alike, refusals included. */
import type fc from 'fast-check';

/** One call of a history. `prefix` goes before every id: each history has ids of its own. */
export interface Call<Port> {
  readonly name: string;
  /** What was drawn, for who reads a counterexample. */
  readonly args: unknown;
  readonly run: (port: Port, prefix: string) => Promise<unknown>;
}

export function call<Port, Args>(
  name: string,
  args: fc.Arbitrary<Args>,
  run: (port: Port, args: Args, prefix: string) => Promise<unknown>,
): fc.Arbitrary<Call<Port>> {
  return args.map((drawn) => ({ name, args: drawn, run: (port, prefix) => run(port, drawn, prefix) }));
}

/** A refusal is an answer: its class counts, its text is each adapter's own. */
async function answerOf(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return { answer: comparable(await run()) };
  } catch (error) {
    return { refusal: error instanceof Error ? error.name : String(error) };
  }
}

/** Keys in order and without those that are undefined: how an adapter puts a record together is its own affair. */
function comparable(value: unknown): unknown {
  if (value instanceof Map)
    return { map: comparable([...value].toSorted(([left], [right]) => (left < right ? -1 : 1))) };
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, field]) => [name, comparable(field)]),
  );
}

export interface Difference {
  readonly at: number;
  readonly call: string;
  readonly first: unknown;
  readonly second: unknown;
}

/** The first call that the two answer differently. */
export async function firstDifference<Port>(
  calls: readonly Call<Port>[],
  first: Port,
  second: Port,
  prefix: string,
): Promise<Difference | undefined> {
  for (const [at, { name, args, run }] of calls.entries()) {
    const one = await answerOf(() => run(first, prefix));
    const other = await answerOf(() => run(second, prefix));
    if (JSON.stringify(one) !== JSON.stringify(other))
      return { at, call: `${name} ${JSON.stringify(args)}`, first: one, second: other };
  }
  return undefined;
}

let histories = 0;

/** A history that is shrunk is run again and again, on adapters that remember each run. */
export function nextPrefix(): string {
  histories += 1;
  return `h${histories}-`;
}
