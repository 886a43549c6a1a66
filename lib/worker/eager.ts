/** Eager mode: a task runs in the caller, through the serializer, retries at once, links after it (celery/app/task.py, apply). */
import { isOneMessage } from '../canvas/build.ts';
import type { TaskContext } from '../task/context.ts';
import { NotRegistered, TaskRevokedError } from '../base/errors.ts';
import type { Message } from '../wire/message.ts';
import { nextAttempt } from '../wire/next-attempt.ts';
import {
  type EagerOutcome,
  prepareSignature,
  type Producer,
  throughSerializer,
  validateArguments,
} from '../producer/producer.ts';
import { readDocument, tracebackOf, writeDocument } from '../wire/result-document.ts';
import { applyPartial, type Signature } from '../wire/signature.ts';
import { FAILURE, IGNORED, REJECTED, REVOKED, SUCCESS } from '../base/states.ts';
import { createContext } from '../task/task-context.ts';
import { decideArrival, decideEnd, type EndDecision, type Ending } from './decide.ts';
import { callArguments } from './run-attempt.ts';
import { runHooks } from './hooks.ts';
import { limitsOf } from './deadline.ts';
import { runTask } from './run-task.ts';
import type { TaskDefinition } from '../task/registry.ts';

export async function runEager(sent: Message, producer: Producer): Promise<EagerOutcome> {
  let message = throughSerializer(sent);
  const definition = producer.registry.find(message.task);
  if (definition === undefined) {
    throw new NotRegistered(`Eager mode runs tasks of this process only, and none is named '${message.task}'.`);
  }
  for (;;) {
    const expired = expiry(message, producer);
    if (expired !== undefined) return expired;
    const { ending, args, context } = await runOnce(message, definition, producer);
    const decision = ended(ending, message, definition, producer);
    await runHooks(
      { message, definition, context, worker: { ports: producer, invocation: { deadlineMs: Infinity } } },
      decision,
      args,
    );
    if (decision.kind === 'retry') {
      // Celery: retried at once, the countdown is ignored.
      message = throughSerializer(nextAttempt(message, null, decision.overrides));
      continue;
    }
    return follow(message, decision, producer);
  }
}

function expiry(message: Message, producer: Producer): EagerOutcome | undefined {
  const arrival = decideArrival({
    nowMs: producer.clock.nowMs(),
    etaMs: null,
    expiresMs: message.expiresMs,
    hops: 0,
    definition: message,
    unknownDeferrals: 0,
  });
  if (arrival.kind !== 'expired') return undefined;
  const error = new TaskRevokedError('expired');
  return { state: REVOKED, value: undefined, error, traceback: null };
}

async function runOnce(
  message: Message,
  definition: TaskDefinition,
  producer: Producer,
): Promise<{ ending: Ending; args: readonly unknown[]; context: TaskContext }> {
  const { clock, logger, settings } = producer;
  const abort = new AbortController();
  const startMs = clock.nowMs();
  const limits = limitsOf(message, definition.options, startMs, Infinity);
  const contextOf = (args: readonly unknown[]): TaskContext =>
    createContext({
      definition,
      message,
      args,
      queue: message.queue,
      deliveries: 1,
      isEager: true,
      calledDirectly: false,
      ignoreResult: message.ignoreResult ?? definition.options.ignoreResult,
      signal: abort.signal,
      stopMs: limits.hardMs === null ? null : startMs + limits.hardMs,
      clock,
      logger,
      settings,
      store: () => Promise.resolve(),
    });
  let args: readonly unknown[] = message.args;
  let context = contextOf(args);
  try {
    args = await validateArguments(definition, callArguments(message, definition));
    context = contextOf(args);
    return { ending: await runTask(definition, context, args, { abort, limits }, clock), args, context };
  } catch (error) {
    return { ending: { ok: false, error }, args, context };
  }
}

function ended(ending: Ending, message: Message, definition: TaskDefinition, producer: Producer): EndDecision {
  const decision = decideEnd({
    ending,
    options: definition.options,
    retries: message.retries,
    deliveries: definition.options.maxDeliveries,
    nowMs: producer.clock.nowMs(),
    random: producer.random,
  });
  if (decision.kind !== 'success') return decision;
  try {
    // The result goes through the serializer as well: what a reader would get is what the caller gets.
    const text = writeDocument({
      status: SUCCESS,
      result: decision.value,
      traceback: null,
      children: [],
      dateDone: null,
      taskId: message.id,
    });
    return { kind: 'success', value: readDocument(text).result };
  } catch (error) {
    return { kind: 'fail', error, expected: false };
  }
}

async function follow(message: Message, decision: EndDecision, producer: Producer): Promise<EagerOutcome> {
  switch (decision.kind) {
    case 'success': {
      const chain = message.embed.chain ?? [];
      const next = chain.at(-1);
      for (const sig of message.embed.callbacks ?? []) await runChild(message, sig, [decision.value], {}, producer);
      if (next) await runChild(message, next, [decision.value], { chain: chain.slice(0, -1) }, producer);
      return { state: SUCCESS, value: decision.value, error: undefined, traceback: null };
    }
    case 'fail':
      for (const sig of message.embed.errbacks ?? []) await runChild(message, sig, [message.id], {}, producer);
      if (producer.settings.eagerPropagates) throw decision.error;
      return { state: FAILURE, value: undefined, error: decision.error, traceback: tracebackOf(decision.error) };
    case 'reject':
      return { state: REJECTED, value: undefined, error: decision.error, traceback: null };
    case 'ignore':
    case 'requeue':
    case 'retry':
      return { state: IGNORED, value: undefined, error: undefined, traceback: null };
    default:
      return decision satisfies never;
  }
}

async function runChild(
  parent: Message,
  sig: Signature,
  sent: readonly unknown[],
  embed: { readonly chain?: NonNullable<Message['embed']['chain']> },
  producer: Producer,
): Promise<void> {
  const whole = { ...sig, args: applyPartial(sig, sent) };
  // A link to a chain, a group or a chord is run by its parts.
  if (!isOneMessage(sig)) {
    await producer.runTree(whole);
    return;
  }
  const call = await prepareSignature(producer, whole, {
    rootId: parent.rootId,
    parentId: parent.id,
    embed,
    hops: parent.celeriac.hops ?? 0,
  });
  await runEager(call.message, producer);
}
