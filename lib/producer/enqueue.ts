/** Sending by task or by name. */
import type { ApplyOptions } from '../options/apply-options.ts';
import { recordChildren } from '../task/context.ts';
import { requireKnownTree } from './known-tasks.ts';
import { prepareCall, prepareSignature, type Call, type Producer } from './producer.ts';
import { publish } from './publish.ts';
import { EagerResult } from '../results/eager-result.ts';
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
  const call = await prepareCall(producer, name, args, options, lineage);
  if (producer.settings.alwaysEager) return runCall(producer, call);
  const ports = await producer.ports();
  await publish([call.prepared], ports, producer.settings, policyOf(producer, call));
  recordChildren([call.message.id]);
  return resultOf(producer, call);
}

/** Runs one call here, whatever the settings say. */
export async function applyCall(
  producer: Producer,
  name: string,
  args: readonly unknown[],
  options: ApplyOptions = {},
): Promise<AsyncResult> {
  return runCall(producer, await prepareCall(producer, name, args, options));
}

/**
 * Sends many signatures: ten in a request, partial failures retried.
 *
 * @throws EnqueueFailed whose `outcomes` tell of each item, when some could not be sent; bad input throws
 * before anything is sent.
 */
export async function sendMany(producer: Producer, signatures: readonly Signature[]): Promise<AsyncResult[]> {
  const calls: Call[] = [];
  for (const sig of signatures) requireKnownTree(producer, sig);
  for (const sig of signatures) calls.push(await prepareSignature(producer, sig));
  if (producer.settings.alwaysEager) {
    const results: AsyncResult[] = [];
    for (const call of calls) results.push(await runCall(producer, call));
    return results;
  }
  if (calls.length > 0) {
    const ports = await producer.ports();
    await publish(
      calls.map((call) => call.prepared),
      ports,
      producer.settings,
      producer.settings.retry ? producer.settings.retryPolicy : null,
    );
    recordChildren(calls.map((call) => call.message.id));
  }
  return calls.map((call) => resultOf(producer, call));
}

function policyOf(producer: Producer, call: Call): ReturnType<() => Producer['settings']['retryPolicy'] | null> {
  const retry = call.options.retry ?? producer.settings.retry;
  return retry ? (call.options.retryPolicy ?? producer.settings.retryPolicy) : null;
}

function resultOf(producer: Producer, call: Call): AsyncResult {
  const ignored = call.message.ignoreResult ?? producer.registry.find(call.message.task)?.options.ignoreResult ?? false;
  return new AsyncResult(call.message.id, producer, { ignored });
}

async function runCall(producer: Producer, call: Call): Promise<AsyncResult> {
  return new EagerResult(call.message.id, await producer.runEager(call.message), producer);
}
