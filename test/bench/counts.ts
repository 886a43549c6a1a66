/** Requests and write units of the main paths. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetItemCommand, GetQueueAttributesCommand, QueryCommand } from '#aws-sdk';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { Celeriac, enqueueMany, type HistoryOption, type Logger, type Task, type TaskContext } from 'celeriac';
import { LocalCloud } from 'celeriac/local';

import { systemClock } from '../../lib/base/time.ts';
import { resultKey } from '../../lib/aws/keys.ts';
import { HISTORY_SHARDS } from '../../lib/base/limits.ts';
import { historyPartition } from '../../lib/ports/history-place.ts';
import { answering } from './answering.ts';
import { jsonLine } from '../../lib/options/console-logger.ts';

export interface Tally {
  sends: number;
  table: number;
  /** Conditional writes of single items, in whatever request. */
  writes: number;
  /** Of these, marks of group members. */
  groupWrites: number;
  /** Read units of items that are read by their keys, none of them larger than 4 KB. */
  reads: number;
}

export const NOTHING: Readonly<Tally> = { sends: 0, table: 0, writes: 0, groupWrites: 0, reads: 0 };

const READS = new Set(['GetItemCommand', 'BatchGetItemCommand', 'QueryCommand']);

export function watch(sqs: SQSClient, dynamodb: DynamoDBClient, tally: Tally): void {
  sqs.middlewareStack.add(
    (next, context) => (args) => {
      if (String(context['commandName']).startsWith('SendMessage')) tally.sends += 1;
      return next(args);
    },
    { step: 'initialize' },
  );
  dynamodb.middlewareStack.add(
    (next, context) => (args) => {
      const name = String(context['commandName']);
      tally.table += 1;
      const input = args.input as {
        Statements?: readonly unknown[];
        RequestItems?: Record<string, readonly unknown[]>;
      };
      tally.reads += readUnits(name, args.input as ReadInput);
      if (name === 'BatchExecuteStatementCommand') tally.writes += input.Statements?.length ?? 0;
      else if (name === 'BatchWriteItemCommand') tally.writes += Object.values(input.RequestItems ?? {}).flat().length;
      else if (!READS.has(name)) tally.writes += 1;
      if (name === 'UpdateItemCommand' && JSON.stringify(args.input).includes('group#')) tally.groupWrites += 1;
      return next(args);
    },
    { step: 'initialize' },
  );
}

interface ReadInput {
  readonly ConsistentRead?: boolean;
  readonly RequestItems?: Readonly<
    Record<string, { readonly Keys?: readonly unknown[]; readonly ConsistentRead?: boolean }>
  >;
}

/** Half a unit an item, twice that where it must be the newest. */
function readUnits(name: string, { ConsistentRead, RequestItems = {} }: ReadInput): number {
  if (name === 'GetItemCommand') return ConsistentRead === true ? 1 : 0.5;
  if (name !== 'BatchGetItemCommand') return 0;
  return Object.values(RequestItems).reduce(
    (units, each) => units + (each.Keys?.length ?? 0) * (each.ConsistentRead === true ? 1 : 0.5),
    0,
  );
}

/** What one task of a kind asked for. */
export interface Count {
  readonly kind: string;
  readonly sends: number;
  readonly table: number;
  readonly writes: number;
  readonly reads: number;
  /** Bytes of its log lines, as Lambda keeps them. */
  readonly logBytes: number;
}

export interface Counts {
  readonly tasks: readonly Count[];
  /** Of the item of a finished plain task. */
  readonly itemBytes: number;
  /** Requests to the tables of a sweep that finds nothing, and the shards that it asked for. */
  readonly idleSweep: { readonly table: number; readonly shards: number };
  /** Of each item of the history. */
  readonly historyBytes: readonly number[];
}

/** All of them run at the same time: no more than the embedded cloud runs at once, two batches of ten. */
const RUN_TOGETHER: ReadonlySet<string> = new Set(['revoke({ terminate })']);
const TOGETHER = 20;

const ENDS: ReadonlySet<unknown> = new Set(['success', 'revoke']);

/** What happens to tasks once they are sent. */
type Afterwards = (ids: readonly string[]) => Promise<unknown>;

export interface CountOptions {
  /** With what takes seconds by its nature: a run that is looked after, and ended. */
  readonly slow?: boolean;
  /** Default 'off': what it adds is counted by itself, `historyCount`. */
  readonly history?: HistoryOption;
  /** A worker process in the place of the function. */
  readonly process?: boolean;
  /** Of these kinds alone: those that wait for a rate or a slot take seconds. */
  readonly only?: ReadonlySet<string>;
}

