/**
 * Fields by which a log line is a metric too: CloudWatch's embedded metric format. In deployed functions it is loaded where the app
 * asks for metrics.
 */
import { REVOKED, FAILURE, IGNORED, REJECTED, RETRY, SUCCESS } from '../base/states.ts';
import { resolveMetrics } from '../options/metrics.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Message } from '../wire/message.ts';
import type { Worker } from './worker.ts';

/** How a message ended. */
export interface MeasuredEnd {
  readonly message: Message;
  readonly delivery: Delivery;
  /** Celery's state. */
  readonly state: string;
  /** When its run began, milliseconds since the epoch; undefined where it did not run. */
  readonly startedMs?: number | undefined;
}

// One metric for each state, and no dimension: a metric that nobody counts costs nothing.
const COUNTS: Readonly<Record<string, string>> = {
  [SUCCESS]: 'Succeeded',
  [FAILURE]: 'Failed',
  [RETRY]: 'Retried',
  [REJECTED]: 'Rejected',
  [IGNORED]: 'Ignored',
  [REVOKED]: 'Revoked',
};
/** Of messages whose task no worker knows: names of others' making are no dimension. */
const UNKNOWN_TASK = 'unknown';

/** Nothing where the app asks for no metrics. Never throws: a metric is no reason why a task has no end. */
export async function metricFields(
  { message, delivery, state, startedMs }: MeasuredEnd,
  { app, ports }: Pick<Worker, 'app' | 'ports'>,
): Promise<Readonly<Record<string, unknown>>> {
  const { metrics, name: service } = app.settings;
  if (metrics === undefined) return {};
  const { namespace, by } = resolveMetrics(metrics);
  const nowMs = ports.clock.nowMs();
  const values: Record<string, number> = { [COUNTS[state] ?? state]: 1 };
  if (startedMs !== undefined) {
    values['RunTime'] = Math.max(0, nowMs - startedMs);
    // Since it could have run: an ETA is no waiting.
    const dueMs = Math.max(delivery.sentMs ?? 0, message.etaMs ?? 0);
    if (dueMs > 0) values['WaitingTime'] = Math.max(0, startedMs - dueMs);
  }
  const task = app.registry.find(message.task) === undefined ? UNKNOWN_TASK : message.task;
  const dimensions = { service, ...(by === 'service' ? {} : by === 'queue' ? { queue: delivery.queue } : { task }) };
  return {
    ...values,
    ...dimensions,
    _aws: {
      Timestamp: nowMs,
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [Object.keys(dimensions)],
          Metrics: Object.keys(values).map((Name) => ({
            Name,
            Unit: Name.endsWith('Time') ? 'Milliseconds' : 'Count',
          })),
        },
      ],
    },
  };
}
