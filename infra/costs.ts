/** What a service costs: pure arithmetic on what it consists of, what a task asks of AWS, and a table of prices. */
import { FREE_DASHBOARD_METRICS, type Prices } from './prices.ts';
import {
  HISTORY_BATCH_WRITE_UNITS,
  HISTORY_SWEEP_READS,
  IDLE_SWEEP_READS,
  MINUTES_A_MONTH,
  POLLERS,
  POLLS_A_MINUTE,
  SWEEP_MS,
  TASK_LOG_BYTES,
  TASK_MS,
  TASK_WRITE_UNITS,
} from './task-costs.ts';

/** A queue that Lambda asks for messages. */
export interface SourceSheet {
  readonly queue: string;
  readonly fifo: boolean;
}

export interface WorkerSheet extends SourceSheet {
  readonly memoryMiB: number;
  readonly arm: boolean;
  readonly batchSize: number;
  /** Queues that feed it too. */
  readonly lanes?: readonly SourceSheet[];
  /** Environments that are kept warm. */
  readonly warm: number;
  /** Whether its log has the lines of tasks that succeed. */
  readonly logged: boolean;
  /** Whether the history of its tasks is kept. */
  readonly noted: boolean;
}

/** What costs something of a service. */
export interface CostSheet {
  readonly workers: readonly WorkerSheet[];
  /** Queues that feed the sweeper. */
  readonly sweeperSources: readonly SourceSheet[];
  readonly sweeper: { readonly memoryMiB: number; readonly arm: boolean };
  readonly timerShards: number;
  /** Whether the sweeper rolls up a history. */
  readonly noted: boolean;
  readonly alarmMetrics: number;
  /** 0 without a dashboard. */
  readonly dashboardMetrics: number;
}

export interface Cost {
  readonly what: string;
  readonly how: string;
  readonly dollars: number;
}

const MILLION = 1e6;
const GB = 2 ** 30;
// What a poller receives at once.
const RECEIVED = 10;

/** A month in which nothing happens. */
export function idleCosts(sheet: CostSheet, prices: Prices): Cost[] {
  const { sweeper, timerShards, noted, alarmMetrics, dashboardMetrics } = sheet;
  const lanes = sheet.workers.flatMap((worker) => worker.lanes ?? []);
  const sources = [...sheet.workers, ...lanes, ...sheet.sweeperSources];
  const polls = POLLERS * POLLS_A_MINUTE * MINUTES_A_MONTH;
  const reads = timerShards + IDLE_SWEEP_READS + (noted ? HISTORY_SWEEP_READS : 0);
  const run = prices.lambdaMillion / MILLION + secondsOf(SWEEP_MS, sweeper, prices);
  return [
    {
      what: 'long polls',
      how: `${counted(sources.length, 'event source')}${lanes.length === 0 ? '' : ` (${counted(lanes.length, 'lane')})`}, ${POLLERS} pollers each: ${polls.toLocaleString('en')} requests of one`,
      dollars: sources.reduce((sum, source) => sum + (polls / MILLION) * requestPrice(source, prices), 0),
    },
    {
      what: 'sweeper',
      how: `${MINUTES_A_MONTH.toLocaleString('en')} runs of ${SWEEP_MS} ms, ${reads} reads each`,
      dollars: MINUTES_A_MONTH * (run + (reads * prices.dynamodbReadMillion) / MILLION),
    },
    ...warmCost(sheet.workers, prices),
    ...(alarmMetrics === 0
      ? []
      : [
          {
            what: 'alarms',
            how: `${counted(alarmMetrics, 'metric')}; AWS gives an account ten`,
            dollars: alarmMetrics * prices.alarmMetricMonth,
          },
        ]),
    ...(dashboardMetrics === 0 ? [] : [dashboardCost(dashboardMetrics, prices)]),
  ];
}

function warmCost(workers: readonly WorkerSheet[], prices: Prices): Cost[] {
  const warm = workers.reduce((sum, worker) => sum + worker.warm, 0);
  const perSecond = ({ arm }: WorkerSheet): number =>
    arm ? prices.lambdaArmWarmGbSecond : prices.lambdaX86WarmGbSecond;
  const dollars = workers.reduce(
    (sum, worker) => sum + worker.warm * (worker.memoryMiB / 1024) * MINUTES_A_MONTH * 60 * perSecond(worker),
    0,
  );
  return warm === 0 ? [] : [{ what: 'warm workers', how: `${warm} all the time`, dollars }];
}

function dashboardCost(metrics: number, prices: Prices): Cost {
  const free = metrics <= FREE_DASHBOARD_METRICS;
  return {
    what: 'dashboard',
    how: `${counted(metrics, 'metric')}; ${free ? `one of the three of ${FREE_DASHBOARD_METRICS} that AWS gives` : `beyond ${FREE_DASHBOARD_METRICS} it is paid`}`,
    dollars: free ? 0 : prices.dashboardMonth,
  };
}

/** What a million tasks of one queue cost, by service. */
export interface TaskCost {
  readonly queue: string;
  /** SQS: one by one, to be received in full batches, and to be deleted. */
  readonly sqs: number;
  readonly lambda: number;
  readonly dynamodb: number;
  readonly logs: number;
}

/**
 * Tasks that are sent one by one, come in full batches, and run for 50 ms one after another. Those that run at once share the time, those that
 * come alone have an invocation and two requests each.
 */
export function taskCost(worker: WorkerSheet, prices: Prices): TaskCost {
  const receives = 1 / Math.min(RECEIVED, worker.batchSize);
  // A send, and of each batch a receive and a delete.
  const requests = 1 + 2 * receives;
  const writes = TASK_WRITE_UNITS + (worker.noted ? HISTORY_BATCH_WRITE_UNITS / worker.batchSize : 0);
  return {
    queue: worker.queue,
    sqs: requests * requestPrice(worker, prices),
    lambda: prices.lambdaMillion / worker.batchSize + MILLION * secondsOf(TASK_MS, worker, prices),
    dynamodb: writes * prices.dynamodbWriteMillion,
    logs: worker.logged ? ((MILLION * TASK_LOG_BYTES) / GB) * prices.logsGb : 0,
  };
}

function requestPrice({ fifo }: SourceSheet, prices: Prices): number {
  return fifo ? prices.sqsFifoMillion : prices.sqsMillion;
}

function secondsOf(ms: number, { memoryMiB, arm }: { memoryMiB: number; arm: boolean }, prices: Prices): number {
  return (ms / 1000) * (memoryMiB / 1024) * (arm ? prices.lambdaArmGbSecond : prices.lambdaX86GbSecond);
}

export function sumOf({ sqs, lambda, dynamodb, logs }: TaskCost): number {
  return sqs + lambda + dynamodb + logs;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
