/** `webhook` of a task: its outcome is told to an address. Checked when it is declared. */
import { shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { FAILURE, REJECTED, REVOKED, SUCCESS } from '../base/states.ts';
import { type HttpTargetOptions, refuseUnknownTarget, type ResolvedTarget, resolveTarget } from './http-options.ts';

/** An end that a webhook tells of. */
export type WebhookState = 'SUCCESS' | 'FAILURE' | 'REVOKED' | 'REJECTED';

/** How a task ended, as its webhook tells it. */
export interface WebhookOutcome {
  /** Name of the task. */
  readonly task: string;
  /** Id of the task. */
  readonly id: string;
  /** How it ended. */
  readonly state: WebhookState;
  /** Of its last attempt, from 0. */
  readonly retries: number;
  /** What it returned, of a success. */
  readonly result?: unknown;
  /** The result is left out, since the whole would be too long. */
  readonly resultOmitted?: true;
  /** Of every other end, where one is stored. */
  readonly error?: { readonly type: string; readonly message: string };
}

/** What is posted, as Standard Webhooks recommend. */
export interface WebhookEvent {
  /** How the task ended, in Celery's words for events. */
  readonly type: 'task.succeeded' | 'task.failed' | 'task.revoked' | 'task.rejected';
  /** When the task ended, ISO 8601. */
  readonly timestamp: string;
  /** What is told of it. */
  readonly data: WebhookOutcome;
}

/** Where a task's outcome is posted, and what of it. */
export interface WebhookOptions extends HttpTargetOptions {
  /**
   * Where to. A function is given the outcome and the task's arguments, and needs `hosts`; where it gives nothing, nothing is
   * posted.
   */
  readonly url: string | ((outcome: WebhookOutcome, args: readonly unknown[]) => string | undefined);
  /** Ends that are told. Default: all four. */
  readonly on?: readonly WebhookState[];
  /** 'state' leaves results and texts of errors out. Default 'full'. */
  readonly payload?: 'full' | 'state';
}

export const WEBHOOK_STATES: readonly string[] = [SUCCESS, FAILURE, REVOKED, REJECTED];

/** @throws InvalidOption */
export function resolveWebhook(task: string, options: WebhookOptions): ResolvedTarget {
  const what = `the webhook of task '${task}'`;
  if (typeof options !== 'object' || options === null)
    throw new InvalidOption(
      `webhook of task '${task}': ${shown(options)} given; an object is allowed, as in { url: 'https://example.org/hooks', secret }.`,
    );
  refuseUnknownTarget(options, ['url', 'on', 'payload'], what);
  const { on, payload = 'full' } = options;
  if (on !== undefined && !(Array.isArray(on) && on.length > 0 && on.every((state) => WEBHOOK_STATES.includes(state))))
    throw new InvalidOption(`on of ${what}: ${shown(on)} given; some of ${WEBHOOK_STATES.join(', ')} are allowed.`);
  if (payload !== 'full' && payload !== 'state')
    throw new InvalidOption(`payload of ${what}: ${shown(payload)} given; 'full' or 'state' is allowed.`);
  return resolveTarget(what, options, options.url);
}

/** @throws InvalidOption */
export function checkedWebhook(task: string, options: WebhookOptions | undefined): WebhookOptions | undefined {
  if (options !== undefined) resolveWebhook(task, options);
  return options;
}
