/** The alarms of a service: few, each on what nobody would notice otherwise, and each says where to look. */
import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';

import { CLOUDWATCH_MAX_ALARM_METRICS } from '../lib/base/limits.ts';
import { functionQueuesOf } from '../lib/options/manifest.ts';
import { alarmThresholds, type AlarmThresholds, type TaskAlarmsOptions } from './alarm-options.ts';
import { allowAlarms } from './encryption.ts';
import { type Fold, type MeteredService, named, type ServiceMetric } from './metrics.ts';

interface AlarmSpec {
  readonly id: string;
  /** What is watched. More than CloudWatch takes in an alarm make several alarms of the same kind. */
  readonly metrics: readonly ServiceMetric[];
  /** What is computed of each, by its id and place. @default - the metric itself */
  readonly term?: (id: string, place: number) => string;
  /** Makes one of several. */
  readonly fold: Fold;
  readonly label: string;
  readonly period: Duration;
  /** At or above it. */
  readonly threshold: number;
  /** Goes off when so many of so many periods are. */
  readonly seen: readonly [periods: number, of: number];
  readonly missing?: TreatMissingData;
  readonly description: string;
}

const MINUTE = Duration.minutes(1);
// Of queues that nothing polls: SQS puts their metrics to sleep, and what comes first after that comes late.
const FIVE_MINUTES = Duration.minutes(5);
const MAX_DESCRIPTION_CHARACTERS = 1024;

/** One alarm of each kind over all queues. */
export class TaskAlarms extends Construct {
  /** Every alarm, to give them actions of your own. */
  readonly all: readonly Alarm[];
  /** How many metrics the alarms read: that is what AWS bills. */
  readonly metricCount: number;

  /** Makes the alarms. `TaskService` calls it. @throws InvalidOption, QueueNotFound */
  constructor(scope: Construct, id: string, service: MeteredService, options: TaskAlarmsOptions = {}) {
    super(scope, id);
    const thresholds = alarmThresholds(service.manifest, options);
    const specs = [
      ...ofQueues(service, thresholds),
      ...ofSweeper(service, thresholds),
      ...ofThrottles(service, thresholds),
    ];
    this.metricCount = specs.reduce((sum, { metrics }) => sum + metrics.length, 0);
    this.all = specs.flatMap((spec) => this.#alarms(spec));
    const { topic } = options;
    if (topic === undefined) return;
    allowAlarms(topic.masterKey);
    for (const alarm of this.all) {
      alarm.addAlarmAction(new SnsAction(topic));
      if (thresholds.okActions) alarm.addOkAction(new SnsAction(topic));
    }
  }

  #alarms(spec: AlarmSpec): Alarm[] {
    const alarms: Alarm[] = [];
    for (let first = 0; first < spec.metrics.length; first += CLOUDWATCH_MAX_ALARM_METRICS) {
      const [seen, periods] = spec.seen;
      alarms.push(
        new Alarm(this, first === 0 ? spec.id : `${spec.id}${first / CLOUDWATCH_MAX_ALARM_METRICS + 1}`, {
          metric: metricOf(spec, first),
          threshold: spec.threshold,
          comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
          evaluationPeriods: periods,
          datapointsToAlarm: seen,
          // A queue that sleeps has no data, and neither has a function that nothing called.
          treatMissingData: spec.missing ?? TreatMissingData.NOT_BREACHING,
          alarmDescription: spec.description.slice(0, MAX_DESCRIPTION_CHARACTERS),
        }),
      );
    }
    return alarms;
  }
}

/**
 * Never FILL: the newest minute has no data yet and would always be the filler, and the alarm would stay as it is. Without it CloudWatch
 * takes what is missing for zero, and where all is missing the alarm says what that means.
 */
function metricOf({ metrics, term = (id) => id, fold, period, label }: AlarmSpec, first: number): ServiceMetric {
  const some = metrics.slice(first, first + CLOUDWATCH_MAX_ALARM_METRICS);
  const terms = Object.keys(named(some)).map((id, index) => term(id, first + index));
  const [only] = some;
  if (only !== undefined && terms[0] === 'm0' && some.length === 1) return only.with({ period });
  const expression = terms.length === 1 ? (terms[0] ?? '') : `${fold}([${terms.join(', ')}])`;
  return new MathExpression({ expression, usingMetrics: named(some), period, label });
}

