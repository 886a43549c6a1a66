/** Each role may do what its code does: every call of worker, sweeper and callers on the emulated services, asked of the synthesized roles. */
import { readdirSync, readFileSync } from 'node:fs';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { DynamoDBClient, SendMessageCommand, SQSClient } from '#aws-sdk';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Celeriac, chain, chord, crontab, every, group, Reject, silentLogger } from 'celeriac';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TaskService } from '../../infra/index.ts';
import { connect } from '../../lib/aws/connect.ts';
import { EventBridgeRules } from '../../lib/aws/eventbridge-rules.ts';
import { SqsPoller } from '../../lib/aws/poller.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import { WAKE_QUEUE } from '../../lib/ports/wake-up.ts';
import { LOST_QUEUE } from '../../lib/ports/delivery.ts';
import { type AwsCall, recordCalls } from '../support/recorded-calls.ts';
import { type Servers, startServers } from '../support/servers.ts';
import { allowedBy } from './allowed.ts';
import { ENTRY, newApp, newCaller } from './stacks.ts';

const APP = 'rights';
const HOUR_MS = 3_600_000;

/** One program for all roles: deployed, each is a bundle of its own. */
function declare() {
  const app = new Celeriac(APP, {
    queues: { default: {}, orders: { fifo: true }, celery: { external: true } },
    timerShards: 4,
    logger: silentLogger,
  });
  const add = app.task('add', (x: number, y: number) => x + y);
  const sum = app.task('sum', (values: readonly number[]) => values.reduce((total, value) => total + value, 0));
  const fail = app.task('fail', (): number => {
    throw new TypeError('no answer');
  });
  const again = app.task('again', { bind: true, retryBackoff: false }, (self): number => {
    if (self.request.retries === 0) throw self.retry({ countdown: 0 });
    if (self.request.retries === 1) throw self.retry({ countdown: 2000 });
    return self.request.retries;
  });
  const refuse = app.task('refuse', () => {
    throw new Reject('not mine');
  });
  const requeue = app.task('requeue', { bind: true }, (self) => {
    if (self.request.deliveryInfo.deliveries < 2) throw new Reject('later', { requeue: true });
  });
  const progress = app.task('progress', { bind: true }, async (self) => {
    await self.progress(1, 2);
    return self.remainingTime();
  });
  const sender = app.task('sender', async () => {
    await add.delay(1, 1);
    await add.applyAsync([1, 1], { countdown: 2000 });
    await add.applyAsync([1, 1], { queue: 'orders', countdown: 60 });
    await (await group([add.s(1, 1), add.s(2, 2)]).delay()).revoke();
    await (await chord([add.s(1, 1), add.s(2, 2)], sum.s()).delay()).forget();
  });
  const remote = app.remote<(x: number) => number>('proj.tasks.double', { queue: 'celery' });
  app.beat({
    ruled: { task: add.s(1, 2), schedule: crontab({ minute: '*/15' }) },
    swept: { task: add.s(3, 4), schedule: every('30s') },
    ordered: { task: add.s(5, 6), schedule: every('30s'), options: { queue: 'orders' } },
  });
  return { app, add, sum, fail, again, refuse, requeue, progress, sender, remote };
}

type Program = ReturnType<typeof declare>;
type Role = 'worker' | 'sweeper' | 'enqueue' | 'schedules';
interface Actor extends Program {
  readonly calls: AwsCall[];
  readonly sqs: SQSClient;
}

let servers: Servers;
let environment: Environment;
let aheadMs = 0;
const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };

async function act(role: Role): Promise<Actor> {
  const program = declare();
  const calls: AwsCall[] = [];
  const endpoint = async (client: SQSClient | DynamoDBClient): Promise<string> => {
    const { protocol, hostname, port } = (await client.config.endpoint?.()) ?? expect.fail('no endpoint');
    return `${protocol}//${hostname}:${port}`;
  };
  const common = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const sqs = new SQSClient({ ...common, endpoint: await endpoint(servers.sqs) });
  const dynamodb = new DynamoDBClient({ ...common, endpoint: await endpoint(servers.dynamodb) });
  const events = new EventBridgeClient(common);
  for (const client of [sqs, dynamodb]) recordCalls(client, calls);
  // Deployed as enabled: a sweep finds another state than the operator's, and switches it.
  recordCalls(events, calls, () => ({ State: 'ENABLED' }));
  const { deadLetterQueues } = environment;
  const known = { worker: deadLetterQueues, sweeper: deadLetterQueues, enqueue: {}, schedules: {} }[role];
  program.app.use({
    ...connect({ ...environment, deadLetterQueues: known }, { clock, random: systemRandom }, { sqs, dynamodb }),
    rules: new EventBridgeRules(service.rules.prefix, events),
    clock,
  });
  return { ...program, calls, sqs };
}

