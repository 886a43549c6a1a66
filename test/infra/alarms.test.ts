/** The alarms of a service: what they read, when they go off, whom they tell, what they cost. */
import { Duration } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, it } from 'vitest';

import type { TaskAlarmsOptions } from '../../infra/index.ts';
import { type AlarmProperties, manifestOf, readBy, watch } from './watched.ts';

const KINDS = [
  'DeadLetters',
  'OldestMessageAge',
  'Lost',
  'MissedTicks',
  'SweeperErrors',
  'SweeperLate',
  'Throttles',
  'TableThrottles',
];

describe('alarms', () => {
  const limits = { 'slow.task': { queue: 'q1', timeLimitSeconds: 120 } };
  const three = watch(manifestOf(3, { tasks: limits }));

  it('one of each kind, over all queues', () => {
    expect(Object.keys(three.alarms).toSorted()).toEqual(KINDS.toSorted());
    expect(readBy(three.alarms['DeadLetters'])).toEqual(
      ['q0', 'q1', 'q2'].map((queue) => `ApproximateNumberOfMessagesVisible QueuesDeadLetters${queue}`),
    );
    expect(readBy(three.alarms['OldestMessageAge'])).toEqual(
      ['q0', 'q1', 'q2'].map((queue) => `ApproximateAgeOfOldestMessage QueuesMain${queue}`),
    );
    // What SQS moves by a redrive policy is not among the messages sent, and the sweeper takes it away within moments.
    expect(readBy(three.alarms['Lost'])).toEqual(['NumberOfMessagesReceived QueuesLost']);
    expect(readBy(three.alarms['MissedTicks'])).toEqual(['ApproximateNumberOfMessagesVisible QueuesMissedTicks']);
    expect(readBy(three.alarms['SweeperErrors'])).toEqual(['Errors SweeperFunction']);
    expect(readBy(three.alarms['SweeperLate'])).toEqual(['Duration SweeperFunction']);
    expect(readBy(three.alarms['Throttles'])).toEqual(
      ['q0', 'q1', 'q2'].map((queue) => `Throttles Workers${queue}Function`),
    );
    expect(readBy(three.alarms['TableThrottles'])).toEqual([
      'WriteThrottleEvents TablesResults',
      'WriteThrottleEvents TablesState',
    ]);
  });

  it('read three metrics a queue and six more: $1.50 a month for three queues, of which AWS gives the first ten', () => {
    for (const count of [1, 3, 12]) {
      const { service, alarms } = watch(manifestOf(count));
      expect(service.alarms?.metricCount).toBe(3 * count + 6);
      expect(Object.values(alarms).flatMap(readBy)).toHaveLength(3 * count + 6);
    }
  });

  it.each([1, 10, 11, 14])('of %i queues each is watched once, by alarms of ten metrics at most', (count) => {
    const { alarms } = watch(manifestOf(count));
    for (const kind of ['DeadLetters', 'OldestMessageAge', 'Throttles']) {
      const some = Object.entries(alarms).filter(([id]) => new RegExp(`^${kind}\\d*$`).test(id));
      expect(some).toHaveLength(Math.ceil(count / 10));
      const read = some.map(([, alarm]) => readBy(alarm));
      expect(Math.max(...read.map(({ length }) => length))).toBeLessThanOrEqual(10);
      expect(new Set(read.flat()).size).toBe(count);
      expect(read.flat()).toHaveLength(count);
    }
  });

  it('every expression names its metrics, each once, and fills nothing in', () => {
    for (const { Metrics = [] } of Object.values(watch(manifestOf(12)).alarms)) {
      const [expression, ...more] = Metrics.flatMap(({ Expression }) => Expression ?? []);
      expect(more).toEqual([]);
      if (expression === undefined) continue;
      expect(expression.match(/m\d+/g)).toEqual(Metrics.flatMap(({ Id, MetricStat }) => (MetricStat ? [Id] : [])));
      expect(expression).not.toContain('FILL');
    }
  });

  it('each queue is measured against its own age: ten time limits, five minutes at least', () => {
    expect(expressionOf(three.alarms['OldestMessageAge'])).toBe('MAX([m0 - 300, m1 - 1200, m2 - 300])');
    expect(three.alarms['OldestMessageAge']).toMatchObject({
      Threshold: 0,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
    });
    expect(three.alarms['OldestMessageAge']?.AlarmDescription).toContain('q0 300 s, q1 1200 s, q2 300 s');
    expect(expressionOf(watch(manifestOf(1)).alarms['OldestMessageAge'])).toBe('m0 - 300');
    // Beyond the tenth queue the ages go on where they were.
    const tasks = { 'slow.task': { queue: 'q10', timeLimitSeconds: 60 } };
    const { alarms } = watch(manifestOf(12, { tasks }));
    expect(expressionOf(alarms['OldestMessageAge2'])).toBe('MAX([m0 - 600, m1 - 300])');
  });

  it('no data is no fault, but of the sweep', () => {
    const missing = Object.entries(three.alarms).map(([id, { TreatMissingData }]) => [id, TreatMissingData]);
    expect(Object.fromEntries(missing)).toEqual({
      ...Object.fromEntries(KINDS.map((kind) => [kind, 'notBreaching'])),
      SweeperLate: 'breaching',
    });
    expect(three.alarms['SweeperLate']).toMatchObject({ Threshold: 60_000, Period: 60, Statistic: 'Maximum' });
  });

  it('dead letters of one queue go off, whatever lies in others; throttles add up', () => {
    expect(expressionOf(three.alarms['DeadLetters'])).toBe('MAX([m0, m1, m2])');
    expect(expressionOf(three.alarms['Throttles'])).toBe('SUM([m0, m1, m2])');
    const periods = three.alarms['DeadLetters']?.Metrics?.flatMap(({ MetricStat }) => MetricStat?.Period ?? []);
    expect(periods).toEqual([300, 300, 300]);
  });

  it('external queues: their dead letters, not their age, which Celery decides', () => {
    const { alarms } = watch(
      manifestOf(1, { queues: { q0: { fifo: false }, celery: { fifo: false, external: true } } }),
    );
    expect(readBy(alarms['OldestMessageAge'])).toEqual(['ApproximateAgeOfOldestMessage QueuesMainq0']);
    expect(readBy(alarms['Throttles'])).toEqual(['Throttles Workersq0Function']);
    expect(readBy(alarms['DeadLetters'])).toHaveLength(2);
  });

  it('both lost queues, where there is a FIFO queue', () => {
    const { alarms } = watch(manifestOf(1, { queues: { q0: { fifo: false }, orders: { fifo: true } } }));
    expect(readBy(alarms['Lost'])).toEqual([
      'NumberOfMessagesReceived QueuesLost',
      'NumberOfMessagesReceived QueuesLostFifo',
    ]);
  });
});

