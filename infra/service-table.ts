/** What synth prints of a service beside its schedule entries: queues, functions, costs. */
import { type CostSheet, idleCosts, sumOf, taskCost, type WorkerSheet } from './costs.ts';
import { PRICES_DATE, type Prices } from './prices.ts';
import { TASK_MS } from './task-costs.ts';
import { cell, textTable } from './text-table.ts';

export interface QueueSheet {
  readonly name: string;
  readonly type: 'standard' | 'FIFO';
  /** Where its tasks run. */
  readonly consumer: 'worker' | 'process' | 'elsewhere';
  /** Absent of one that the service has not made. */
  readonly made?: {
    readonly visibilitySeconds: number;
    readonly retentionSeconds: number;
    readonly deadLetterRetentionSeconds: number;
    readonly maxReceiveCount: number;
  };
}

export interface FunctionSheet extends WorkerSheet {
  readonly timeoutSeconds: number;
  readonly batchWindowSeconds: number;
  /** Tasks at once; undefined where Lambda decides. */
  readonly concurrency: number | undefined;
  /** Invocations at once, by which they are bounded. */
  readonly workers: number | undefined;
}

/** A service as it is deployed. */
export interface ServiceSheet extends CostSheet {
  readonly app: string;
  readonly queues: readonly QueueSheet[];
  readonly workers: readonly FunctionSheet[];
  readonly sweeper: CostSheet['sweeper'] & { readonly timeoutSeconds: number };
}

// With the widest of the other columns a line has some 90 characters.
const LONGEST_NAME = 24;

export function serviceTable(sheet: ServiceSheet, prices: Prices): string {
  return [
    `queues and functions of app '${sheet.app}'`,
    '',
    queueTable(sheet.queues),
    '',
    functionTable(sheet),
    '',
    `$ a month when idle (${prices.region}, list prices of ${PRICES_DATE}, free tiers not taken off)`,
    '',
    idleTable(sheet, prices),
    ...(sheet.workers.length === 0
      ? []
      : [
          '',
          `$ for a million tasks of ${TASK_MS} ms, sent one by one, received in full batches`,
          '',
          taskTable(sheet.workers, prices),
        ]),
  ].join('\n');
}

function queueTable(queues: readonly QueueSheet[]): string {
  const rows = queues.map(({ name, type, consumer, made }) => [
    cell(name, LONGEST_NAME),
    type,
    consumer,
    ...(made === undefined
      ? ['made elsewhere', '', '', '']
      : [
          time(made.visibilitySeconds),
          time(made.retentionSeconds),
          time(made.deadLetterRetentionSeconds),
          String(made.maxReceiveCount),
        ]),
  ]);
  return textTable(['queue', 'type', 'runs', 'visibility', 'kept', 'dead letters', 'receives'], rows, ['receives']);
}

function functionTable({ workers, sweeper }: ServiceSheet): string {
  const rows = workers.map((worker) => [
    cell(worker.queue, LONGEST_NAME),
    `${worker.memoryMiB} MiB`,
    time(worker.timeoutSeconds),
    String(worker.batchSize),
    worker.batchWindowSeconds === 0 ? '-' : time(worker.batchWindowSeconds),
    worker.concurrency === undefined ? 'as Lambda scales' : `${worker.concurrency} in ${worker.workers} workers`,
  ]);
  rows.push(['(sweeper)', `${sweeper.memoryMiB} MiB`, time(sweeper.timeoutSeconds), '', '', 'each minute']);
  return textTable(['worker of', 'memory', 'timeout', 'batch', 'window', 'at once'], rows, ['memory', 'batch']);
}

function idleTable(sheet: ServiceSheet, prices: Prices): string {
  const costs = idleCosts(sheet, prices);
  const sum = costs.reduce((total, { dollars }) => total + dollars, 0);
  const rows = [...costs.map(({ what, how, dollars }) => [what, how, money(dollars)]), ['sum', '', money(sum)]];
  return textTable(['idle', 'how', '$'], rows, ['$']);
}

function taskTable(workers: readonly WorkerSheet[], prices: Prices): string {
  const rows = workers.map((worker) => {
    const cost = taskCost(worker, prices);
    const { queue, sqs, lambda, dynamodb, logs } = cost;
    return [cell(queue, LONGEST_NAME), ...[sqs, lambda, dynamodb, logs, sumOf(cost)].map(money)];
  });
  const services = ['SQS', 'Lambda', 'DynamoDB', 'logs', 'sum'];
  return textTable(['tasks of', ...services], rows, services);
}

function money(dollars: number): string {
  return dollars.toFixed(2);
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
];

/** In the largest unit that says it exactly. */
function time(seconds: number): string {
  const unit = UNITS.find(([length]) => seconds >= length && seconds % length === 0);
  return unit === undefined ? `${seconds} s` : `${seconds / unit[0]} ${unit[1]}`;
}
