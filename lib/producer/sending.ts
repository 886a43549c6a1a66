/**
 * All that a call sends by. In deployed functions it is loaded by the first call (`sending-deployed.ts`): most
 * workers' tasks send nothing, and would read it at each cold start.
 */
import type { ApplyOptions } from '../options/apply-options.ts';
import type { AsyncResult } from '../results/result.ts';
import type { GroupResult } from '../results/group-result.ts';
import type { Signature } from '../wire/signature.ts';
import type { App } from './app.ts';
import { applySignature } from './apply-canvas.ts';
import { sendCall } from './enqueue.ts';
import { refuseMarkedLinks, refuseMarkedParts } from './refuse-marked.ts';
import { requireKnown, requireKnownTree } from './known-tasks.ts';

export { toOutboxItem } from './outbox.ts';
export { savedGroup } from '../results/group-result.ts';
export { applyCall, sendCall, sendMany } from './enqueue.ts';

/** By name, whoever runs it. @throws NotRegistered for a name that no worker of this service knows */
export async function sendNamed(
  app: App,
  name: string,
  args: readonly unknown[],
  options: ApplyOptions,
): Promise<AsyncResult> {
  refuseMarkedLinks(app, options);
  requireKnown(app, { task: name, args, kwargs: options.kwargs ?? {}, queue: options.queue });
  for (const sig of [options.link ?? [], options.linkError ?? []].flat()) requireKnownTree(app, sig as Signature);
  return sendCall(app, name, args, options);
}

/** Sends a signature of whatever kind. @throws NotRegistered for a task in it that no worker of this service knows */
export async function sendSignature(
  app: App,
  sig: Signature,
  options: ApplyOptions,
): Promise<AsyncResult | GroupResult> {
  requireKnownTree(app, sig);
  refuseMarkedParts(app, sig);
  refuseMarkedLinks(app, options);
  const send = (to: App): Promise<AsyncResult | GroupResult> => applySignature(to, sig, options);
  return app.settings.alwaysEager ? app.runEager(send) : send(app);
}

/** Runs a signature here, whatever the settings say. */
export async function applyHere(app: App, sig: Signature, options: ApplyOptions): Promise<AsyncResult | GroupResult> {
  refuseMarkedParts(app, sig);
  refuseMarkedLinks(app, options);
  return app.runEager((eager) => applySignature(eager, sig, options));
}