function ofQueues(
  service: MeteredService,
  { deadLetters, ageSeconds, lost, missedTicks }: AlarmThresholds,
): AlarmSpec[] {
  const { name } = service.manifest;
  const aged = Object.entries(ageSeconds);
  return [
    ...spec(deadLetters, (threshold) => ({
      id: 'DeadLetters',
      metrics: Object.keys(service.queues.pairs).map((queue) => service.metricDeadLetters({ queue })),
      fold: 'MAX',
      label: 'dead letters in one queue',
      period: FIVE_MINUTES,
      threshold,
      seen: [1, 1],
      description: `Tasks of app '${name}' ended as dead letters; their attributes 'reason' and 'error' say why. It is over when nothing lies there any more.`,
    })),
    {
      id: 'OldestMessageAge',
      metrics: aged.map(([queue]) => service.metricOldestMessageAge({ queue })),
      // Queues differ in what they allow: in the expression each is measured against its own age.
      term: (id, place) => `${id} - ${aged[place]?.[1] ?? 0}`,
      fold: 'MAX',
      label: 'seconds beyond the age allowed',
      period: MINUTE,
      threshold: 0,
      seen: [2, 3],
      description: `Messages of app '${name}' wait longer than they should (${aged.map(([queue, age]) => `${queue} ${age} s`).join(', ')}): the worker is slow, fails or is throttled, or its event source is disabled.`,
    },
    ...spec(lost, (threshold) => ({
      id: 'Lost',
      metrics: service.queues.lost.map((queue) => queue.metricNumberOfMessagesReceived({ statistic: Stats.SUM })),
      fold: 'SUM',
      label: 'lost messages',
      period: FIVE_MINUTES,
      threshold,
      seen: [1, 1],
      description: `Messages of app '${name}' came again and again, and no worker handled them: look into its log for a bundle that does not load, a timeout or a lack of memory. Their tasks are FAILURE WorkerLostError.`,
    })),
    ...spec(missedTicks, (threshold) => ({
      id: 'MissedTicks',
      metrics: [service.metricMissedTicks()],
      fold: 'SUM',
      label: 'missed ticks',
      period: FIVE_MINUTES,
      threshold,
      seen: [1, 1],
      description: `EventBridge could not deliver ticks or sweeps of app '${name}'; the attributes of what lies in MissedTicks say why. It is over when nothing lies there any more.`,
    })),
  ];
}

function ofSweeper(
  { sweeper, manifest }: MeteredService,
  { sweeperErrors, sweepSeconds }: AlarmThresholds,
): AlarmSpec[] {
  return [
    ...spec(sweeperErrors, (threshold) => ({
      id: 'SweeperErrors',
      metrics: [sweeper.metricErrors()],
      fold: 'SUM',
      label: 'errors of the sweeper',
      period: MINUTE,
      threshold,
      // One that fails is repaired by the next.
      seen: [2, 3],
      description: `The sweeper of app '${manifest.name}' fails: far ETAs, swept schedule entries and lost messages wait. Look into its log.`,
    })),
    ...spec(sweepSeconds, (longest) => ({
      id: 'SweeperLate',
      metrics: [sweeper.metricDuration({ statistic: Stats.MAXIMUM })],
      fold: 'SUM',
      label: 'longest sweep, ms',
      period: MINUTE,
      threshold: longest * 1000,
      seen: [3, 5],
      // No duration is no sweep: its rule is disabled, or Lambda refuses it.
      missing: TreatMissingData.BREACHING,
      description: `The sweeper of app '${manifest.name}' does not run each minute, or takes ${longest} s and more: far ETAs and swept schedule entries are late.`,
    })),
  ];
}

function ofThrottles(service: MeteredService, { throttles, tableThrottles }: AlarmThresholds): AlarmSpec[] {
  const { manifest, tables } = service;
  const workers = functionQueuesOf(manifest);
  return [
    ...spec(workers.length === 0 ? undefined : throttles, (threshold) => ({
      id: 'Throttles',
      metrics: workers.map((queue) => service.metricThrottles({ queue })),
      fold: 'SUM',
      label: 'throttled invocations of workers',
      period: MINUTE,
      threshold,
      seen: [5, 5],
      description: `Lambda refuses to run workers of app '${manifest.name}': the concurrency of the account is used up. Each refusal counts as a receive, and after maxReceiveCount of them a task is given up that never ran.`,
    })),
    ...spec(tableThrottles, (threshold) => ({
      id: 'TableThrottles',
      // Claims and results are writes: who cannot write hands tasks back.
      metrics: [tables.results, tables.state].map((table) =>
        table.metric('WriteThrottleEvents', { statistic: Stats.SUM }),
      ),
      fold: 'SUM',
      label: 'throttled writes',
      period: MINUTE,
      threshold,
      seen: [5, 5],
      description: `DynamoDB refuses writes of app '${manifest.name}', and tasks are handed back. A table grows to twice its last peak within minutes; beyond that look at the quotas of the account.`,
    })),
  ];
}

/** None where the user has left it out. */
function spec(threshold: number | undefined, make: (threshold: number) => AlarmSpec): AlarmSpec[] {
  return threshold === undefined ? [] : [make(threshold)];
}
