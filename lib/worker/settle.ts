/**
 * What follows from a committed outcome: links, the next chain step, errbacks, the retry message, the
 * dead letter. Runs once or many times with the same effect: every id is fixed beforehand.
 */
import { encodeJson, decodeJson } from '../json.ts';
import { CeleriacError, ImproperlyConfigured, type RetryOverrides } from '../errors.ts';
import type { Message } from '../message.ts';
import type { ConcludeRequest, OutgoingMessage, Ports, TaskRecord } from '../ports.ts';
import { prepareSignature, type Producer } from '../producer.ts';
import { prepare, type Prepared, publish } from '../publish.ts';
import { argsRepr, kwargsRepr } from '../repr.ts';
import { readDocument, restoreError, writeException } from '../result-document.ts';
import { applyPartial, type Signature, signature } from '../signature.ts';
import { FAILURE, IGNORED, RETRY, SUCCESS } from '../states.ts';
import { derivedId } from '../time.ts';
import { letterFor, sendLetters } from './dead-letter.ts';
import type { Delivery } from './delivery.ts';

/** What settling needs beyond the result document; stored with the commit as JSON. */
export interface Settlement {
  /** Result of a success whose document is not stored (`ignoreResult`), when somebody follows. */
  readonly value?: unknown;
  readonly retry?: { readonly dueMs: number; readonly overrides: RetryOverrides };
  /** Put the message into the dead-letter queue with this reason. */
  readonly deadLetter?: { readonly reason: string; readonly error: string; readonly deliveries: number };
}

/** A committed outcome, as stored. */
export interface Committed {
  readonly status: string;
  /** Result document; absent where it is not stored. */
  readonly meta: string | undefined;
  readonly settlement: Settlement;
}

/** The outcome that an earlier delivery stored. */
export function committedOf(record: TaskRecord): Committed {
  return {
    status: record.status,
    meta: record.ignored ? undefined : record.meta,
    settlement: readSettlement(record.settlement),
  };
}

export function writeSettlement(settlement: Settlement): string | undefined {
  return Object.keys(settlement).length === 0 ? undefined : encodeJson(settlement, 'settlement');
}

function readSettlement(text: string | undefined): Settlement {
  return text === undefined ? {} : (decodeJson(text) as Settlement);
}

/** Somebody waits for the value: it must survive a crash between commit and settle. */
export function hasFollowers(message: Message): boolean {
  const { callbacks, chain } = message.embed;
  return (callbacks?.length ?? 0) > 0 || (chain?.length ?? 0) > 0;
}

export async function settle(
  message: Message,
  delivery: Delivery,
  committed: Committed,
  producer: Producer,
  ports: Ports,
): Promise<void> {
  const { status, settlement } = committed;
  const letters = settlement.deadLetter ? [deadLetter(message, delivery, settlement.deadLetter, ports)] : [];
  const failed: FailedStep[] = [];
  let prepared: Prepared[] = [];
  if (status === SUCCESS) prepared = await followers(message, valueOf(committed), producer, failed);
  else if (status === RETRY) prepared = settlement.retry ? [retryMessage(message, settlement.retry, producer)] : [];
  else {
    prepared = status === FAILURE ? await errbacks(message, producer, failed) : [];
    const cause = causeOf(committed);
    for (const step of message.embed.chain ?? []) failed.push({ step, cause });
  }
  if (message.embed.chord !== null && status !== RETRY) {
    // Said aloud: the chord's body waits for a count that nobody here makes.
    ports.logger.log('warn', `Task ${message.task}[${message.id}] is a member of a chord, which is not counted here`, {
      task: message.task,
      taskId: message.id,
      groupId: message.groupId,
    });
  }
  if (failed.length > 0) await concludeSteps(failed, message, producer, ports);
  if (letters.length > 0) await sendLetters(letters, ports);
  if (prepared.length > 0) await publish(prepared, ports, producer.settings);
}

function valueOf(committed: Committed): unknown {
  if ('value' in committed.settlement) return committed.settlement.value;
  return committed.meta === undefined ? null : readDocument(committed.meta).result;
}

function causeOf(committed: Committed): unknown {
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

interface FailedStep {
  readonly step: Signature;
  readonly cause: unknown;
}

/** Links and the next chain step. What can never be sent is reported in `failed` instead of looping for ever. */
async function followers(
  message: Message,
  value: unknown,
  producer: Producer,
  failed: FailedStep[],
): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  for (const [index, sig] of (message.embed.callbacks ?? []).entries()) {
    await child(message, withId(sig, `${message.id}:link:${index}`), [value], {}, producer, failed, prepared);
  }
  const chain = message.embed.chain ?? [];
  const next = chain.at(-1);
  if (next !== undefined) {
    // Celery's order: the list is reversed, the next step is its last element; an exhausted chain is [].
    const rest = chain.slice(0, -1);
    const before = failed.length;
    await child(
      message,
      withId(next, `${message.id}:chain:${rest.length}`),
      [value],
      { chain: rest },
      producer,
      failed,
      prepared,
    );
    if (failed.length > before) for (const step of rest) failed.push({ step, cause: failed[before]?.cause });
  }
  return prepared;
}

