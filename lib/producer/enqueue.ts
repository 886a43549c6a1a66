/** Sending by task or by name. */
import type { ApplyOptions } from '../options/apply-options.ts';
import { recordChildren } from '../task/context.ts';
import { requireKnown, requireKnownTree } from './known-tasks.ts';
import { type Call, prepareCall, prepareSignature } from './producer.ts';
import type { App } from './app.ts';
import type { Stands } from './marking.ts';
import { publishCalls } from './publish-calls.ts';
import { refuseMarkedLinks, refuseMarkedParts } from './refuse-marked.ts';
import { AsyncResult } from '../results/result.ts';
import type { Signature } from '../wire/signature.ts';
import type { Lineage } from '../options/signature-options.ts';

/** Sends one call. Bad input throws before anything is sent. */
export async function sendCall(
  app: App,
  name: string,
  args: readonly unknown[],
  options: ApplyOptions = {},
  lineage: Lineage = {},
): Promise<AsyncResult> {
  const send = (to: App): Promise<AsyncResult> => sendNow(to, name, args, options, lineage);
  return app.settings.alwaysEager ? app.runEager(send) : send(app);
}

/** Runs one call here, whatever the settings say. */
export function applyCall(
  app: App,
  name: string,
  args: readonly unknown[],
  options: ApplyOptions = {},
): Promise<AsyncResult> {
  return app.runEager((eager) => sendNow(eager, name, args, options, {}));
}

async function sendNow(
  app: App,
  name: string,
  args: readonly unknown[],
  options: ApplyOptions,
  lineage: Lineage,
): Promise<AsyncResult> {
  refuseMarkedLinks(app, options);
  const call = await prepareCall(app, name, args, options, lineage);
  if (app.eager !== undefined) {
    const { callbacks, errbacks } = call.message.embed;
    requireKnown(app, { ...call.message, task: name });
    for (const sig of [...(callbacks ?? []), ...(errbacks ?? [])]) requireKnownTree(app, sig);
  }
  return sendAll(app, [call], policyOf(app, call)).then(([result]) => result as AsyncResult);
}

/**
 * Sends many signatures: ten in a request, partial failures retried.
 *
 * @throws EnqueueFailed whose `outcomes` tell of each item, when some could not be sent; bad input throws
 * before anything is sent.
 */
export async function sendMany(app: App, signatures: readonly Signature[]): Promise<AsyncResult[]> {
  const send = (to: App): Promise<AsyncResult[]> => sendManyNow(to, signatures);
  return app.settings.alwaysEager ? app.runEager(send) : send(app);
}

async function sendManyNow(app: App, signatures: readonly Signature[]): Promise<AsyncResult[]> {
  const calls: Call[] = [];
  for (const sig of signatures) {
    requireKnownTree(app, sig);
    refuseMarkedParts(app, sig);
  }
  for (const sig of signatures) calls.push(await prepareSignature(app, sig));
  return calls.length === 0 ? [] : sendAll(app, calls, app.settings.retry ? app.settings.retryPolicy : null);
}

/** What a list of calls has come to, in its order. */
export async function sendAll(
  app: App,
  calls: readonly Call[],
  policy: ReturnType<typeof policyOf>,
): Promise<AsyncResult[]> {
  const stands = await publishCalls(app, calls, policy);
  // What stood before is another's child.
  if (app.eager === undefined) recordChildren(stands.flatMap(({ id, duplicate }) => (duplicate ? [] : id)));
  return calls.map((call, index) => resultOf(app, call, stands[index] as Stands));
}

function policyOf(app: App, call: Call): ReturnType<() => App['settings']['retryPolicy'] | null> {
  const retry = call.options.retry ?? app.settings.retry;
  return retry ? (call.options.retryPolicy ?? app.settings.retryPolicy) : null;
}

function resultOf(app: App, call: Call, { id, duplicate }: Stands): AsyncResult {
  // Who runs it here has its result all the same.
  const ignored =
    app.eager === undefined &&
    (call.message.ignoreResult ?? app.registry.find(call.message.task)?.options.ignoreResult ?? false);
  return new AsyncResult(id, app, { ignored, duplicate });
}
