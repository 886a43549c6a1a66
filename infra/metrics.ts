/** The metrics that AWS keeps of a service's queues and functions: nothing is published, and they cost nothing. */
import {
  type IMetric,
  MathExpression,
  type Metric,
  type MathExpressionOptions,
  type MetricOptions,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { type AppManifest, functionQueuesOf } from '../lib/options/manifest.ts';
import type { TaskQueues } from './queues.ts';
import type { TaskTables } from './tables.ts';

/** How a metric of a service is read, and of which queue. */
export interface QueueMetricOptions extends MetricOptions {
  /** Celery's name of the queue. @default - all queues of the service together: their sum, or the oldest age */
  readonly queue?: string;
}

/** A metric, or one computed of several. Both make alarms and stand in dashboards. */
export type ServiceMetric = Metric | MathExpression;

/** How several become one. */
export type Fold = 'SUM' | 'MAX';

/** What a service tells about itself: CDK's metrics, each with the statistic that means something. */
export abstract class MeteredService extends Construct {
  /** The app as plain data: queues, tasks, schedule entries. */
  abstract readonly manifest: AppManifest;
  /** Every queue of the service, with dead-letter queues and lost queues. */
  abstract readonly queues: TaskQueues;
  /** The function that sends timers and ticks that come due. */
  abstract readonly sweeper: LambdaFn;
  /** The tables of results and of state. */
  abstract readonly tables: TaskTables;
  /** The function that runs a queue's tasks. */
  abstract worker(name: string): LambdaFn;

  /**
   * Messages that wait to be received. Maximum over the period; the sum of all queues without `queue`.
   *
   * @example
   * ```ts
   * service.metricBacklog({ queue: 'mail' }).createAlarm(this, 'MailBacklog', { threshold: 1000, evaluationPeriods: 3 });
   * ```
   * @throws QueueNotFound
   */
  metricBacklog(props: QueueMetricOptions = {}): ServiceMetric {
    return this.#ofQueues('metricApproximateNumberOfMessagesVisible', 'SUM', props);
  }

  /**
   * Age of the oldest message, seconds; the oldest of all queues without `queue`. SQS leaves out what waits for its delay, and what was
   * received three times and more: messages that are handed back again and again do not age.
   *
   * @throws QueueNotFound
   */
  metricOldestMessageAge(props: QueueMetricOptions = {}): ServiceMetric {
    return this.#ofQueues('metricApproximateAgeOfOldestMessage', 'MAX', props);
  }

  /** Messages that workers hold. Maximum over the period. @throws QueueNotFound */
  metricInFlight(props: QueueMetricOptions = {}): ServiceMetric {
    return this.#ofQueues('metricApproximateNumberOfMessagesNotVisible', 'SUM', props);
  }

  /** Messages that wait for their delay: countdowns, retries, ETAs within 15 minutes. @throws QueueNotFound */
  metricDelayed(props: QueueMetricOptions = {}): ServiceMetric {
    return this.#ofQueues('metricApproximateNumberOfMessagesDelayed', 'SUM', props);
  }

  /**
   * Messages in the dead-letter queue. SQS puts the metrics of a queue that nothing has touched for six hours to sleep, and the first
   * letter after that may show 15 minutes late.
   *
   * @throws QueueNotFound; ImproperlyConfigured for one of `externalQueues`, which has none here
   */
  metricDeadLetters(props: QueueMetricOptions = {}): ServiceMetric {
    const { queue, ...options } = props;
    const pairs = queue === undefined ? Object.values(this.queues.pairs) : [this.queues.pair(queue)];
    const metrics = pairs.map(({ deadLetterQueue }) =>
      deadLetterQueue.metricApproximateNumberOfMessagesVisible(options),
    );
    return together(metrics, 'SUM', options, 'dead letters');
  }

  /** Messages that no worker ever handled, as the sweeper takes them. Sum over the period. */
  metricLost(props: MetricOptions = {}): ServiceMetric {
    const metrics = this.queues.lost.map((lost) =>
      lost.metricNumberOfMessagesReceived({ statistic: Stats.SUM, ...props }),
    );
    return together(metrics, 'SUM', props, 'lost');
  }

  /** Ticks and sweeps that EventBridge could not deliver, and that nobody has taken away. */
  metricMissedTicks(props: MetricOptions = {}): Metric {
    return this.queues.missedTicks.metricApproximateNumberOfMessagesVisible(props);
  }

  /** Invocations of workers that Lambda refused. Sum over the period. @throws QueueNotFound, ImproperlyConfigured of an external queue */
  metricThrottles(props: QueueMetricOptions = {}): ServiceMetric {
    return this.#ofWorkers('metricThrottles', props, 'throttles');
  }

  /**
   * Invocations of workers that failed as a whole: a bundle that does not load, a timeout, no memory. A task that fails is none. Sum over the
   * period.
   *
   * @throws QueueNotFound; ImproperlyConfigured for an external queue
   */
  metricWorkerErrors(props: QueueMetricOptions = {}): ServiceMetric {
    return this.#ofWorkers('metricErrors', props, 'errors');
  }

  #ofQueues(method: QueueMetricMethod, fold: Fold, { queue, ...options }: QueueMetricOptions): ServiceMetric {
    const names = queue === undefined ? Object.keys(this.queues.byName) : [queue];
    const metrics = names.map((name) => this.queues.queue(name)[method](options));
    return together(metrics, fold, options, metrics[0]?.metricName ?? '');
  }

  #ofWorkers(method: 'metricThrottles' | 'metricErrors', props: QueueMetricOptions, label: string): ServiceMetric {
    const { queue, ...options } = props;
    const names = queue === undefined ? functionQueuesOf(this.manifest) : [queue];
    return together(
      names.map((name) => this.worker(name)[method](options)),
      'SUM',
      options,
      label,
    );
  }
}

type QueueMetricMethod = {
  [K in keyof IQueue]-?: IQueue[K] extends (props?: MetricOptions) => Metric ? K : never;
}[keyof IQueue];

/** One metric as it is; several folded into one. CloudWatch takes a missing value for zero. */
export function together(
  metrics: readonly Metric[],
  fold: Fold,
  { period, label, color }: MathExpressionOptions,
  otherwise: string,
): ServiceMetric {
  const [only] = metrics;
  if (only !== undefined && metrics.length === 1) return only;
  return new MathExpression({
    ...(period === undefined ? {} : { period }),
    ...(color === undefined ? {} : { color }),
    label: label ?? otherwise,
    expression: `${fold}([${metrics.map((_metric, index) => `m${index}`).join(', ')}])`,
    usingMetrics: named(metrics),
  });
}

/** Metrics by the ids that an expression names them with: `m0`, `m1`, ... */
export function named(metrics: readonly IMetric[]): Record<string, IMetric> {
  return Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
}
