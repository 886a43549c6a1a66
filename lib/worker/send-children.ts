/** The messages that follow from an outcome, on their way out. */
import { attemptNumber } from '../wire/attempt-number.ts';
import { defineChords } from '../producer/apply-canvas.ts';
import { FRESH } from '../canvas/compile.ts';
import { EnqueueFailed } from '../base/errors.ts';
import { isPassing } from '../base/passing.ts';
import type { Ports } from '../ports/ports.ts';
import type { TaskRecord } from '../ports/backend.ts';
import type { App } from '../producer/app.ts';
import type { Prepared } from '../producer/publish.ts';
import { publishTelling } from '../producer/publish-signals.ts';
import { followUnsendable } from './children.ts';
import type { Child, Settling } from './settling.ts';
import type { Committed } from './committed.ts';

export async function sendChildren(settling: Settling, committed: Committed): Promise<void> {
  const { parent, app, ports } = settling;
  const prepared = settling.outbox.take();
  const known = settling.again && parent.celeriac[FRESH] === true;
  const due = known ? await notStarted(prepared, ports) : prepared;
  const noted = committed.settledAttempt === attemptNumber(parent);
  const open = noted ? due.filter((child) => !goesToExternalQueue(child, app)) : due;
  const chords = settling.pending.take('chord').map(({ chord }) => chord);
  await defineChords(chords, ports, app.settings);
  if (open.length > 0) await publishChildren(settling, open);
  if (open.some((child) => goesToExternalQueue(child, app)))
    await ports.backend.noteSettled({ id: parent.id, attempt: attemptNumber(parent) });
}

/** A child that the service refuses for good will never run: it has failed, like one that could not be prepared. */
async function publishChildren(settling: Settling, open: readonly Child[]): Promise<void> {
  const { app, ports } = settling;
  try {
    await publishTelling(app, open, ports);
  } catch (error) {
    if (!EnqueueFailed.is(error) || isPassing(error)) throw error;
    for (const [index, outcome] of (error as EnqueueFailed).outcomes.entries()) {
      if (outcome.ok) continue;
      const child = open[index];
      // A retry is the task itself.
      if (child?.step === undefined) throw error;
      await followUnsendable(settling, { ...child.step, id: child.id }, error);
    }
  }
}

/**
 * Ours run once however often they are sent. Others do not: that they have been sent is noted, so that a delivery
 * which comes back does not send them again.
 */
function goesToExternalQueue({ outgoing }: Prepared, { settings }: App): boolean {
  return settings.queues[outgoing.queue]?.external === true;
}

/**
 * What a worker has claimed has a message, which stays until it is settled. Sent again it would do no harm, but
 * its copies would send all that follows again, and theirs too: a duplicate must not multiply down the tree.
 */
async function notStarted(prepared: readonly Prepared[], ports: Ports): Promise<readonly Prepared[]> {
  if (prepared.length === 0) return prepared;
  const ids = prepared.map(({ id }) => id);
  const records = await ports.backend.get(ids, ports.clock.nowMs(), 'state');
  return prepared.filter(({ attempt }, index) => {
    const record = records[index];
    if (record === undefined || isStoredByCelery(record)) return record === undefined;
    return record.owner === undefined || (record.attempt ?? -1) < attempt;
  });
}

/** Celery's workers claim nothing: what they have stored says that they have the message. */
function isStoredByCelery({ attempt, revokedMs, meta }: TaskRecord): boolean {
  return attempt === undefined && revokedMs === undefined && meta !== undefined;
}
