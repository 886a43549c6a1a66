/** From a queue of the manifest and what the user overrides to a plan with every default filled in. */
import type { Duration } from 'aws-cdk-lib';

import { ImproperlyConfigured, QueueNotFound } from '../lib/errors.ts';
import { DEADLINE_MARGIN_SECONDS, LAMBDA_MAX_TIMEOUT_SECONDS } from '../lib/limits.ts';
import type { AppManifest } from '../lib/manifest.ts';
import { longestTask, type QueuePlan, validatePlan } from './validate.ts';

/** Overrides for one queue and its worker. */
export interface QueueOverrides {
  /** Function timeout. @default the longest time limit of the queue's tasks + 30 s, or 60 s without one */
  readonly timeout?: Duration;
  /** @default timeout + batch window + 30 s */
  readonly visibilityTimeout?: Duration;
  /** @default 4 days */
  readonly retention?: Duration;
  /** @default 14 days */
  readonly deadLetterRetention?: Duration;
  /** Receives before a message that no worker handled moves to the lost queue. @default 50 */
  readonly maxReceiveCount?: number;
  /** @default 512 */
  readonly memoryMiB?: number;
}

const DEFAULT_TIMEOUT_SECONDS = 60;
// Above the longest task: claims, commits, settling and a cold start of its neighbours.
const TIMEOUT_MARGIN_SECONDS = 30;
// AWS advises six timeouts, because early redelivery repeats runs. Claims absorb that, and recovery is quick.
const VISIBILITY_MARGIN_SECONDS = 30;
const DAY_SECONDS = 86_400;

/** @throws QueueNotFound for overrides of a queue that is not declared; ImproperlyConfigured, InvalidOption */
export function planQueues(
  manifest: AppManifest,
  overrides: Readonly<Record<string, QueueOverrides>>,
): Readonly<Record<string, QueuePlan>> {
  const stray = Object.keys(overrides).find((name) => !Object.hasOwn(manifest.queues, name));
  if (stray !== undefined) {
    throw new QueueNotFound(
      `Queue '${stray}' is not declared by app '${manifest.name}'. Declared are: ${Object.keys(manifest.queues).join(', ')}.`,
    );
  }
  return Object.fromEntries(
    Object.keys(manifest.queues).map((name) => [name, planQueue(manifest, name, overrides[name] ?? {})]),
  );
}

function planQueue(app: AppManifest, name: string, overrides: QueueOverrides): QueuePlan {
  const manifest = app.queues[name];
  const longest = longestTask(app, name);
  const wanted = longest === undefined ? DEFAULT_TIMEOUT_SECONDS : Math.ceil(longest.seconds) + TIMEOUT_MARGIN_SECONDS;
  const timeoutSeconds =
    overrides.timeout?.toSeconds() ?? Math.min(LAMBDA_MAX_TIMEOUT_SECONDS, Math.max(DEFAULT_TIMEOUT_SECONDS, wanted));
  if (longest !== undefined && longest.seconds + DEADLINE_MARGIN_SECONDS > timeoutSeconds) {
    throw new ImproperlyConfigured(
      `Task '${longest.name}' may run ${longest.seconds} s, and its worker's timeout is ${timeoutSeconds} s (Lambda's longest is ${LAMBDA_MAX_TIMEOUT_SECONDS} s, ${DEADLINE_MARGIN_SECONDS} s are kept for its result). Lower its time limit, or raise the timeout of queue '${name}'.`,
    );
  }
  const batchWindowSeconds = manifest?.batchWindowSeconds ?? 0;
  const plan: QueuePlan = {
    fifo: manifest?.fifo ?? false,
    concurrency: manifest?.concurrency,
    batchSize: manifest?.batchSize ?? 10,
    batchWindowSeconds,
    timeoutSeconds,
    visibilitySeconds:
      overrides.visibilityTimeout?.toSeconds() ?? timeoutSeconds + batchWindowSeconds + VISIBILITY_MARGIN_SECONDS,
    retentionSeconds: overrides.retention?.toSeconds() ?? 4 * DAY_SECONDS,
    deadLetterRetentionSeconds: overrides.deadLetterRetention?.toSeconds() ?? 14 * DAY_SECONDS,
    maxReceiveCount: overrides.maxReceiveCount ?? 50,
    memoryMiB: overrides.memoryMiB ?? 512,
  };
  validatePlan(name, plan);
  return plan;
}
