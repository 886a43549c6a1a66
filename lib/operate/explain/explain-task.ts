/** `app.explain()`: reads what is stored of a task, and tells why it stands where it stands. */
import { idIn, refuseUnknownKeys, shown } from '../../base/checks.ts';
import { InvalidOption } from '../../base/errors.ts';
import type { App } from '../../producer/app.ts';
import { explain } from './explain.ts';
import { factsOf } from './facts.ts';
import type { Explanation } from './reasons.ts';

/** What is known of the task beside its id: of a message that no worker has seen nothing is stored but what a key tells. */
export interface ExplainOptions {
  /** Name of the task: with it, calls that are gathered (`debounce`) are found. */
  readonly task?: string;
  /** The key of its `debounce`. Default: that of a task without one. */
  readonly key?: string;
  /** Name of the queue that it was sent to: only that one is counted. */
  readonly queue?: string;
}

const KEYS: ReadonlySet<string> = new Set<keyof ExplainOptions>(['task', 'key', 'queue']);

/** @throws InvalidOption */
export async function explainTask(app: App, id: string, options: ExplainOptions = {}): Promise<Explanation> {
  idIn(id, 'explain()');
  refuseUnknownKeys(options, KEYS, 'explain()');
  for (const [field, value] of Object.entries(options))
    if (value !== undefined && (typeof value !== 'string' || (value === '' && field !== 'key')))
      throw new InvalidOption(`${field} of explain(): ${shown(value)} given; text is allowed.`);
  return explain(await factsOf(id, options, app, await app.ports()));
}
