/**
 * Chords that are polled for (celery/app/builtins.py, `unlock_chord`): a Celery before 5.4, or one whose own backend
 * cannot count, sends this task beside the members, to the queue of the body.
 */
import { applySignature } from '../producer/apply-canvas.ts';
import { chainOf, chainSteps, chordParts, givenId, groupMembers, groupOf, withOptions } from '../canvas/build.ts';
import type { TaskContext } from '../task/context.ts';
import { ChordError, InvalidSignature } from '../base/errors.ts';
import { decodeJsonKeepingTypes } from '../wire/json.ts';
import type { TaskRecord } from '../ports/backend.ts';
import type { App } from '../producer/app.ts';
import { readDocument } from '../wire/result-document.ts';
import { taskIdsIn } from '../wire/celery-group.ts';
import { readSignature, type Signature, signature, withParts } from '../wire/signature.ts';
import { isFinal, SUCCESS } from '../base/states.ts';
import { derivedId } from '../base/ids.ts';
import { chordErrorOf } from '../worker/gather.ts';
import { fold } from '../canvas/fold.ts';
import { FAIL_TASK } from '../canvas/own-tasks.ts';

// Celery looks every second for as long as it takes; a look here is a message.
const LONGEST_INTERVAL_SECONDS = 30;

/** Looks for the results of a header, and sends the body when all are there. Gives its id. */
export async function unlockChord(
  app: App,
  context: TaskContext,
  args: readonly unknown[],
): Promise<string | undefined> {
  const { kwargs, retries } = context.request;
  const body = readSignature(args[1] ?? kwargs['callback']);
  const members = kwargs['result'];
  if (body === undefined || !Array.isArray(members))
    throw new InvalidSignature('celery.chord_unlock needs the body of a chord, and the results of its header.');
  const ids = members.flatMap(taskIdsIn);
  const { backend } = await app.ports();
  const records = await backend.get(ids, app.clock.nowMs());
  if (!records.every((record) => record !== undefined && isFinal(record.status))) {
    const interval = typeof kwargs['interval'] === 'number' ? kwargs['interval'] : 1;
    const countdown = Math.min(LONGEST_INTERVAL_SECONDS, interval * 2 ** Math.min(retries, 10));
    context.retry({ countdown, maxRetries: null });
  }
  const failed = records.findIndex((record) => record?.status !== SUCCESS);
  const whole = failed < 0 ? withResults(body, records) : failing(body, dependency(ids[failed] ?? '', records[failed]));
  // A body without an id gets the one that a redelivery gives it again.
  const taskId = givenId(body) ?? derivedId(`${context.request.id}:body`);
  const { id } = await applySignature(app, whole, { taskId });
  return id;
}

function withResults(body: Signature, records: readonly (TaskRecord | undefined)[]): Signature {
  const results = records.map((record) =>
    record?.meta === undefined ? null : readDocument(record.meta, decodeJsonKeepingTypes).result,
  );
  return body.immutable ? body : withParts(body, { args: [results, ...body.args] });
}

function dependency(id: string, record: TaskRecord | undefined): string {
  return record?.meta === undefined ? `Dependency ${id} ended as ${record?.status}` : chordErrorOf(record, id).message;
}

/** A tree in the place of another, which fails as if that had run: its ids, error links and what follows are the same. */
function failing(sig: Signature, message: string): Signature {
  return fold(sig, {
    task: () => {
      const { queue: _queue, ...options } = sig.options;
      return signature(FAIL_TASK, { args: [message], options, immutable: true });
    },
    chain: () => {
      const [first, ...rest] = chainSteps(sig);
      return first === undefined ? sig : chainOf([failing(first, message), ...rest], sig.options);
    },
    group: (group) =>
      groupOf(
        groupMembers(group).map((member) => failing(member, message)),
        group.options,
      ),
    chord: () => failing(withOptions(chordParts(sig).body, sig.options), message),
  });
}

/** What the task does. */
export function fail(args: readonly unknown[]): never {
  throw new ChordError(String(args[0]));
}
