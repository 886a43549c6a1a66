/** What a service costs: figures worked out by hand, against the tables that synth prints and the docs. */
import { readFileSync } from 'node:fs';

import { ApplicationLogLevel } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';

import { type CostSheet, idleCosts, sumOf, taskCost, type WorkerSheet } from '../../infra/costs.ts';
import { pricesOf } from '../../infra/prices.ts';
import { sheetOf } from '../../infra/service-report.ts';
import { planQueues } from '../../infra/plan.ts';
import { serviceTable, type ServiceSheet } from '../../infra/service-table.ts';
import { manifestOf, watch } from './watched.ts';

const US = pricesOf('us-east-1');
const UNBOUNDED = { concurrency: undefined, workers: undefined };
const WORKER: WorkerSheet = {
  queue: 'q',
  fifo: false,
  memoryMiB: 512,
  arm: true,
  batchSize: 10,
  warm: 0,
  logged: true,
  noted: true,
};
const SHEET: CostSheet = {
  workers: [WORKER, WORKER, WORKER],
  sweeperSources: [{ queue: 'Lost', fifo: false }],
  sweeper: { memoryMiB: 512, arm: true },
  timerShards: 8,
  noted: true,
  alarmMetrics: 15,
  dashboardMetrics: 38,
};

function idle(change: Partial<CostSheet> = {}, prices = US): Record<string, number> {
  return Object.fromEntries(idleCosts({ ...SHEET, ...change }, prices).map(({ what, dollars }) => [what, dollars]));
}

describe('idle', () => {
  it('three queues and lost', () => {
    const { 'long polls': polls, sweeper, alarms, dashboard } = idle();
    // 5 pollers x 3 a minute x 43,800 minutes = 657,000 requests of $0.40 a million = $0.2628, four times.
    expect(polls).toBeCloseTo(1.0512, 6);
    // 43,800 x ($0.20 a million + 0.15 s x 0.5 GB x $0.0000133334 + 15 reads of $0.125 a million).
    expect(sweeper).toBeCloseTo(0.00876 + 0.0438002 + 0.082125, 6);
    // Without a history five reads less.
    expect(idle({ noted: false })['sweeper']).toBeCloseTo(0.00876 + 0.0438002 + 0.05475, 6);
    expect(alarms).toBeCloseTo(1.5, 6);
    expect(dashboard).toBe(0);
  });

  it('requests to FIFO queues are dearer', () => {
    const sources = [{ queue: 'LostFifo', fifo: true }];
    // 657,000 x ($0.40 + $0.50) a million.
    expect(idle({ workers: [WORKER], sweeperSources: sources })['long polls']).toBeCloseTo(0.5913, 6);
  });

  it('a dashboard of more than fifty metrics is paid for; none costs nothing', () => {
    expect(idle({ dashboardMetrics: 50 })['dashboard']).toBe(0);
    expect(idle({ dashboardMetrics: 51 })['dashboard']).toBe(3);
    expect(Object.keys(idle({ dashboardMetrics: 0, alarmMetrics: 0 }))).toEqual(['long polls', 'sweeper']);
  });

  it('warm workers are paid for all the time', () => {
    const [arm, x86] = [true, false].map((isArm) => ({ ...WORKER, arm: isArm, warm: 2, memoryMiB: 1024 }));
    if (arm === undefined || x86 === undefined) throw new Error('There are two.');
    // 2 GB x 2,628,000 s x $0.0000033334, and $0.0000041667.
    expect(idle({ workers: [arm] })['warm workers']).toBeCloseTo(17.52035, 4);
    expect(idle({ workers: [arm, x86] })['warm workers']).toBeCloseTo(17.52035 + 21.900175, 4);
    expect(idle()).not.toHaveProperty('warm workers');
  });

  it('x86, more memory and more shards are dearer by what AWS bills', () => {
    const sweeper = { memoryMiB: 1024, arm: false };
    // 43,800 x ($0.20 a million + 0.15 s x 1 GB x $0.0000166667 + 71 reads).
    expect(idle({ sweeper, timerShards: 64 })['sweeper']).toBeCloseTo(0.00876 + 0.1095002 + 0.388725, 6);
  });
});