export async function counts(
  tasks: number,
  { slow = false, history = 'off', process = false, only }: CountOptions = {},
): Promise<Counts> {
  let logBytes = 0;
  // Of the task that is counted: another kind's last lines may still come.
  const done = { received: 0, ended: 0, task: '' };
  const logger: Logger = {
    log(level, message, fields = {}) {
      const timestamp = new Date(0).toISOString();
      const isCounted = fields['task'] === done.task;
      if (isCounted && message.endsWith('received')) done.received += 1;
      if (isCounted && ENDS.has(fields['state'])) done.ended += 1;
      // Line break and what CloudWatch counts of an event besides are left out.
      if (level !== 'debug')
        logBytes += jsonLine({ timestamp, level, message, requestId: randomUUID() }, fields).length;
    },
  };
  const app = new Celeriac('bench', { logger, history, queues: { default: process ? { worker: 'process' } : {} } });
  const count = (value: number): number => value;
  const { place, stop } = await answering();
  const kinds: [string, Task<[value: number], number | Promise<number>>, Afterwards?][] = [
    ['plain', app.task('bench.plain', count)],
    ['ignoreResult', app.task('bench.ignored', { ignoreResult: true }, count)],
    ['idempotent and ignoreResult', app.task('bench.idempotent', { ignoreResult: true, idempotent: true }, count)],
    [
      'one retry',
      app.task('bench.retried', { bind: true }, (self, value: number) => {
        if (self.request.retries === 0) throw self.retry({ countdown: 0 });
        return count(value);
      }),
    ],
    [
      'a part more',
      app.task('bench.parts', { bind: true, maxParts: 2 }, (self, value: number) => {
        if (self.part === 1) throw self.goOn(value);
        return count(value);
      }),
    ],
    [
      'checkpoint',
      app.task('bench.checkpoint', { bind: true, maxParts: 2 }, async (self, value: number) => {
        await self.checkpoint(value);
        return count(value);
      }),
    ],
    ['HTTP task', app.http<(value: number) => number>('bench.http', place)],
    // Its post included, which is a task of its own.
    ['webhook', app.task('bench.webhook', { webhook: place }, count)],
    [
      'app.locks.with, keys of their own',
      app.task('bench.locked', (value: number) => app.locks.with(`key ${value}`, () => count(value))),
    ],
    ['rateLimit, all start at once', app.task('bench.unhindered', { rateLimit: 1_000_000 }, count)],
    // Five seconds of them.
    [
      'oneInstance, keys of their own',
      app.task('bench.single', { oneInstance: { key: (value: number) => `key ${value}` } }, count),
    ],
    ['rateLimit, most wait', app.task('bench.limited', { rateLimit: tasks / 5 }, count)],
    // Each of a key of its own.
    ['unique', app.task('bench.unique', { unique: { key: (value: number) => `key ${value}` } }, count)],
    [
      'throttle',
      app.task('bench.throttled', { throttle: { key: (value: number) => `key ${value}`, per: '1h' } }, count),
    ],
    ['debounce', app.task('bench.debounced', { debounce: { key: (value: number) => `key ${value}`, wait: 1 } }, count)],
    ['concurrency, slots free', app.task('bench.free', { concurrency: 100 }, count)],
    ['concurrency of 5, most wait', app.task('bench.slots', { concurrency: 5 }, count)],
  ];
  const until = async (self: TaskContext, value: number): Promise<number> => {
    await new Promise((resolve) => self.signal.addEventListener('abort', resolve));
    return value;
  };
  if (slow)
    kinds.push([
      'revoke({ terminate })',
      app.task('bench.terminated', { bind: true }, until),
      // All of them run by then, and the first look is to come.
      async (ids) => {
        while (done.received < ids.length) await new Promise((resolve) => setTimeout(resolve, 20));
        await app.control.terminate(ids);
      },
    ]);
  const cloud = await LocalCloud.start(app, { logger, sweepEvery: '1h' });
  const tally: Tally = { ...NOTHING };
  watch(cloud.clients.sqs, cloud.clients.dynamodb, tally);
  const reset = (task: string): void => {
    Object.assign(tally, NOTHING);
    Object.assign(done, { received: 0, ended: 0, task });
    logBytes = 0;
  };
  // The first sweep notes where it begins.
  if (history !== 'off') await app.sweep();
  const found: Count[] = [];
  let plainId = '';
  try {
    for (const [kind, task, afterwards] of kinds.filter(([name]) => only?.has(name) !== false)) {
      reset(task.taskName);
      const calls = RUN_TOGETHER.has(kind) ? Math.min(tasks, TOGETHER) : tasks;
      const results = await enqueueMany(Array.from({ length: calls }, (_, index) => task.s(index)));
      if (kind === 'plain') plainId = results[0]?.id ?? '';
      await afterwards?.(results.map(({ id }) => id));
      // It is told once its outcome is committed.
      while (done.ended < calls) await new Promise((resolve) => setTimeout(resolve, 20));
      await deleted(cloud);
      // A process writes its history once a second.
      if (history !== 'off' && process) await new Promise((resolve) => setTimeout(resolve, 1500));
      const { sends, table, writes, reads } = tally;
      found.push({
        kind,
        sends: sends / calls,
        table: table / calls,
        writes: writes / calls,
        reads: reads / calls,
        logBytes: logBytes / calls,
      });
    }
    const idleSweep = { table: await ofSweep(app, cloud), shards: app.settings.timerShards };
    const historyBytes = history === 'off' ? [] : await historyItemBytes(cloud);
    return { tasks: found, itemBytes: await itemBytes(cloud, plainId), idleSweep, historyBytes };
  } finally {
    await cloud.stop();
    stop();
  }
}