async function errbacks(message: Message, producer: Producer, failed: FailedStep[]): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  for (const [index, sig] of (message.embed.errbacks ?? []).entries()) {
    await child(message, withId(sig, `${message.id}:errback:${index}`), [message.id], {}, producer, failed, prepared);
  }
  return prepared;
}

async function child(
  parent: Message,
  sig: Signature,
  sent: readonly unknown[],
  embed: { readonly chain?: readonly Signature[] },
  producer: Producer,
  failed: FailedStep[],
  prepared: Prepared[],
): Promise<void> {
  try {
    const call = await prepareSignature(
      producer,
      { ...sig, args: applyPartial(sig, sent) },
      {
        rootId: parent.rootId,
        parentId: parent.id,
        embed,
        hops: parent.celeriac.hops ?? 0,
        ...(parent.stampedHeaders === null ? {} : { stampedHeaders: parent.stampedHeaders, stamps: parent.stamps }),
      },
    );
    prepared.push(call.prepared);
  } catch (error) {
    // Bad input stays bad however often the message comes back; anything else may pass.
    if (!CeleriacError.is(error)) throw error;
    failed.push({ step: sig, cause: error });
  }
}

function withId(sig: Signature, name: string): Signature {
  if (typeof sig.options['task_id'] === 'string') return sig;
  return signature(sig.task, {
    args: sig.args,
    kwargs: sig.kwargs,
    options: { ...sig.options, task_id: derivedId(name) },
    immutable: sig.immutable,
    subtaskType: sig.subtask_type,
  });
}

/** Steps that will never run become FAILURE with the cause, so that nobody waits for them. */
async function concludeSteps(
  failed: readonly FailedStep[],
  parent: Message,
  producer: Producer,
  ports: Ports,
): Promise<void> {
  const nowMs = ports.clock.nowMs();
  const requests = new Map<string, ConcludeRequest>();
  for (const { step, cause } of failed) {
    const id = step.options['task_id'];
    if (typeof id !== 'string') continue;
    requests.set(id, {
      id,
      attempt: 0,
      nowMs,
      status: FAILURE,
      name: step.task,
      queue: typeof step.options['queue'] === 'string' ? step.options['queue'] : producer.settings.defaultQueue,
      meta: writeException(FAILURE, cause, {
        children: [],
        dateDone: new Date(nowMs).toISOString(),
        taskId: id,
        parentId: parent.id,
      }),
      expiresAtSeconds: Math.floor(nowMs / 1000) + producer.settings.resultExpiresSeconds,
    });
    ports.logger.log(
      'error',
      `Task ${step.task}[${id}] will not run: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        task: step.task,
        taskId: id,
        parentId: parent.id,
      },
    );
  }
  if (requests.size > 0) await ports.backend.conclude([...requests.values()]);
}

// ------------------------------------------------------- retry, dead letter

export function retryMessage(message: Message, retry: NonNullable<Settlement['retry']>, producer: Producer): Prepared {
  const { overrides } = retry;
  const args = overrides.args ?? message.args;
  const kwargs = overrides.kwargs ?? message.kwargs;
  return prepare(
    {
      ...message,
      args,
      kwargs,
      retries: message.retries + 1,
      etaMs: retry.dueMs,
      expiresMs: overrides.expiresMs ?? message.expiresMs,
      queue: overrides.queue ?? message.queue,
      priority: overrides.priority ?? message.priority,
      headers: overrides.headers ? { ...message.headers, ...overrides.headers } : message.headers,
      // Celery rebuilds them from the real values, which brings hidden secrets back into logs; ours stay as given.
      argsrepr: overrides.args ? argsRepr(args) : message.argsrepr,
      kwargsrepr: overrides.kwargs ? kwargsRepr(kwargs) : message.kwargsrepr,
      celeriac: { ...message.celeriac, hops: (message.celeriac.hops ?? 0) + 1 },
    },
    producer.settings,
  );
}

function deadLetter(
  message: Message,
  delivery: Delivery,
  letter: NonNullable<Settlement['deadLetter']>,
  ports: Ports,
): OutgoingMessage {
  return letterFor(delivery, {
    reason: letter.reason,
    error: letter.error,
    task: message.task,
    task_id: message.id,
    deliveries: String(letter.deliveries),
    failed_at: new Date(ports.clock.nowMs()).toISOString(),
  });
}