const stack = new Stack(newApp(), 'Test');
const service = new TaskService(stack, 'Tasks', { app: declare().app, entry: ENTRY, queueNamePrefix: `${APP}-` });
service.grantEnqueue(newCaller(stack, 'Enqueue'));
service.grantSchedules(newCaller(stack, 'Schedules'));
const template = Template.fromStack(stack);
const ROLES: Readonly<Record<Role, RegExp>> = {
  worker: /^TasksWorkersdefault/,
  sweeper: /^TasksSweeper/,
  enqueue: /^Enqueue/,
  schedules: /^Schedules/,
};

const actors = {} as Record<Role, Actor>;
const lostUrl = (): string => (environment.queues['default'] ?? '').replace(/default$/, 'lost');

/** Delivers as Lambda does, with the function's own rights, until nothing is left. */
async function deliver(): Promise<void> {
  const { worker, sweeper } = actors;
  const signal = new AbortController().signal;
  const names = new Map([[`${APP}-default`, 'default']]);
  const sources = [
    [worker, new SqsPoller(worker.sqs, 'default', environment.queues['default'] ?? '')],
    [sweeper, new SqsPoller(sweeper.sqs, LOST_QUEUE, lostUrl(), names)],
    [sweeper, new SqsPoller(sweeper.sqs, WAKE_QUEUE, environment.wakeQueue ?? '')],
  ] as const;
  for (let quiet = 0; quiet < 2; quiet += 1) {
    for (const [actor, poller] of sources) {
      const deliveries = await poller.receive(0, signal);
      if (deliveries.length === 0) continue;
      quiet = -1;
      const invocation = { deadlineMs: clock.nowMs() + 60_000, requestId: 'request' };
      const { batchItemFailures } = await (actor === worker
        ? actor.app.consume(deliveries, invocation)
        : deliveries[0]?.queue === WAKE_QUEUE
          ? actor.app.consumeWakeUps(deliveries)
          : actor.app.consumeLost(deliveries, invocation));
      const kept = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      await poller.delete(deliveries.filter(({ messageId }) => !kept.has(messageId)).map(({ receipt }) => receipt));
    }
  }
}

async function sweep(aheadHours: number): Promise<void> {
  aheadMs = aheadHours * HOUR_MS;
  await actors.sweeper.app.sweep();
  await deliver();
}

async function enqueueing({
  app,
  add,
  sum,
  fail,
  again,
  refuse,
  requeue,
  progress,
  sender,
  remote,
}: Actor): Promise<void> {
  await add.applyAsync([1, 2], { queue: 'orders' });
  await add.applyAsync([1, 2], { queue: 'orders', countdown: 1 });
  await (await add.delay(1, 2)).revoke();
  await app.sendMany([
    add.s(1, 2),
    add.s(3, 4),
    fail.s(),
    refuse.s(),
    requeue.s(),
    progress.s(),
    sender.s(),
    again.s(),
  ]);
  // By a sender that does not know the tasks' names.
  app.taskNames = () => undefined;
  await app.send('unknown.task');
  const late = await add.applyAsync([1, 2], { countdown: 2000 });
  const results = [
    await chain(add.s(1, 1), group([add.s(1), add.s(2)]), sum.s()).delay(),
    await chord(
      Array.from({ length: 150 }, (_, index) => add.s(index, 0)),
      sum.s(),
    ).delay(),
    await chord([add.s(1, 1), fail.s()], sum.s().linkError(add.si(1, 1))).delay(),
    await chord([add.s(1, 1), add.s(2, 2)], sum.s()).applyAsync([], { countdown: 2000 }),
  ];
  // Their members are stored and counted where Celery looks.
  await chord([remote.s(1), add.s(1, 1)], sum.s()).delay();
  await (await group([add.s(1, 1), remote.s(2)]).delay()).save();
  const members = await group([add.s(1, 1), add.s(2, 2)]).delay();
  await members.save();
  await deliver();
  expect(await members.join({ timeout: 5 })).toEqual([2, 4]);
  expect(await members.completedCount()).toBe(2);
  await app.groupResult(members.id);
  await members.forget();
  await results[0]?.get({ timeout: 5 });
  await late.forget();
}

