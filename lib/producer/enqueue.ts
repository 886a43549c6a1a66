/** Sending by task or by name. */
import type { ApplyOptions } from '../options/apply-options.ts';
import { recordChildren } from '../task/context.ts';
import { requireKnown, requireKnownTree } from './known-tasks.ts';
import { prepareCall, prepareSignature, type Call, type Producer } from './producer.ts';
import { publish } from './publish.ts';
import { AsyncResult } from '../results/result.ts';
import type { Signature } from '../wire/signature.ts';
import type { Lineage } from '../options/signature-options.ts';

/** Sends one call. Bad input throws before anything is sent. */
export async function sendCall(
  producer: Producer,
  name: string,
  args: readonly unknown[],
  options: ApplyOptions = {},
  lineage: Lineage = {},
): Promise<AsyncResult> {
  const send = (to: Producer): Promise<AsyncResult> => sendNow(to, name, args, options, lineage);
  return producer.settings.alwaysEager ? producer.runEager(send) : send(producer);
}

/** Runs one call here, whatever the settings say. */
export function applyCall(
  producer: Producer,
  name: string,
  args: readonly unknown[],
  options: ApplyOptions = {},
): Promise<AsyncResult> {
  return producer.runEager((eager) => sendNow(eager, name, args, options, {}));
}

async function sendNow(
  producer: Producer,
  name: string,
  args: readonly unknown[],
  options: ApplyOptions,
  lineage: Lineage,
): Promise<AsyncResult> {
  const call = await prepareCall(producer, name, args, options, lineage);
  if (producer.eager !== undefined) {
    const { callbacks, errbacks } = call.message.embed;
    requireKnown(producer, { ...call.message, task: name });
    for (const sig of [...(callbacks ?? []), ...(errbacks ?? [])]) requireKnownTree(producer, sig);
  }
  const ports = await producer.ports();
  await publish([call.prepared], ports, producer.settings, policyOf(producer, call));
  if (producer.eager === undefined) recordChildren([call.message.id]);
  return resultOf(producer, call);
}

/**
 * Sends many signatures: ten in a request, partial failures retried.
 *
 * @throws EnqueueFailed whose `outcomes` tell of each item, when some could not be sent; bad input throws
 * before anything is sent.
 */
export async function sendMany(producer: Producer, signatures: readonly Signature[]): Promise<AsyncResult[]> {
  const send = (to: Producer): Promise<AsyncResult[]> => sendManyNow(to, signatures);
  return producer.settings.alwaysEager ? producer.runEager(send) : send(producer);
}

async function sendManyNow(producer: Producer, signatures: readonly Signature[]): Promise<AsyncResult[]> {
  const calls: Call[] = [];
  for (const sig of signatures) requireKnownTree(producer, sig);
  for (const sig of signatures) calls.push(await prepareSignature(producer, sig));
  if (calls.length > 0) {
    const ports = await producer.ports();
    await publish(
      calls.map((call) => call.prepared),
      ports,
      producer.settings,
      producer.settings.retry ? producer.settings.retryPolicy : null,
    );
    if (producer.eager === undefined) recordChildren(calls.map((call) => call.message.id));
  }
  return calls.map((call) => resultOf(producer, call));
}

function policyOf(producer: Producer, call: Call): ReturnType<() => Producer['settings']['retryPolicy'] | null> {
  const retry = call.options.retry ?? producer.settings.retry;
  return retry ? (call.options.retryPolicy ?? producer.settings.retryPolicy) : null;
}

function resultOf(producer: Producer, call: Call): AsyncResult {
  // Who runs it here has its result all the same.
  const ignored =
    producer.eager === undefined &&
    (call.message.ignoreResult ?? producer.registry.find(call.message.task)?.options.ignoreResult ?? false);
  return new AsyncResult(call.message.id, producer, { ignored });
}