/**
 * Until the last message has been deleted: what is settled behind the line that tells a task's end, a token that closes what
 * it has sent, a slot that is given back, belongs to its batch, and comes before that.
 */
async function deleted({ sqs, environment }: LocalCloud): Promise<void> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  for (;;) {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: environment.queues['default'] ?? '', AttributeNames: [...names] }),
    );
    if (names.every((name) => Attributes[name] === '0')) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Its own requests alone: workers that have ended tasks may still give something back meanwhile. */
async function ofSweep(app: Celeriac, cloud: LocalCloud): Promise<number> {
  const sweeping = new AsyncLocalStorage<true>();
  let table = 0;
  cloud.clients.dynamodb.middlewareStack.add(
    (next) => (args) => {
      if (sweeping.getStore() === true) table += 1;
      return next(args);
    },
    { step: 'initialize' },
  );
  await sweeping.run(true, () => app.sweep());
  return table;
}

const WRITE_UNIT_BYTES = 1024;

/** What the history adds to plain tasks, in batches of ten or ten at once. */
export async function historyCount(
  tasks: number,
  history: HistoryOption,
  process = false,
): Promise<{ readonly table: number; readonly writes: number; readonly bytes: readonly number[] }> {
  const {
    tasks: [count],
    historyBytes: bytes,
  } = await counts(tasks, { history, process, only: new Set(['plain']) });
  return { table: count?.table ?? Number.NaN, writes: count?.writes ?? Number.NaN, bytes };
}

export async function historyRows(tasks: number): Promise<[string, string][]> {
  const [failures, all, shared] = [
    await historyCount(tasks, 'failures'),
    await historyCount(tasks, 'all'),
    await historyCount(tasks, 'all', true),
  ];
  const added = ({ bytes }: typeof all): string => {
    // An item is a request. Claims and commits share theirs now more, now less: their sum says nothing of so little.
    const units = bytes.reduce((sum, each) => sum + Math.ceil(each / WRITE_UNIT_BYTES), 0);
    return `${(bytes.length / tasks).toFixed(2)} requests, ${(units / tasks).toFixed(2)} WRU`;
  };
  const mean = all.bytes.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, all.bytes.length);
  return [
    ["history: 'all' adds to a plain task, ten a batch", added(all)],
    ["history: 'all' adds to one at a worker process, ten at once", added(shared)],
    ["history: 'failures' adds to one that succeeds", added(failures)],
    ['item of the history', `${mean.toFixed(0)} bytes (1,024 make a write unit)`],
  ];
}

/** Parts of this hour and the one before. */
async function historyItemBytes(cloud: LocalCloud): Promise<number[]> {
  const nowMs = systemClock.nowMs();
  const parts = [nowMs - 3_600_000, nowMs].flatMap((ms) =>
    Array.from({ length: HISTORY_SHARDS }, (_, shard) => historyPartition(ms, shard)),
  );
  const pages = await Promise.all(
    parts.map((pk) =>
      cloud.dynamodb.send(
        new QueryCommand({
          TableName: cloud.environment.stateTable,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: pk } },
        }),
      ),
    ),
  );
  return pages.flatMap(({ Items = [] }) => Items.map(sizeOf));
}

export function countRows({ tasks, itemBytes: bytes, idleSweep }: Counts): [string, string][] {
  return [
    ...tasks.map(({ kind, sends, table, writes, reads, logBytes }): [string, string] => [
      kind === 'plain' ? 'plain, ten a batch' : kind,
      `${(sends + table).toFixed(2)} requests (${sends.toFixed(2)} SQS sends, ${table.toFixed(2)} DynamoDB), ${writes.toFixed(2)} WRU, ${reads.toFixed(2)} RRU, ${logBytes.toFixed(0)} bytes of log`,
    ]),
    ['item of a finished task', `${bytes} bytes (1,024 make a write unit)`],
    ['a sweep that finds nothing', `${idleSweep.table} reads (${idleSweep.shards} shards)`],
  ];
}

async function itemBytes(cloud: LocalCloud, id: string): Promise<number> {
  const { Item } = await cloud.dynamodb.send(
    new GetItemCommand({ TableName: cloud.environment.resultsTable, Key: { id: { S: resultKey(id) } } }),
  );
  return sizeOf(Item ?? {});
}

function sizeOf(item: Record<string, AttributeValue>): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + name.length + Buffer.byteLength(value.S ?? value.N ?? value.B ?? '1'),
    0,
  );
}
