/** Requests and write units of the main paths. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetItemCommand } from '#aws-sdk';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { type ApplyOptions, Celeriac, enqueueMany, type Signature, silentLogger, type Task } from 'celeriac';
import { LocalCloud } from 'celeriac/local';

import { resultKey } from '../../lib/aws/keys.ts';

export interface Tally {
  sends: number;
  table: number;
  /** Conditional writes of single items, in whatever request. */
  writes: number;
  /** Of these, marks of group members. */
  groupWrites: number;
}

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
      if (name === 'BatchExecuteStatementCommand') tally.writes += input.Statements?.length ?? 0;
      else if (name === 'BatchWriteItemCommand') tally.writes += Object.values(input.RequestItems ?? {}).flat().length;
      else if (!READS.has(name)) tally.writes += 1;
      if (name === 'UpdateItemCommand' && JSON.stringify(args.input).includes('group#')) tally.groupWrites += 1;
      return next(args);
    },
    { step: 'initialize' },
  );
}

export async function counts(tasks: number): Promise<[string, string][]> {
  const app = new Celeriac('bench');
  const done = { runs: 0 };
  const count = (value: number): number => {
    done.runs += 1;
    return value;
  };
  const plain = app.task('plain', count);
  const ignored = app.task('ignored', { ignoreResult: true }, count);
  const idempotent = app.task('idempotent', { ignoreResult: true, idempotent: true }, count);
  const retried = app.task('retried', { bind: true }, (self, value: number) => {
    if (self.request.retries === 0) throw self.retry({ countdown: 0 });
    return count(value);
  });
  const cloud = await LocalCloud.start(app, { logger: silentLogger, sweepEvery: '1h' });
  const tally: Tally = { sends: 0, table: 0, writes: 0, groupWrites: 0 };
  watch(cloud.clients.sqs, cloud.clients.dynamodb, tally);
  const rows: [string, string][] = [];
  const measure = async (
    name: string,
    task: Task<[value: number], number>,
    options: ApplyOptions = {},
  ): Promise<void> => {
    Object.assign(tally, { sends: 0, table: 0, writes: 0, groupWrites: 0 });
    done.runs = 0;
    const signatures: Signature<number>[] = Array.from({ length: tasks }, (_, index) =>
      task.signature([index], options),
    );
    const results = await enqueueMany(signatures);
    while (done.runs < tasks) await new Promise((resolve) => setTimeout(resolve, 20));
    // The last commits are under way when the last task has returned.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const each = (value: number): string => (value / tasks).toFixed(2);
    rows.push([
      name,
      `${each(tally.sends + tally.table)} requests (${each(tally.sends)} SQS sends, ${each(tally.table)} DynamoDB), ${each(tally.writes)} WRU`,
    ]);
    if (name === 'plain, ten a batch')
      rows.push([
        '  item of a finished task',
        `${await itemBytes(cloud, results[0]?.id ?? '')} bytes (1,024 make a write unit)`,
      ]);
  };
  try {
    await measure('plain, ten a batch', plain);
    await measure('ignoreResult', ignored);
    await measure('idempotent and ignoreResult', idempotent);
    await measure('one retry', retried);
    return rows;
  } finally {
    await cloud.stop();
  }
}

async function itemBytes(cloud: LocalCloud, id: string): Promise<number> {
  const { Item } = await cloud.dynamodb.send(
    new GetItemCommand({ TableName: cloud.environment.resultsTable, Key: { id: { S: resultKey(id) } } }),
  );
  return Object.entries(Item ?? {}).reduce(
    (sum, [name, value]) => sum + name.length + Buffer.byteLength(value.S ?? value.N ?? value.B ?? '1'),
    0,
  );
}
