/** Every state of a small machine, breadth first: what is found broken comes with its shortest way there. */

export interface Step<S> {
  readonly name: string;
  readonly next: S;
  /** It may come or not (a crash, say): what must happen cannot wait for it. */
  readonly optional?: boolean;
}

/** A machine without hidden state: the same state always takes the same steps. */
export interface Model<S> {
  readonly initial: S;
  steps(state: S): readonly Step<S>[] | Promise<readonly Step<S>[]>;
  /** Asked of every state; names what is broken. */
  invariant(state: S): string | undefined;
  /** Asked of states where all may rest; names what is missing. */
  final(state: S): string | undefined;
}

export interface Counterexample {
  readonly broken: string;
  /** Names of the steps that lead there. */
  readonly trace: readonly string[];
}

export interface Explored<S> {
  readonly states: number;
  readonly steps: number;
  /** States where all may rest. */
  readonly ends: readonly S[];
  readonly counterexample: Counterexample | undefined;
}

/** Broken when it is in a circle that nothing leads out of: no single state shows it. */
export const NEVER_ENDS = 'no way leads to an end';

interface Node<S> {
  readonly state: S;
  readonly from: number;
  readonly by: string;
  /** Nodes with a step to this one that is not optional. */
  readonly before: number[];
}

export async function explore<S>(model: Model<S>, limit = 500_000): Promise<Explored<S>> {
  const nodes: Node<S>[] = [{ state: model.initial, from: -1, by: '', before: [] }];
  const known = new Map([[canonical(model.initial), 0]]);
  const ends: number[] = [];
  let steps = 0;
  const explored = (broken?: string, at = 0): Explored<S> => ({
    states: nodes.length,
    steps,
    ends: ends.map((end) => nodeAt(nodes, end).state),
    counterexample: broken === undefined ? undefined : { broken, trace: traceTo(nodes, at) },
  });
  for (let at = 0; at < nodes.length; at += 1) {
    const { state } = nodeAt(nodes, at);
    const broken = model.invariant(state);
    if (broken !== undefined) return explored(broken, at);
    const choices = await model.steps(state);
    if (choices.every((choice) => choice.optional)) {
      const missing = model.final(state);
      if (missing !== undefined) return explored(missing, at);
      ends.push(at);
    }
    steps += choices.length;
    for (const { name, next, optional } of choices) {
      const key = canonical(next);
      const to = known.get(key) ?? nodes.length;
      if (to === nodes.length) {
        if (to >= limit) throw new Error(`More than ${limit} states: the model is too large.`);
        known.set(key, to);
        nodes.push({ state: next, from: at, by: name, before: [] });
      }
      if (!optional) nodeAt(nodes, to).before.push(at);
    }
  }
  const stuck = firstWithoutEnd(nodes, ends);
  return stuck === undefined ? explored() : explored(NEVER_ENDS, stuck);
}

function nodeAt<S>(nodes: readonly Node<S>[], at: number): Node<S> {
  const node = nodes[at];
  if (node === undefined) throw new Error(`There is no state ${at}.`);
  return node;
}

function traceTo<S>(nodes: readonly Node<S>[], at: number): string[] {
  const trace: string[] = [];
  for (let here = at; here > 0; here = nodeAt(nodes, here).from) trace.push(nodeAt(nodes, here).by);
  return trace.toReversed();
}

function firstWithoutEnd<S>(nodes: readonly Node<S>[], ends: readonly number[]): number | undefined {
  const ending = new Set(ends);
  // A set that grows is walked to its new end.
  for (const at of ending) for (const before of nodeAt(nodes, at).before) ending.add(before);
  const stuck = nodes.findIndex((_, at) => !ending.has(at));
  return stuck < 0 ? undefined : stuck;
}

/** JSON whose keys are in order, so that equal states have equal text. */
export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  let text = '';
  const parts = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(parts).sort()) text += `${key}:${canonical(parts[key])},`;
  return `{${text}}`;
}