describe('alarms: options', () => {
  it('tell a topic, when they go off and when they end', () => {
    const told = (options: TaskAlarmsOptions): AlarmProperties[] =>
      Object.values(
        watch(manifestOf(1), (stack) => ({ alarms: { topic: new Topic(stack, 'Ops'), ...options } })).alarms,
      );
    for (const { AlarmActions, OKActions } of told({})) {
      expect(AlarmActions).toEqual([{ Ref: expect.stringMatching(/^Ops/) }]);
      expect(OKActions).toEqual(AlarmActions);
    }
    for (const alarm of told({ okActions: false })) expect(alarm).not.toHaveProperty('OKActions');
    for (const alarm of Object.values(watch(manifestOf(1)).alarms)) expect(alarm).not.toHaveProperty('AlarmActions');
  });

  it('false leaves all out, or one', () => {
    const none = watch(manifestOf(2), { alarms: false });
    expect(none.alarms).toEqual({});
    expect(none.service.alarms).toBeUndefined();
    const off = { deadLetters: false, oldestMessageAge: false, lost: false, missedTicks: false } as const;
    const more = { sweeperErrors: false, sweepDuration: false, throttles: false, tableThrottles: false } as const;
    expect(Object.keys(watch(manifestOf(2), { alarms: off }).alarms)).toEqual([
      'SweeperErrors',
      'SweeperLate',
      'Throttles',
      'TableThrottles',
    ]);
    expect(watch(manifestOf(2), { alarms: { ...off, ...more } }).alarms).toEqual({});
  });

  it('thresholds are overridden', () => {
    const { alarms } = watch(manifestOf(2), {
      alarms: {
        deadLetters: 5,
        oldestMessageAge: { q1: Duration.hours(1) },
        lost: 2,
        missedTicks: 3,
        sweeperErrors: 4,
        sweepDuration: Duration.seconds(30),
        throttles: 100,
        tableThrottles: 7,
      },
    });
    const thresholds = Object.fromEntries(Object.entries(alarms).map(([id, { Threshold }]) => [id, Threshold]));
    expect(thresholds).toEqual({
      DeadLetters: 5,
      OldestMessageAge: 0,
      Lost: 2,
      MissedTicks: 3,
      SweeperErrors: 4,
      SweeperLate: 30_000,
      Throttles: 100,
      TableThrottles: 7,
    });
    expect(expressionOf(alarms['OldestMessageAge'])).toBe('MAX([m0 - 300, m1 - 3600])');
    const all = watch(manifestOf(2), { alarms: { oldestMessageAge: Duration.minutes(2) } });
    expect(expressionOf(all.alarms['OldestMessageAge'])).toBe('MAX([m0 - 120, m1 - 120])');
  });

  it.each<[object, string]>([
    [{ deadLetter: 1 }, "alarms: 'deadLetter' is no option. Allowed are deadLetters, "],
    [{ deadLetters: 0 }, 'alarms.deadLetters: 0 given; a whole number from 1 to 1000000 is allowed.'],
    [{ throttles: 1.5 }, 'alarms.throttles: 1.5 given'],
    [{ lost: true }, 'alarms.lost: true given'],
    [{ okActions: 'yes' }, "alarms.okActions: 'yes' given; true or false is allowed."],
    [{ sweepDuration: 60 }, 'alarms.sweepDuration: 60 given; a Duration is allowed'],
    [{ sweepDuration: Duration.seconds(0) }, 'alarms.sweepDuration is 0 s; it must be longer than none.'],
    [
      { oldestMessageAge: 300 },
      'alarms.oldestMessageAge: 300 given; a Duration, or one by queue, or false is allowed.',
    ],
    [{ oldestMessageAge: { q0: 300 } }, 'alarms.oldestMessageAge.q0: 300 given; a Duration is allowed'],
    [
      { oldestMessageAge: { mail: Duration.hours(1) } },
      "alarms.oldestMessageAge: queue 'mail' is not declared. Declared are: q0.",
    ],
  ])('%j is refused', (alarms, message) => {
    expect(() => watch(manifestOf(1), { alarms })).toThrow(message);
  });

  it('an external queue may have an age of its own', () => {
    const queues = { q0: { fifo: false }, celery: { fifo: false, external: true as const } };
    const { alarms } = watch(manifestOf(1, { queues }), {
      alarms: { oldestMessageAge: { celery: Duration.hours(2) } },
    });
    expect(expressionOf(alarms['OldestMessageAge'])).toBe('MAX([m0 - 300, m1 - 7200])');
  });
});

function expressionOf(alarm: AlarmProperties | undefined): string | undefined {
  return alarm?.Metrics?.find(({ Expression }) => Expression !== undefined)?.Expression;
}
