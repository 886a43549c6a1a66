/** Tasks that wait for their time in the table, the next ones first. */
import { LATEST_DUE_MS } from '../base/limits.ts';
import type { Timer, Timers } from '../ports/timers.ts';
import { decodeHeaders, decodeMessage } from '../wire/decode-message.ts';
import type { Message } from '../wire/message.ts';

/** A stored message that is due later. What cannot be read has no name. */
export interface ScheduledTask {
  readonly id: string;
  readonly due: Date;
  readonly queue: string;
  /** Number of the attempt, from 0. */
  readonly retries: number;
  readonly name?: string;
  /** The arguments as logs show them, shortened. */
  readonly args?: string;
}

/**
 * The `limit` that come due first; `more` where there may be others. A page of each of the store's parts is read, whatever
 * is stored. What waits for less than a quarter of an hour lies in SQS, which can only count it.
 */
export async function scheduledTasks(
  timers: Timers,
  { shards, limit }: { readonly shards: number; readonly limit: number },
): Promise<{ readonly tasks: readonly ScheduledTask[]; readonly more: boolean }> {
  const parts = Array.from({ length: shards }, (_, part) => part);
  const found = (await Promise.all(parts.map((part) => firstOf(timers, part, limit)))).flat();
  const sorted = found.toSorted((left, right) => left.dueMs - right.dueMs);
  return { tasks: sorted.slice(0, limit).map(taskOf), more: sorted.length > limit };
}

async function firstOf(timers: Timers, part: number, limit: number): Promise<readonly Timer[]> {
  let first: readonly Timer[] | undefined;
  try {
    // One more than is shown tells whether there are more.
    await timers.eachDue({ untilMs: LATEST_DUE_MS, limit: limit + 1, parts: [part] }, (page) => {
      first = page;
      // A page is enough; nothing else ends a visit. A store may make another error of this one.
      return Promise.reject(new Error('enough'));
    });
  } catch (error) {
    if (first === undefined) throw error;
  }
  return first ?? [];
}

function taskOf({ id, attempt, dueMs, message }: Timer): ScheduledTask {
  return { id, due: new Date(dueMs), queue: message.queue, retries: attempt, ...contentOf(message.body) };
}

/** Protocol 1 has them in its body; of what is stored elsewhere there is no body here. */
function headersOf(body: string): Pick<Message, 'task' | 'argsrepr'> {
  try {
    return decodeMessage(body);
  } catch {
    return decodeHeaders(body);
  }
}

function contentOf(body: string): Pick<ScheduledTask, 'name' | 'args'> {
  try {
    const { task, argsrepr } = headersOf(body);
    return { name: task, ...(argsrepr === '' ? {} : { args: argsrepr }) };
  } catch {
    return {};
  }
}