describe('a million tasks', () => {
  const rounded = (worker: Partial<WorkerSheet>, prices = US): Record<string, number> => {
    const cost = taskCost({ ...WORKER, ...worker }, prices);
    const { queue: _queue, ...services } = cost;
    return Object.fromEntries(
      Object.entries({ ...services, sum: sumOf(cost) }).map(([name, dollars]) => [
        name,
        Math.round(dollars * 1e4) / 1e4,
      ]),
    );
  };

  it.each<[string, Partial<WorkerSheet>, Record<string, number>]>([
    // 1,000,000 sends + 200,000 receives and deletes; 100,000 invocations and 50,000 s of 0.5 GB; 2,100,000 writes; 0.559 GB.
    ['512 MiB', {}, { sqs: 0.48, lambda: 0.3533, dynamodb: 1.3125, logs: 0.2794, sum: 2.4252 }],
    ['128 MiB', { memoryMiB: 128 }, { sqs: 0.48, lambda: 0.1033, dynamodb: 1.3125, logs: 0.2794, sum: 2.1752 }],
    ['x86', { arm: false }, { sqs: 0.48, lambda: 0.4367, dynamodb: 1.3125, logs: 0.2794, sum: 2.5086 }],
    ['one a batch', { batchSize: 1 }, { sqs: 1.2, lambda: 0.5333, dynamodb: 1.875, logs: 0.2794, sum: 3.8877 }],
    // A poller receives ten at a time, whatever the batch.
    [
      'a hundred a batch',
      { batchSize: 100 },
      { sqs: 0.48, lambda: 0.3353, dynamodb: 1.2562, logs: 0.2794, sum: 2.351 },
    ],
    ['without its lines', { logged: false }, { sqs: 0.48, lambda: 0.3533, dynamodb: 1.3125, logs: 0, sum: 2.1458 }],
    ['without a history', { noted: false }, { sqs: 0.48, lambda: 0.3533, dynamodb: 1.25, logs: 0.2794, sum: 2.3627 }],
    ['FIFO', { fifo: true }, { sqs: 0.6, lambda: 0.3533, dynamodb: 1.3125, logs: 0.2794, sum: 2.5452 }],
  ])('%s', (_what, worker, cost) => {
    expect(rounded(worker)).toEqual(cost);
  });

  it('other regions by their own prices, those of us-east-1 where there are none', () => {
    expect(rounded({}, pricesOf('eu-central-1'))).toMatchObject({ dynamodb: 1.6013, logs: 0.352 });
    expect(pricesOf('eu-central-1').region).toBe('eu-central-1');
    for (const region of ['mars-north-1', '', 'constructor']) expect(pricesOf(region)).toBe(US);
  });
});

