/** Posts the outcome of a task: the library's own task behind `webhook`. */
import { InvalidMessage } from '../base/errors.ts';
import { WEBHOOK_RETRY_SECONDS } from '../base/limits.ts';
import { exchange } from '../http/exchange.ts';
import { passingOf, statusOf } from '../http/request.ts';
import { resolveWebhook } from '../options/webhook-options.ts';
import type { App } from '../producer/app.ts';
import type { TaskContext } from '../task/context.ts';
import { partsOf } from './http-run.ts';

// Source: RFC 9110, 15.5.11; Standard Webhooks: whoever answers so wants no more.
const GONE = 410;

/** @throws Retry until it is answered with a status of success; then what it was answered */
export async function postWebhook(app: App, context: TaskContext, args: readonly unknown[]): Promise<void> {
  const [task, to, event] = args;
  const options = typeof task === 'string' ? app.registry.find(task)?.options.webhook : undefined;
  // A newer version of the app may have taken it away.
  if (options === undefined) return;
  const { url = options.url, error } = (to ?? {}) as { readonly url?: unknown; readonly error?: string };
  if (error !== undefined) throw new Error(`url of the webhook of task '${String(task)}' threw ${error}`);
  if (typeof url !== 'string') throw new InvalidMessage(`A webhook of task '${String(task)}' without an address.`);
  const target = resolveWebhook(String(task), options);
  try {
    await exchange(
      {
        url,
        method: 'POST',
        body: JSON.stringify(event),
        contentType: 'application/json',
        ...(await partsOf(app, target, context)),
      },
      app,
    );
  } catch (failure) {
    const status = statusOf(failure);
    const passing = passingOf(failure) ?? (status === undefined || status === GONE ? undefined : {});
    const waitSeconds = WEBHOOK_RETRY_SECONDS[context.request.retries];
    if (passing === undefined || waitSeconds === undefined) throw failure;
    // A tenth of it at random: those that failed together do not come back together.
    const countdown = Math.max(waitSeconds * (1 + app.random.next() / 10), passing.retryAfterSeconds ?? 0);
    context.retry({ exc: failure, countdown: Math.round(countdown), maxRetries: null });
  }
}
