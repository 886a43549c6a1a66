/**
 * What follows from a committed outcome: links, the next chain step, errbacks, the retry message, the
 * dead letter. Runs once or many times with the same effect: every id is fixed beforehand.
 */
import { decodeJsonKeepingTypes } from '../wire/json.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { REFUSED_RECEIVES } from '../base/limits.ts';
import type { Message } from '../wire/message.ts';
import { nextAttempt } from '../wire/next-attempt.ts';
import type { OutgoingMessage } from '../ports/broker.ts';
import type { Ports } from '../ports/ports.ts';
import type { Producer } from '../producer/producer.ts';
import { prepare, type Prepared } from '../producer/publish.ts';
import { readDocument, restoreError } from '../wire/result-document.ts';
import { FAILURE, IGNORED, RETRY, SUCCESS } from '../base/states.ts';
import { derivedId } from '../base/ids.ts';
import { addChild, addErrback, childId } from './children.ts';
import type { Child, Settling } from './settling.ts';
import { celeryMember, countMember } from './celery-chord.ts';
import { deadLetter, sendDeadLetters } from './dead-letter.ts';
import type { Delivery } from '../ports/delivery.ts';
import { OutOfTime } from './deadline.ts';
import { concludeSteps } from './failed-steps.ts';
import { markMembers, markOf } from './group-marks.ts';
import { failedRequest } from './inline-errback.ts';
import { sendChildren } from './send-children.ts';
import { inWindows, Outbox, Progress } from './windows.ts';
import type { Worker } from './worker.ts';
import type { Committed, Settlement } from './committed.ts';

/** Somebody waits for the value: it must survive a crash between commit and settle. */
export function hasFollowers(message: Message): boolean {
  const { callbacks, chain, chord } = message.embed;
  return (callbacks?.length ?? 0) > 0 || (chain?.length ?? 0) > 0 || chord !== null;
}

/** @throws SettleInterrupted where the time is nearly over: the next delivery goes on. */
export async function settle(
  message: Message,
  delivery: Delivery,
  committed: Committed,
  worker: SettlingWorker,
): Promise<void> {
  const { ports } = worker;
  const letters = deadLetters(message, delivery, committed, ports);
  const settling = settlingOf(message, committed, letters, worker, delivery.receiveCount >= REFUSED_RECEIVES);
  try {
    await addAll(settling, committed);
    await settling.drain();
  } catch (error) {
    if (error instanceof OutOfTime) await settling.progress.save();
    throw error;
  }
  await sendDeadLetters(letters.splice(0), ports);
  await settling.finish();
  await settling.progress.finish();
}

type SettlingWorker = Pick<Worker, 'producer' | 'ports' | 'invocation' | 'invocationStartMs'>;

function settlingOf(
  message: Message,
  committed: Committed,
  letters: OutgoingMessage[],
  { producer, ports, invocation: { deadlineMs }, invocationStartMs: startMs }: SettlingWorker,
  lastTry: boolean,
): Settling {
  // Of this very outcome: a task that is run anew under its old id sends all of its own.
  const name = derivedId(`${message.id}:${message.retries}:progress:${outcomeName(message, committed, producer)}`);
  const settling: Settling = {
    parent: message,
    producer,
    ports,
    deadlineMs,
    again: committed.again === true,
    lastTry,
    outbox: new Outbox<Child>(),
    progress: new Progress(name, ports, { startMs, deadlineMs }),
    inline: [],
    failed: [],
    conclusions: new Map(),
    members: [],
    marks: [],
    chords: [],
    afterwards: [],
    finish: async () => {
      for (const task of settling.afterwards.splice(0)) await task();
      // Last, since they may take as long as there is time: nobody else waits for them.
      for (const call of settling.inline.splice(0)) await call();
    },
    drain: async () => {
      // A failed step may be the last member of a group, whose body may be a step that fails: until nothing follows.
      while (!isDrained(settling)) {
        await concludeSteps(settling);
        await markMembers(settling);
        if (settling.failed.length > 0) continue;
        await sendDeadLetters(letters.splice(0), ports);
        await sendChildren(settling, committed);
      }
    },
  };
  return settling;
}

