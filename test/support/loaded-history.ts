/** A history as a busy service leaves it: ends that workers note batch by batch, and that the sweeper rolls up behind them. */
import { silentLogger } from 'celeriac';
import { ManualClock } from 'celeriac/testing';

import { rollUp } from '../../lib/history/roll-up.ts';
import type { History } from '../../lib/ports/history.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import type { Committed } from '../../lib/worker/committed.ts';
import { notesOf } from '../../lib/worker/history-notes.ts';
import { envelope } from './one-delivery.ts';

/** As Lambda gets them from SQS. */
const BATCH = 10;
// The sweeper comes once a minute, and then finds one minute; ten of them cost a tenth of its requests.
const STEP_MS = 600_000;
const WAITED_MS = 300;
const AT_ONCE = 16;

/** Whose attempts they are. */
export interface LoadedTask {
  readonly task: string;
  readonly queue: string;
  /** How often it fails, 0 to 1. */
  readonly failing: number;
  /** How long it runs, milliseconds. */
  readonly runMs: number;
}

export interface Load {
  readonly history: History;
  /** How many attempts end. */
  readonly attempts: number;
  /** The first of them ends then, milliseconds since the epoch. */
  readonly fromMs: number;
  /** The last of them ends before it. */
  readonly untilMs: number;
  /** They take turns. */
  readonly tasks: readonly LoadedTask[];
}

/** Ends are spread evenly; ids are `load-0`, `load-1`, in the order in which they end. */
export async function loadHistory({ history, attempts, fromMs, untilMs, tasks }: Load): Promise<void> {
  const clock = new ManualClock(fromMs);
  const ports = { clock, logger: silentLogger, history };
  const plain = decodeMessage(envelope());
  const endedMs = (index: number): number => fromMs + Math.floor(((untilMs - fromMs) * index) / attempts);
  const writeBatch = async (first: number): Promise<void> => {
    const notes = notesOf('all', ports, `invocation-${first}`);
    for (let index = first; index < Math.min(attempts, first + BATCH); index += 1) {
      const own = tasks[index % tasks.length] as LoadedTask;
      const atMs = endedMs(index);
      const startedMs = atMs - own.runMs * (1 + (index % 7));
      const message = {
        ...plain,
        id: `load-${index}`,
        task: own.task,
        queue: own.queue,
        argsrepr: `('order ${index}',)`,
      };
      const delivery = {
        messageId: `m${index}`,
        receipt: '',
        body: '',
        queue: own.queue,
        receiveCount: 1,
        sentMs: startedMs - WAITED_MS * (1 + (index % 11)),
      };
      await notes.note(message, delivery, outcomeOf(Math.floor(index / tasks.length), own, { atMs, startedMs }));
    }
    const again = await notes.write();
    if (again.length > 0) throw new Error(`${again.length} ends were not written`);
  };
  let next = 0;
  for (let stepMs = fromMs; stepMs < untilMs; stepMs += STEP_MS) {
    const stepEndMs = Math.min(untilMs, stepMs + STEP_MS);
    const batches: number[] = [];
    for (; next < attempts && endedMs(next) < stepEndMs; next += BATCH) batches.push(next);
    // What is written later than its minute would be noted as late.
    clock.moveTo(stepMs);
    for (let from = 0; from < batches.length; from += AT_ONCE)
      await Promise.all(batches.slice(from, from + AT_ONCE).map(writeBatch));
    clock.moveTo(stepEndMs);
    await rollUp(ports);
  }
}

/** @param turn how often its task has ended before */
function outcomeOf(
  turn: number,
  { failing }: LoadedTask,
  ended: { readonly atMs: number; readonly startedMs: number },
): Committed {
  const common = { settlement: {}, ended: { ...ended, attempt: 0, deliveries: 1 } };
  // Spread over the whole time, whatever the share.
  const fails = Math.floor((turn + 1) * failing) > Math.floor(turn * failing);
  if (!fails) return { ...common, status: 'SUCCESS', meta: undefined };
  const result = { exc_type: 'TypeError', exc_message: ['the order has no total'], exc_module: 'orders' };
  return { ...common, status: 'FAILURE', meta: JSON.stringify({ status: 'FAILURE', result }) };
}