async function scheduling({ app, add }: Actor): Promise<void> {
  const entry = { task: add.s(1, 2), schedule: every('30s') };
  await app.schedules.put('mine', entry);
  await app.schedules.update('mine', { schedule: every('45s') });
  await app.schedules.list();
  await app.schedules.runNow('mine');
  await app.schedules.disable('ruled');
  await app.schedules.enable('ruled');
  await app.schedules.disable('ruled');
  for (const schedule of [every('30s'), every('50s')])
    await app.schedules.load({ loaded: { ...entry, schedule }, too: { ...entry, schedule } }, { mode: 'always' });
  await app.schedules.put('other', entry);
  await app.schedules.put('ordered now', { ...entry, options: { queue: 'orders' } });
  await app.schedules.delete('other');
}

/** What came to the lost queue: an ordinary task, a member of a chord, and what nobody can read. */
async function losing({ add, sum }: Actor): Promise<void> {
  await chord([add.s(1, 1), add.s(2, 2)], sum.s()).delay();
  await add.delay(1, 2);
  const poller = new SqsPoller(servers.sqs, 'default', environment.queues['default'] ?? '');
  const taken = await poller.receive(0, new AbortController().signal);
  for (const body of [...taken.map((delivery) => delivery.body), 'no message'])
    await servers.sqs.send(new SendMessageCommand({ QueueUrl: lostUrl(), MessageBody: body }));
  await poller.delete(taken.map(({ receipt }) => receipt));
}

beforeAll(async () => {
  servers = await startServers();
  environment = await servers.provision(declare().app);
  for (const role of ['worker', 'sweeper', 'schedules', 'enqueue'] as const) actors[role] = await act(role);
  await enqueueing(actors.enqueue);
  await scheduling(actors.schedules);
  await losing(actors.enqueue);
  await deliver();
  for (const hours of [1, 2, 3]) await sweep(hours);
  // Results of the first day are expired, and two of their ids come again.
  await sweep(49);
});
afterAll(() => servers.stop());

describe.each(Object.entries(ROLES) as [Role, RegExp][])('%s', (role, pattern) => {
  it('may do everything that it did', () => {
    const allowed = allowedBy(template, pattern);
    const named = actors[role].calls.map((call) => ({ ...call, resource: deployedName(call.resource) }));
    expect(named.length).toBeGreaterThan(10);
    expect(summary(named.filter((call) => !allowed(call)))).toEqual([]);
    // All of them delay something of a FIFO queue; one is woken up.
    const onWakeUps = summary(named.filter(({ resource }) => resource === 'TasksQueuesWakeUps'));
    expect(onWakeUps).toContain('sqs:SendMessage TasksQueuesWakeUps');
    expect(onWakeUps.includes('sqs:ReceiveMessage TasksQueuesWakeUps')).toBe(role === 'sweeper');
  });
});

it('asks for every command of the adapters', () => {
  const made = new Set(
    Object.values(actors).flatMap(({ calls }) => calls.map(({ action }) => action.replace(/.*:/, ''))),
  );
  // Making queues and tables, and looking into dead-letter queues, is the local cloud's.
  const sources = readdirSync('lib/aws').filter((file) => file.endsWith('.ts') && file !== 'provision.ts');
  const commands = new Set(
    sources.flatMap((file) => [
      ...readFileSync(`lib/aws/${file}`, 'utf8').matchAll(/new (?:sdk\.)?(\w+?)(?:Batch)?Command\(/g),
    ]),
  );
  const operations = [...commands].map(([, operation = '']) => operation);
  expect(operations.length).toBeGreaterThan(10);
  const missing = operations.filter((operation) => !made.has(operation) && operation !== 'BatchExecuteStatement');
  expect(missing).toEqual([]);
  expect(made).toContain('PartiQLInsert');
  expect(made).toContain('PartiQLUpdate');
});

/** Names that CloudFormation gives. */
function deployedName(name: string): string {
  const tables: Readonly<Record<string, string>> = {
    [environment.resultsTable]: 'TasksTablesResults',
    [environment.stateTable]: 'TasksTablesState',
    [`${APP}-lost`]: 'TasksQueuesLost',
    [`${APP}-${WAKE_QUEUE}`]: 'TasksQueuesWakeUps',
  };
  return tables[name] ?? name;
}

function summary(calls: readonly AwsCall[]): string[] {
  const kinds = calls.map(({ action, resource, leadingKeys }) =>
    [action, resource, ...leadingKeys.map((key) => key.replace(/[#'].*/s, ''))].join(' '),
  );
  return [...new Set(kinds)].toSorted();
}