/** An idempotent task stores no outcome that a redelivery would find: it runs again, and goes on where it was. */
function outcomeName(message: Message, committed: Committed, { registry }: Producer): string {
  return registry.find(message.task)?.options.idempotent === true ? '' : (committed.meta ?? '');
}

function isDrained({ failed, conclusions, marks, outbox }: Settling): boolean {
  return failed.length === 0 && conclusions.size === 0 && marks.length === 0 && outbox.isEmpty;
}

async function addAll(settling: Settling, committed: Committed): Promise<void> {
  const { parent, producer } = settling;
  const { status, settlement } = committed;
  if (status === RETRY) {
    if (settlement.retry) settling.outbox.add(retryMessage(parent, settlement.retry, producer));
    return;
  }
  if (status === SUCCESS) await addFollowers(settling, valueOf(committed));
  else await addFailure(settling, status, committed);
  const mark = markOf(parent, status !== SUCCESS);
  if (mark !== undefined) settling.marks.push(mark);
  const member = celeryMember(parent);
  if (member !== undefined) await countMember(settling, member);
}

function valueOf(committed: Committed): unknown {
  if ('value' in committed.settlement) return committed.settlement.value;
  return committed.meta === undefined ? null : readDocument(committed.meta, decodeJsonKeepingTypes).result;
}

function causeOf(committed: Committed, { parent, producer: { eager } }: Settling): unknown {
  if (eager?.errors.has(parent.id) === true) return eager.errors.get(parent.id);
  if (committed.status === IGNORED)
    return new ImproperlyConfigured('An earlier step of the chain raised Ignore, so there is no result to go on with.');
  if (committed.meta === undefined)
    return new ImproperlyConfigured(`An earlier step of the chain ended as ${committed.status}.`);
  const document = readDocument(committed.meta);
  return document.result === null
    ? new ImproperlyConfigured(`An earlier step of the chain ended as ${document.status}.`)
    : restoreError(document);
}

// --------------------------------------------------------------- children

/** Links and the next chain step. */
async function addFollowers(settling: Settling, value: unknown): Promise<void> {
  const { parent } = settling;
  await inWindows(settling, 'links', parent.embed.callbacks ?? [], (sig, index) =>
    addChild(settling, sig, childId(sig, `${parent.id}:link:${index}`), { args: [value] }),
  );
  const chain = parent.embed.chain ?? [];
  const next = chain.at(-1);
  if (next === undefined) return;
  // Celery's order: the list is reversed, the next step is its last element; an exhausted chain is [].
  const rest = chain.slice(0, -1);
  await addChild(settling, next, childId(next, `${parent.id}:chain:${rest.length}`), { args: [value] }, rest);
}

/** Error links, and the end of a chain whose earlier step has no result. */
async function addFailure(settling: Settling, status: string, committed: Committed): Promise<void> {
  const { parent } = settling;
  if (status === FAILURE) {
    const { traceback } = committed.meta === undefined ? { traceback: null } : readDocument(committed.meta);
    const failed = { request: failedRequest(parent), error: causeOf(committed, settling), traceback };
    await inWindows(settling, 'errbacks', parent.embed.errbacks ?? [], (sig, index) =>
      addErrback(settling, sig, `${parent.id}:errback:${index}`, failed),
    );
  }
  const chain = parent.embed.chain ?? [];
  if (chain.length === 0) return;
  const cause = causeOf(committed, settling);
  await inWindows(settling, 'chain', chain, async (step, index) => {
    settling.failed.push({ signature: step, id: childId(step, `${parent.id}:chain:${index}`), cause });
    return Promise.resolve();
  });
}

// ------------------------------------------------------- retry, dead letter

export function retryMessage(message: Message, retry: NonNullable<Settlement['retry']>, producer: Producer): Prepared {
  // Celery: who runs a task here does not wait for its retry.
  const dueMs = producer.eager === undefined ? retry.dueMs : null;
  return prepare(nextAttempt(message, dueMs, retry.overrides), producer.settings, { asPython: true });
}

function deadLetters(message: Message, delivery: Delivery, { settlement }: Committed, ports: Ports): OutgoingMessage[] {
  const { deadLetter: cause } = settlement;
  return cause === undefined ? [] : [deadLetter(delivery, cause, message, ports)];
}