describe('what synth prints', () => {
  const sheet: ServiceSheet = {
    ...SHEET,
    app: 'blog',
    queues: [
      {
        name: 'default',
        type: 'standard',
        consumer: 'worker',
        made: {
          visibilitySeconds: 90,
          retentionSeconds: 345_600,
          deadLetterRetentionSeconds: 1_209_600,
          maxReceiveCount: 50,
        },
      },
      {
        name: 'orders',
        type: 'FIFO',
        consumer: 'elsewhere',
        made: { visibilitySeconds: 1800, retentionSeconds: 3600, deadLetterRetentionSeconds: 7200, maxReceiveCount: 5 },
      },
      { name: 'celery', type: 'standard', consumer: 'elsewhere' },
    ],
    workers: [
      { ...WORKER, queue: 'default', timeoutSeconds: 90, batchWindowSeconds: 0, ...UNBOUNDED },
      { ...WORKER, queue: 'x'.repeat(30), timeoutSeconds: 900, batchWindowSeconds: 2, concurrency: 10, workers: 2 },
    ],
    sweeper: { memoryMiB: 512, arm: true, timeoutSeconds: 90 },
  };

  it('is this', () => {
    expect(serviceTable(sheet, US).split('\n')).toEqual([
      "queues and functions of app 'blog'",
      '',
      'queue    type      runs       visibility      kept  dead letters  receives',
      '-------  --------  ---------  --------------  ----  ------------  --------',
      'default  standard  worker     90 s            4 d   14 d                50',
      'orders   FIFO      elsewhere  30 min          1 h   2 h                  5',
      'celery   standard  elsewhere  made elsewhere',
      '',
      'worker of                  memory  timeout  batch  window  at once',
      '------------------------  -------  -------  -----  ------  ----------------',
      'default                   512 MiB  90 s        10  -       as Lambda scales',
      'xxxxxxxxxxxxxxxxxxxxxxx…  512 MiB  15 min      10  2 s     10 in 2 workers',
      '(sweeper)                 512 MiB  90 s                    each minute',
      '',
      '$ a month when idle (us-east-1, list prices of 2026-11-21, free tiers not taken off)',
      '',
      'idle        how                                                          $',
      '----------  --------------------------------------------------------  ----',
      'long polls  3 event sources, 5 pollers each: 657,000 requests of one  0.79',
      'sweeper     43,800 runs of 150 ms, 15 reads each                      0.13',
      'alarms      15 metrics; AWS gives an account ten                      1.50',
      'dashboard   38 metrics; one of the three of 50 that AWS gives         0.00',
      'sum                                                                   2.42',
      '',
      '$ for a million tasks of 50 ms, sent one by one, received in full batches',
      '',
      'tasks of                   SQS  Lambda  DynamoDB  logs   sum',
      '------------------------  ----  ------  --------  ----  ----',
      'default                   0.48    0.35      1.31  0.28  2.43',
      'xxxxxxxxxxxxxxxxxxxxxxx…  0.48    0.35      1.31  0.28  2.43',
    ]);
  });

  it('is no wider than a terminal, and says nothing of tasks where nothing runs', () => {
    const long = { ...sheet, queues: sheet.queues.map((queue) => ({ ...queue, name: 'y'.repeat(80) })) };
    for (const line of serviceTable(long, US).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(serviceTable({ ...sheet, workers: [] }, US)).not.toContain('tasks of');
  });

  it('comes of the service as it is made', () => {
    const manifest = manifestOf(1, {
      queues: { q0: { fifo: false, concurrency: 5 }, orders: { fifo: true }, celery: { fifo: false, external: true } },
    });
    const given = { queues: { orders: { provisionedConcurrency: 3, logLevel: ApplicationLogLevel.WARN } } };
    const { service, template } = watch(manifest, given);
    const found = sheetOf(service, planQueues(manifest, given.queues));
    const mappings = Object.keys(template.findResources('AWS::Lambda::EventSourceMapping'));
    expect(found.workers.length + found.sweeperSources.length).toBe(mappings.length);
    expect(found).toMatchObject({
      queues: [{ name: 'q0' }, { name: 'orders', type: 'FIFO' }, { name: 'celery', consumer: 'elsewhere' }],
      workers: [
        {
          queue: 'q0',
          memoryMiB: 512,
          arm: true,
          batchSize: 10,
          concurrency: 5,
          workers: 5,
          warm: 0,
          logged: true,
          noted: true,
        },
        { queue: 'orders', fifo: true, warm: 3, logged: false },
      ],
      sweeperSources: [
        { queue: 'Lost', fifo: false },
        { queue: 'LostFifo', fifo: true },
        { queue: 'WakeUps', fifo: false },
      ],
      sweeper: { memoryMiB: 512, arm: true },
      alarmMetrics: service.alarms?.metricCount,
    });
  });
});

it('the docs have the same figures', () => {
  const docs = readFileSync('docs/deploy.md', 'utf8');
  const costs = idleCosts(SHEET, US);
  const sum = costs.reduce((total, { dollars }) => total + dollars, 0);
  expect(docs).toContain(`**${sum.toFixed(2)}**`);
  expect(docs).toContain(`without alarms ${(sum - 1.5).toFixed(2)}`);
  expect(docs).toContain('657,000 requests');
  const { queue: _queue, ...million } = taskCost(WORKER, US);
  for (const dollars of [...Object.values(million), sumOf({ queue: '', ...million })])
    expect(docs).toMatch(new RegExp(`\\| \\**${dollars.toFixed(2)}\\** +\\|`));
});
