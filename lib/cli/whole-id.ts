/** An id as a person gives it: whole, or so much of its beginning as no other one has. */
import { idsBeginningWith } from '../operate/task-ids.ts';
import { taskStates } from '../operate/task-summary.ts';
import { PENDING } from '../base/states.ts';
import { UsageError } from './failures.ts';
import type { Output } from './output.ts';
import type { Service } from './service.ts';

/** A UUID's length. */
export const WHOLE_ID_CHARACTERS = 36;
// Less is the beginning of anything.
const SHORTEST_CHARACTERS = 4;
/** Of what is to be changed: not all tasks are listed, and one that is must not be taken for another by chance. */
export const SHORTEST_TO_CHANGE = 8;

/**
 * One that is known by itself is meant by itself. What is found nowhere is taken as it is: SQS alone may know it.
 *
 * @throws UsageError for a beginning that several tasks have
 */
export async function wholeId(
  id: string,
  { app, environment }: Service,
  output: Output,
  shortest: number = SHORTEST_CHARACTERS,
): Promise<string> {
  if (id.length >= WHOLE_ID_CHARACTERS || id.length < shortest) return id;
  const ports = await app.ports();
  const [own] = await taskStates([id], ports).catch(() => []);
  if (own !== undefined && (own.state !== PENDING || own.name !== undefined)) return id;
  const { timerShards } = environment;
  const only = onlyOf(id, await idsBeginningWith(id, { ports, history: app.history, timerShards }));
  if (only !== id) output.say(`'${id}' is the beginning of ${only}.`);
  return only;
}

/**
 * The one id that begins so, or the given one: that may itself be the beginning of others.
 *
 * @throws UsageError where several begin so
 */
export function onlyOf(id: string, beginning: readonly string[]): string {
  if (beginning.includes(id)) return id;
  if (beginning.length > 1)
    throw new UsageError(
      `'${id}' is the beginning of ${beginning.length} task ids: ${beginning.slice(0, 3).join(', ')}${beginning.length > 3 ? ', …' : ''}.`,
    );
  return beginning[0] ?? id;
}
