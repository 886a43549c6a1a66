/** Metrics in CDK's style, and the dashboard made of them. */
import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';

import { manifestOf, subjectOf, watch } from './watched.ts';

function told(metric: IMetric): unknown {
  if (metric instanceof MathExpression) return [metric.expression, ...Object.values(metric.usingMetrics).map(told)];
  if (!(metric instanceof Metric)) throw new Error('Neither a metric nor an expression.');
  return `${metric.metricName} ${metric.statistic}`;
}

describe('metrics', () => {
  const { service } = watch(
    manifestOf(1, { queues: { q0: { fifo: false }, orders: { fifo: true }, celery: { fifo: false, external: true } } }),
  );

  it('of one queue are the very metric', () => {
    const queue = 'q0';
    expect(told(service.metricBacklog({ queue }))).toBe('ApproximateNumberOfMessagesVisible Maximum');
    expect(told(service.metricOldestMessageAge({ queue }))).toBe('ApproximateAgeOfOldestMessage Maximum');
    expect(told(service.metricInFlight({ queue }))).toBe('ApproximateNumberOfMessagesNotVisible Maximum');
    expect(told(service.metricDelayed({ queue }))).toBe('ApproximateNumberOfMessagesDelayed Maximum');
    expect(told(service.metricDeadLetters({ queue }))).toBe('ApproximateNumberOfMessagesVisible Maximum');
    expect(told(service.metricThrottles({ queue }))).toBe('Throttles Sum');
    expect(told(service.metricWorkerErrors({ queue }))).toBe('Errors Sum');
    expect(told(service.metricMissedTicks())).toBe('ApproximateNumberOfMessagesVisible Maximum');
  });

  it('of all queues add up, ages are compared, and workers are those that are here', () => {
    const waiting = 'ApproximateNumberOfMessagesVisible Maximum';
    const age = 'ApproximateAgeOfOldestMessage Maximum';
    expect(told(service.metricBacklog())).toEqual(['SUM([m0, m1, m2])', waiting, waiting, waiting]);
    expect(told(service.metricDeadLetters())).toEqual(['SUM([m0, m1, m2])', waiting, waiting, waiting]);
    expect(told(service.metricOldestMessageAge())).toEqual(['MAX([m0, m1, m2])', age, age, age]);
    expect(told(service.metricThrottles())).toEqual(['SUM([m0, m1])', 'Throttles Sum', 'Throttles Sum']);
    expect(told(service.metricWorkerErrors())).toEqual(['SUM([m0, m1])', 'Errors Sum', 'Errors Sum']);
    const received = 'NumberOfMessagesReceived Sum';
    expect(told(service.metricLost())).toEqual(['SUM([m0, m1])', received, received]);
  });

  it('take what CDK takes', () => {
    const options = { period: Duration.minutes(1), statistic: 'Average', label: 'waiting', color: '#ff0000' };
    const one = service.metricBacklog({ queue: 'q0', ...options });
    expect(one).toMatchObject({ statistic: 'Average', label: 'waiting', color: '#ff0000' });
    expect([one, service.metricBacklog(options)].map(({ period }) => period.toSeconds())).toEqual([60, 60]);
    expect(service.metricBacklog(options)).toMatchObject({ label: 'waiting', color: '#ff0000' });
  });

  it('refuse what has none', () => {
    expect(() => service.metricBacklog({ queue: 'mail' })).toThrow("Queue 'mail' is not declared");
    expect(() => service.metricThrottles({ queue: 'celery' })).toThrow("Queue 'celery' is external");
  });

  it('make alarms', () => {
    const { stack, service: own } = watch(manifestOf(2), { alarms: false });
    const alarm = own.metricDeadLetters().createAlarm(stack, 'Many', { threshold: 100, evaluationPeriods: 1 });
    expect(alarm.node.path).toBe('Test/Many');
  });
});

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly properties: { readonly title?: string; readonly metrics?: readonly (readonly unknown[])[] };
}

function widgetsOf(watched: ReturnType<typeof watch>): Widget[] {
  const [found] = Object.values(watched.template.findResources('AWS::CloudWatch::Dashboard'));
  const body = JSON.stringify((found as { Properties: { DashboardBody: unknown } }).Properties.DashboardBody);
  // Tokens split the text: each becomes the name of what it stands for.
  const parts = (JSON.parse(body) as { 'Fn::Join': [string, readonly unknown[]] })['Fn::Join'][1];
  const text = parts.map((part) => (typeof part === 'string' ? part : subjectOf(part))).join('');
  return (JSON.parse(text) as { widgets: Widget[] }).widgets;
}

describe('dashboard', () => {
  it('has a row for each queue, then the sweeper and the tables', () => {
    const widgets = widgetsOf(watch(manifestOf(2)));
    const rows = Map.groupBy(
      widgets.filter(({ type }) => type === 'metric'),
      ({ y }) => y,
    );
    expect([...rows.values()].map((row) => row.map(({ properties }) => properties.title))).toEqual([
      ['q0: messages', 'q0: age of the oldest, s', 'q0: worker', 'q0: a batch, ms'],
      ['q1: messages', 'q1: age of the oldest, s', 'q1: worker', 'q1: a batch, ms'],
      ['sweeper', 'sweeper: longest run, ms', 'lost messages, missed ticks'],
      ['tables: write units a minute', 'tables: read units a minute', 'tables: refused writes'],
    ]);
    for (const row of rows.values()) expect(row.reduce((sum, { width }) => sum + width, 0)).toBe(24);
  });

  it('shows of a queue what waits, runs and lies dead, and of its worker what it does', () => {
    const shown = widgetsOf(watch(manifestOf(1)))
      .filter(({ y }) => y === 2)
      .flatMap(({ properties }) => properties.metrics ?? [])
      .map(([, metric, , of]) => `${String(metric)} ${String(of)}`);
    expect(shown).toEqual([
      'ApproximateNumberOfMessagesVisible QueuesMainq0',
      'ApproximateNumberOfMessagesNotVisible QueuesMainq0',
      'ApproximateNumberOfMessagesVisible QueuesDeadLettersq0',
      'ApproximateAgeOfOldestMessage QueuesMainq0',
      'Invocations Workersq0Function',
      'Errors Workersq0Function',
      'Throttles Workersq0Function',
      'ConcurrentExecutions Workersq0Function',
      'Duration Workersq0Function',
    ]);
  });

  it('of four queues fits the fifty metrics that AWS shows for nothing', () => {
    const four = watch(manifestOf(4));
    expect(four.service.dashboard?.metricCount).toBe(47);
    expect(widgetsOf(four).flatMap(({ properties }) => properties.metrics ?? [])).toHaveLength(47);
  });

  it('a queue that existed before has messages and ages, and nothing else', () => {
    const queues = { q0: { fifo: false }, celery: { fifo: false, external: true as const } };
    const watched = watch(manifestOf(1, { queues }), (stack) => ({
      externalQueues: { celery: Queue.fromQueueArn(stack, 'Celery', 'arn:aws:sqs:eu-central-1:111122223333:celery') },
    }));
    const graphs = widgetsOf(watched).filter(({ properties }) => properties.title?.startsWith('celery'));
    expect(graphs.map(({ properties }) => properties.metrics?.length)).toEqual([2, 1]);
  });

  it('is left out', () => {
    const { template, service } = watch(manifestOf(1), { dashboard: false });
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 0);
    expect(service.dashboard).toBeUndefined();
    expect(() => watch(manifestOf(1), { dashboard: 'no' as unknown as boolean })).toThrow("dashboard: 'no' given");
  });
});
