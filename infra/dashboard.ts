/** One page of graphs of a service: a row for each queue, then what all share. */
import { Duration } from 'aws-cdk-lib';
import {
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

import { functionQueuesOf } from '../lib/options/manifest.ts';
import type { MeteredService, ServiceMetric } from './metrics.ts';

// The grid of a dashboard has 24 columns.
const COLUMNS = 24;
const QUARTER = 6;
const THIRD = 8;
const HEIGHT = 5;
const SHORT = Duration.minutes(1);

/** A CloudWatch dashboard of a service. */
export class TaskDashboard extends Construct {
  /** The dashboard, to add widgets of your own. */
  readonly dashboard: Dashboard;
  /** How many metrics it shows: AWS gives an account three dashboards of 50 each, and bills others. */
  readonly metricCount: number;

  /** Makes the dashboard. `TaskService` calls it. */
  constructor(scope: Construct, id: string, service: MeteredService) {
    super(scope, id);
    const consumed = new Set(functionQueuesOf(service.manifest));
    const queues = Object.keys(service.queues.byName);
    const rows = [
      ...queues.map((queue) => [
        ...graphsOfQueue(service, queue),
        ...(consumed.has(queue) ? graphsOfWorker(queue, service.worker(queue)) : []),
      ]),
      graphsOfSweeper(service),
      graphsOfTables(service),
    ];
    this.metricCount = rows.flat().reduce((sum, graph) => sum + countOf(graph.metrics), 0);
    this.dashboard = new Dashboard(this, 'Dashboard', {
      widgets: [[titleOf(service.manifest.name)], ...rows.map((row) => row.map(widgetOf))],
    });
  }
}

interface Graph {
  readonly title: string;
  readonly width: number;
  readonly metrics: readonly IMetric[];
}

function countOf(metrics: readonly IMetric[]): number {
  return metrics.reduce(
    (sum, metric) => sum + (metric instanceof MathExpression ? Object.keys(metric.usingMetrics).length : 1),
    0,
  );
}

function titleOf(app: string): IWidget {
  return new TextWidget({ markdown: `# ${app}\nTasks, queues and workers of Celeriac.`, width: COLUMNS, height: 2 });
}

function widgetOf({ title, width, metrics }: Graph): IWidget {
  return new GraphWidget({ title, width, height: HEIGHT, left: [...metrics], leftYAxis: { min: 0, showUnits: false } });
}

function graphsOfQueue(service: MeteredService, queue: string): Graph[] {
  const of = { queue, period: SHORT };
  const messages: ServiceMetric[] = [
    service.metricBacklog({ ...of, label: 'waiting' }),
    service.metricInFlight({ ...of, label: 'in flight' }),
  ];
  // One that existed before has none here.
  if (Object.hasOwn(service.queues.pairs, queue))
    messages.push(service.metricDeadLetters({ ...of, label: 'dead letters' }));
  return [
    { title: `${queue}: messages`, width: QUARTER, metrics: messages },
    {
      title: `${queue}: age of the oldest, s`,
      width: QUARTER,
      metrics: [service.metricOldestMessageAge({ ...of, label: 'oldest' })],
    },
  ];
}

function graphsOfWorker(queue: string, worker: LambdaFn): Graph[] {
  return [
    {
      title: `${queue}: worker`,
      width: QUARTER,
      metrics: [
        ...runsOf(worker),
        worker.metricThrottles({ period: SHORT, label: 'throttles' }),
        worker.metric('ConcurrentExecutions', { period: SHORT, statistic: Stats.MAXIMUM, label: 'at once' }),
      ],
    },
    {
      title: `${queue}: a batch, ms`,
      width: QUARTER,
      metrics: [worker.metricDuration({ period: SHORT, statistic: Stats.p(99), label: 'p99' })],
    },
  ];
}

function graphsOfSweeper(service: MeteredService): Graph[] {
  const { sweeper } = service;
  return [
    { title: 'sweeper', width: THIRD, metrics: runsOf(sweeper) },
    {
      title: 'sweeper: longest run, ms',
      width: THIRD,
      metrics: [sweeper.metricDuration({ period: SHORT, statistic: Stats.MAXIMUM, label: 'longest' })],
    },
    {
      title: 'lost messages, missed ticks',
      width: THIRD,
      metrics: [
        service.metricLost({ period: SHORT, label: 'lost' }),
        service.metricMissedTicks({ period: SHORT, label: 'missed ticks' }),
      ],
    },
  ];
}

function runsOf(fn: LambdaFn): IMetric[] {
  return [
    fn.metricInvocations({ period: SHORT, label: 'invocations' }),
    fn.metricErrors({ period: SHORT, label: 'errors' }),
  ];
}

function graphsOfTables({ tables }: MeteredService): Graph[] {
  const each = (make: (table: ITable, name: string) => IMetric): IMetric[] => [
    make(tables.results, 'results'),
    make(tables.state, 'state'),
  ];
  const sum = (metric: string) =>
    each((table, label) => table.metric(metric, { period: SHORT, statistic: Stats.SUM, label }));
  return [
    { title: 'tables: write units a minute', width: THIRD, metrics: sum('ConsumedWriteCapacityUnits') },
    { title: 'tables: read units a minute', width: THIRD, metrics: sum('ConsumedReadCapacityUnits') },
    { title: 'tables: refused writes', width: THIRD, metrics: sum('WriteThrottleEvents') },
  ];
}
