/**
 * A cloud that cannot be asked: every public call of a producer ends within one budget of time, with an error of ours that
 * says where it went and what to set, and the SDK's error as its cause. Real clients against servers on loopback; time is a clock that we move.
 */
import { execFile } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';

import { DynamoDBClient, SQSClient } from '#aws-sdk';
import {
  Celeriac,
  CeleriacError,
  chain,
  EnqueueFailed,
  enqueueMany,
  every,
  group,
  GroupResult,
  OperationalError,
  silentLogger,
} from 'celeriac';
import { ManualClock } from 'celeriac/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CallBudget, LastSuccess } from '../../lib/aws/call-budget.ts';
import { operationalError } from '../../lib/aws/call-errors.ts';
import { type Clients, connect } from '../../lib/aws/connect.ts';
import { runWithContext, type TaskContext } from '../../lib/task/context.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import { seededRandom } from '../../lib/testing/seeded.ts';
import { PATIENCE_MS } from '../support/patience.ts';

const START_MS = Date.UTC(2030, 0, 1);
const BUDGET_MS = 3000;
const REGION = 'eu-central-1';
const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) await close();
});

interface Cloud {
  readonly endpoint: string;
  /** Resolves when something has connected. */
  readonly asked: () => Promise<void>;
  readonly requests: () => number;
}

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Takes every connection and never says a word. */
async function silentServer(): Promise<Cloud> {
  let connections = 0;
  const server = createServer((socket) => {
    socket.on('data', () => (connections += 1));
    socket.on('error', () => {});
  });
  const endpoint = await listen(server);
  return {
    endpoint,
    requests: () => connections,
    asked: () => vi.waitFor(() => expect(connections).toBeGreaterThan(0), { interval: 1, timeout: PATIENCE_MS }),
  };
}

/** Answers every request alike. */
async function answering(status: number, type: string): Promise<Cloud> {
  let count = 0;
  const endpoint = await listen(
    createHttpServer((request, response) => {
      request.resume();
      request.on('end', () => {
        count += 1;
        response
          .writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': `${type};Sender` })
          .end(JSON.stringify({ __type: `com.amazonaws#${type}`, message: `told by the test: ${type}` }));
      });
    }),
  );
  return { endpoint, requests: () => count, asked: () => Promise.resolve() };
}

/** A port on which nobody listens. */
async function refused(): Promise<Cloud> {
  const server = createServer();
  const endpoint = await listen(server);
  await closing.pop()?.();
  return { endpoint, requests: () => 0, asked: () => Promise.resolve() };
}

/** Ends every connection as soon as something comes. */
async function hangingUp(): Promise<Cloud> {
  let count = 0;
  const endpoint = await listen(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        count += 1;
        socket.resetAndDestroy();
      });
    }),
  );
  return { endpoint, requests: () => count, asked: () => Promise.resolve() };
}

const ENVIRONMENT: Environment = {
  app: 'shop',
  queues: {
    default: 'https://sqs.eu-central-1.amazonaws.com/1/shop-default',
    orders: 'https://sqs.eu-central-1.amazonaws.com/1/shop-orders.fifo',
  },
  deadLetterQueues: {},
  resultsTable: 'shop-results',
  stateTable: 'shop-state',
  timerShards: 8,
  taskQueues: {},
  externalQueues: [],
  defaultQueue: 'default',
};

function clientsOf(config: object): Clients {
  const [sqs, dynamodb] = [new SQSClient(config), new DynamoDBClient(config)];
  closing.push(
    () => sqs.destroy(),
    () => dynamodb.destroy(),
  );
  return { sqs, dynamodb };
}

interface Setup {
  readonly app: Celeriac;
  readonly clock: ManualClock;
  readonly add: ReturnType<typeof addOf>;
}

function addOf(app: Celeriac) {
  return app.task('math.add', (x: number, y: number) => x + y);
}

function setUp(config: object, options: { readonly maxAttempts?: number } = {}): Setup {
  const clock = new ManualClock(START_MS);
  // Waiting of ours moves time; what the network takes does not.
  clock.onSleep = (ms) => {
    clock.moveTo(clock.nowMs() + ms);
    return Promise.resolve();
  };
  const app = new Celeriac('shop', {
    queues: { default: {}, orders: { fifo: true } },
    logger: silentLogger,
  });
  const random = seededRandom(1);
  const clients = clientsOf({ maxAttempts: options.maxAttempts ?? 1, ...config });
  app.use({ ...connect(ENVIRONMENT, { clock, random }, clients), clock, random, logger: silentLogger });
  return { app, clock, add: addOf(app) };
}

type Call = (setup: Setup) => Promise<unknown>;
const SENDS: readonly (readonly [string, Call])[] = [
  ['delay()', ({ add }) => add.delay(1, 2)],
  ['countdown of ten minutes', ({ add }) => add.applyAsync([1, 2], { countdown: '10m' })],
  ['countdown of an hour', ({ add }) => add.applyAsync([1, 2], { countdown: '1h' })],
  ['a FIFO queue', ({ add }) => add.applyAsync([1, 2], { queue: 'orders' })],
  ['app.send()', ({ app }) => app.send('math.add', [1, 2])],
  ['enqueueMany() of 200', ({ add }) => enqueueMany(Array.from({ length: 200 }, () => add.s(1, 2)))],
  [
    'enqueueMany() of 200, FIFO',
    ({ add }) => enqueueMany(Array.from({ length: 200 }, () => add.s(1, 2).set({ queue: 'orders' }))),
  ],
  ['enqueueMany(), of both kinds', ({ add }) => enqueueMany([add.s(1, 2), add.s(1, 2).set({ countdown: 7200 })])],
  ['chain', ({ add }) => chain(add.s(1, 2), add.s(3)).delay()],
  ['group of 2', ({ add }) => group([add.s(1, 2), add.s(3, 4)]).delay()],
];
const OTHERS: readonly (readonly [string, Call])[] = [
  ['group of 30: its definition', ({ add }) => group(Array.from({ length: 30 }, () => add.s(1, 2))).delay()],
  ['get()', ({ app }) => app.result('id').get({ timeout: 60 })],
  ['state()', ({ app }) => app.result('id').state()],
  ['info()', ({ app }) => app.result('id').info()],
  ['revoke()', ({ app }) => app.result('id').revoke()],
  ['forget()', ({ app }) => app.result('id').forget()],
  ['groupResult()', ({ app }) => app.groupResult('id')],
  ['GroupResult.progress()', ({ app }) => new GroupResult('g', ['a', 'b'], app).progress()],
  ['GroupResult.join()', ({ app }) => new GroupResult('g', ['a', 'b'], app).join({ timeout: 60 })],
  ['GroupResult.revoke()', ({ app }) => new GroupResult('g', ['a', 'b'], app).revoke()],
  ['GroupResult.forget()', ({ app }) => new GroupResult('g', ['a', 'b'], app).forget()],
  ['schedules.put()', ({ app, add }) => app.schedules.put('e', { task: add.s(1, 2), schedule: every('1h') })],
  ['schedules.get()', ({ app }) => app.schedules.get('e')],
  ['schedules.list()', ({ app }) => app.schedules.list()],
  ['schedules.enable()', ({ app }) => app.schedules.enable('e')],
  ['schedules.runNow()', ({ app }) => app.schedules.runNow('e')],
  ['schedules.delete()', ({ app }) => app.schedules.delete('e')],
];
const CALLS = [...SENDS, ...OTHERS];

interface Failure {
  readonly name: string;
  readonly start: () => Promise<{ readonly setup: Setup; readonly cloud?: Cloud }>;
  readonly says: RegExp;
  readonly cause: RegExp;
  readonly retryable: boolean;
}

const at = async (cloud: Cloud): Promise<{ setup: Setup; cloud: Cloud }> => ({
  setup: setUp({ region: REGION, credentials: CREDENTIALS, endpoint: cloud.endpoint }),
  cloud,
});
const FAILURES: readonly Failure[] = [
  {
    name: 'no region',
    start: async () => {
      for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
      for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, 'no-such-file');
      return Promise.resolve({ setup: setUp({ credentials: CREDENTIALS }) });
    },
    says: /region unknown.*Set AWS_REGION\./,
    cause: /Region is missing/,
    retryable: false,
  },
  {
    name: 'no credentials',
    start: async () => {
      for (const name of [
        'AWS_ACCESS_KEY_ID',
        'AWS_SECRET_ACCESS_KEY',
        'AWS_PROFILE',
        'AWS_WEB_IDENTITY_TOKEN_FILE',
        'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
        'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      ])
        vi.stubEnv(name, undefined);
      for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, 'no-such-file');
      vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
      return { setup: setUp({ region: REGION, endpoint: (await refused()).endpoint }) };
    },
    says: /region eu-central-1.*AWS_PROFILE.*AWS_ACCESS_KEY_ID/,
    cause: /credential/i,
    retryable: false,
  },
  {
    name: 'connection refused',
    start: async () => at(await refused()),
    says: /ECONNREFUSED.*AWS_ENDPOINT_URL/,
    cause: /ECONNREFUSED/,
    retryable: true,
  },
  {
    name: 'no answer',
    start: async () => at(await silentServer()),
    says: /no request succeeded within 3 s.*AWS_ENDPOINT_URL.*VPC/,
    cause: /no request succeeded/,
    retryable: true,
  },
  {
    name: 'access denied',
    start: async () => at(await answering(400, 'AccessDeniedException')),
    says: /AccessDeniedException.*grantEnqueue/,
    cause: /told by the test: AccessDenied/,
    retryable: false,
  },
  {
    name: 'credentials of somebody else',
    start: async () => at(await answering(403, 'UnrecognizedClientException')),
    says: /UnrecognizedClientException.*AWS_ACCESS_KEY_ID/,
    cause: /told by the test/,
    retryable: false,
  },
  {
    name: 'no such table or queue',
    start: async () => at(await answering(400, 'ResourceNotFoundException')),
    says: /(?:queue shop-|table shop-).*ResourceNotFoundException.*CELERIAC_/,
    cause: /told by the test: ResourceNotFound/,
    retryable: false,
  },
  {
    name: 'throttled',
    start: async () => at(await answering(400, 'ThrottlingException')),
    says: /ThrottlingException.*busy/,
    cause: /told by the test: Throttling/,
    retryable: true,
  },
];

/** The call's error, while time moves on as soon as the server has been asked and says nothing. */
async function errorOf(call: Call, setup: Setup, silent: Cloud | undefined): Promise<unknown> {
  const before = silent?.requests() ?? 0;
  let ended = false;
  const answer = call(setup).then(
    (value) => Promise.reject(new Error(`it succeeded: ${String(value)}`)),
    (error: unknown) => error,
  );
  const end = answer.then(
    () => (ended = true),
    () => (ended = true),
  );
  // Nothing that the network does ends in this clock's time: only the budget does.
  while (silent !== undefined && !ended) {
    const next = setup.clock.nextMs();
    if (silent.requests() > before && next !== undefined) setup.clock.moveTo(next);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  await end;
  return answer;
}

describe.each(FAILURES)('$name', ({ name, start, says, cause, retryable }) => {
  it.each(CALLS)('%s', async (callName, call) => {
    const { setup, cloud } = await start();
    const error = await errorOf(call, setup, name === 'no answer' ? cloud : undefined);
    const send = SENDS.some(([sent]) => sent === callName);
    if (!CeleriacError.is(error)) throw error;
    expect(error.code).toBe(send ? 'ENQUEUE_FAILED' : 'OPERATIONAL_ERROR');
    expect(error.message).toMatch(says);
    if (cloud !== undefined) expect(error.message).toContain(cloud.endpoint);
    const operational = (send ? error.cause : error) as OperationalError;
    expect(OperationalError.is(operational)).toBe(true);
    expect(operational).toMatchObject({ retryable, timedOut: name === 'no answer' });
    const root = operational.cause as Error & { readonly code?: string; readonly errors?: readonly Error[] };
    expect(CeleriacError.is(root)).toBe(false);
    expect(`${root.code ?? ''} ${root.name}: ${root.message}`).toMatch(cause);
    // The waits of publishing's own retries, 0 + 0.2 + 0.4 s, and the budget.
    expect(setup.clock.nowMs() - START_MS).toBeLessThanOrEqual(BUDGET_MS + 600);
    if (EnqueueFailed.is(error)) expect((error as EnqueueFailed).outcomes.every((outcome) => !outcome.ok)).toBe(true);
  });
});

describe('the budget', () => {
  it('is one for a call: what comes after is not asked any more', async () => {
    const cloud = await silentServer();
    const setup = setUp({ region: REGION, credentials: CREDENTIALS, endpoint: cloud.endpoint });
    await errorOf(
      ({ add }) => enqueueMany(Array.from({ length: 100 }, () => add.s(1, 2).set({ queue: 'orders' }))),
      setup,
      cloud,
    );
    // Ten batches in order: nine of them were never sent.
    expect(cloud.requests()).toBe(1);
    expect(setup.clock.nowMs() - START_MS).toBe(BUDGET_MS);
  });

  it('is another one for the next call, and `callTimeout` sets it', async () => {
    const cloud = await silentServer();
    const setup = setUp({ region: REGION, credentials: CREDENTIALS, endpoint: cloud.endpoint });
    const call: Call = ({ app }) => app.result('id').state();
    await errorOf(call, setup, cloud);
    const again = await errorOf(call, setup, cloud);
    expect(again).toMatchObject({ timedOut: true });
    expect(setup.clock.nowMs() - START_MS).toBe(2 * BUDGET_MS);
    expect(cloud.requests()).toBe(2);
    expect(new Celeriac('x', { callTimeout: 0.5 }).settings.callTimeoutSeconds).toBe(0.5);
    expect(() => new Celeriac('x', { callTimeout: 0 })).toThrow(/callTimeout/);
  });

  it('cuts the retries of the SDK short: their last error is the cause', async () => {
    const cloud = await hangingUp();
    const setup = setUp({ region: REGION, credentials: CREDENTIALS, endpoint: cloud.endpoint }, { maxAttempts: 1000 });
    const answer = setup.app
      .result('id')
      .state()
      .then(
        () => undefined,
        (error: unknown) => error as OperationalError,
      );
    // The second try shows that the first one's error has been seen.
    await vi.waitFor(() => expect(cloud.requests()).toBeGreaterThan(1), { interval: 1, timeout: PATIENCE_MS });
    setup.clock.moveTo(START_MS + BUDGET_MS);
    const error = await answer;
    expect(error).toMatchObject({ timedOut: true, retryable: true, code: 'OPERATIONAL_ERROR' });
    expect(error?.message).toMatch(/within 3 s; the last of \d+ tries: /);
    expect(error?.cause).toMatchObject({ code: 'ECONNRESET' });
  });

  it('begins anew with every success: what goes on goes on', async () => {
    const clock = new ManualClock(START_MS);
    const budget = new CallBudget(3, clock);
    const request = async (seconds: number): Promise<void> => {
      await new Promise<void>((resolve) => void clock.schedule(seconds * 1000, resolve));
    };
    for (let count = 1; count <= 5; count += 1) {
      const running = budget.run(() => request(2));
      await passed(clock, 2000);
      await running;
    }
    expect(clock.nowMs()).toBe(START_MS + 10_000);
  });

  it('is shared by requests side by side, and ends them together', async () => {
    const clock = new ManualClock(START_MS);
    const budget = new CallBudget(3, clock);
    const signals: AbortSignal[] = [];
    const hanging = (signal: AbortSignal): Promise<never> => {
      signals.push(signal);
      return new Promise(() => {});
    };
    const first = budget.run(hanging);
    await passed(clock, 1000);
    const second = Promise.allSettled([first, ...Array.from({ length: 50 }, () => budget.run(hanging))]);
    await passed(clock, 2000);
    expect((await second).map((each) => each.status)).toEqual(Array.from({ length: 51 }, () => 'rejected'));
    expect(signals.every((signal) => signal.aborted)).toBe(true);
    await expect(budget.run(hanging)).rejects.toThrow('no request succeeded within 3 s');
    expect(signals).toHaveLength(51);
    // Whoever keeps the ports may try again later.
    await passed(clock, 3001);
    await expect(budget.run(() => Promise.resolve('there'))).resolves.toBe('there');
  });

  it('calls side by side wait in one line: what others come to shows that the service is there', async () => {
    const clock = new ManualClock(START_MS);
    const lastSuccess = new LastSuccess();
    const waiting = new CallBudget(3, clock, lastSuccess)
      .run(() => new Promise(() => {}))
      .catch((error: unknown) => error);
    let ended = false;
    void waiting.then(() => (ended = true));
    for (let seconds = 1; seconds < 30; seconds += 1) {
      await passed(clock, 1000);
      await new CallBudget(3, clock, lastSuccess).run(() => Promise.resolve());
      expect(ended, `after ${seconds} s`).toBe(false);
    }
    // Nothing of its own in ten times its budget: its connection is dead.
    for (let seconds = 0; seconds < 4; seconds += 1) {
      await passed(clock, 1000);
      await new CallBudget(3, clock, lastSuccess).run(() => Promise.resolve());
    }
    expect(await waiting).toMatchObject({ name: 'CallBudgetOver' });
  });

  it('a process that was held up reads what has come before it gives up', async () => {
    const clock = new ManualClock(START_MS);
    let answer: (text: string) => void = () => {};
    const held = new CallBudget(3, clock).run(
      () =>
        new Promise<string>((resolve) => {
          answer = resolve;
        }),
    );
    clock.moveTo(START_MS + 60_000);
    answer('it lay there');
    expect(await held).toBe('it lay there');
    const silent = new CallBudget(3, clock).run(() => new Promise(() => {})).catch((error: unknown) => error);
    await passed(clock, 60_000);
    await passed(clock, 250);
    expect(await silent).toMatchObject({ name: 'CallBudgetOver' });
  });

  it('what failed takes its time off what follows, and waiting in between does not', async () => {
    const clock = new ManualClock(START_MS);
    const budget = new CallBudget(3, clock);
    const failing = budget.run(async () => {
      await passed(clock, 2000);
      throw new Error('down');
    });
    await expect(failing).rejects.toThrow('down');
    await passed(clock, 2500);
    const hanging = budget.run(() => new Promise(() => {})).catch((error: unknown) => error);
    await passed(clock, 1000);
    expect(await hanging).toMatchObject({ message: 'no request succeeded within 3 s' });
    expect(clock.nextMs()).toBeUndefined();
  });
});

async function passed(clock: ManualClock, ms: number): Promise<void> {
  clock.moveTo(clock.nowMs() + ms);
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a worker', () => {
  it('has no budget and sees the errors of the services: it gives the message back', async () => {
    const cloud = await answering(400, 'ThrottlingException');
    const { app } = setUp({ region: REGION, credentials: CREDENTIALS, endpoint: cloud.endpoint });
    const { forCall, ...ports } = connect(
      ENVIRONMENT,
      { clock: app.clock, random: app.random },
      clientsOf({ region: REGION, credentials: CREDENTIALS, endpoint: cloud.endpoint, maxAttempts: 1 }),
    );
    expect(forCall).toBeTypeOf('function');
    const error = await ports.backend.get(['id'], START_MS).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
    const [outcome] = await ports.broker.send([{ queue: 'default', body: 'x' }]);
    expect(outcome).toMatchObject({ ok: false, code: 'ThrottlingException', retryable: true });
  });

  it('a task that sends has its own time: no budget, and errors of ours', async () => {
    const cloud = await silentServer();
    const setup = setUp({ region: REGION, credentials: CREDENTIALS, endpoint: cloud.endpoint });
    const inTask = { calledDirectly: false } as TaskContext['request'];
    const call = runWithContext({ request: inTask } as TaskContext, () => setup.app.result('id').state());
    await cloud.asked();
    expect(setup.clock.nextMs()).toBeUndefined();
    for (const close of closing.splice(0)) await close();
    await expect(call).rejects.toMatchObject({ code: 'OPERATIONAL_ERROR', timedOut: false });
  });
});

it('ports that somebody has wrapped are used as they are', async () => {
  const { app, clock, add } = setUp({ region: REGION, credentials: CREDENTIALS, endpoint: 'http://127.0.0.1:1' });
  const connected = connect(
    ENVIRONMENT,
    { clock, random: app.random },
    clientsOf({ region: REGION, credentials: CREDENTIALS, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 }),
  );
  const sent: string[] = [];
  app.use({
    ...connected,
    broker: {
      changeVisibility: () => Promise.resolve(),
      send: (items) => {
        sent.push(...items.map(({ queue }) => queue));
        return Promise.resolve(items.map(() => ({ ok: true, messageId: 'm' })));
      },
    },
  });
  const result = await add.delay(1, 2);
  expect(sent).toEqual(['default']);
  await expect(result.state()).rejects.toMatchObject({ code: 'OPERATIONAL_ERROR' });
});

it('of messages that go two ways, those that went are told of as sent', async () => {
  const cloud = await refused();
  const { app, clock, add } = setUp({ region: REGION, credentials: CREDENTIALS, endpoint: cloud.endpoint });
  const connected = connect(
    ENVIRONMENT,
    { clock, random: app.random },
    clientsOf({ region: REGION, credentials: CREDENTIALS, endpoint: cloud.endpoint, maxAttempts: 1 }),
  );
  let count = 0;
  app.use({
    ...connected,
    clock,
    broker: {
      changeVisibility: () => Promise.resolve(),
      send: (items) => {
        count += items.length;
        return Promise.resolve(items.map(() => ({ ok: true, messageId: 'm' })));
      },
    },
  });
  const error = await enqueueMany([add.s(1, 2), add.s(3, 4).set({ countdown: 7200 })]).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ outcomes: [{ ok: true }, { ok: false, code: 'Error' }] });
  expect(count).toBe(1);
});

describe('errors of the network', () => {
  const request = {
    service: 'SQS',
    operation: 'SendMessage',
    resource: 'queue shop-default',
    endpoint: 'https://sqs.eu-central-1.amazonaws.com',
    region: REGION,
    tries: 3,
    last: undefined,
  };
  const network = (code: string): Error => Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });
  it.each([
    ['ENOTFOUND', network('ENOTFOUND')],
    ['EAI_AGAIN', network('EAI_AGAIN')],
    ['ECONNRESET', network('ECONNRESET')],
    // As Node throws it for a host of several addresses: without a message of its own.
    [
      'ECONNREFUSED',
      Object.assign(new AggregateError([network('ECONNREFUSED'), network('ECONNREFUSED')]), { code: 'ECONNREFUSED' }),
    ],
    ['TimeoutError', Object.assign(new Error('Socket timed out'), { name: 'TimeoutError' })],
  ])('%s: where it went, and what to set', (code, error) => {
    const told = operationalError(error, request);
    expect(told.message).toMatch(
      new RegExp(
        `^SQS SendMessage \\(queue shop-default\\) to https://sqs\\.eu-central-1\\.amazonaws\\.com failed \\(region eu-central-1\\): .*${code}.*\\. Check AWS_REGION`,
      ),
    );
    expect(told).toMatchObject({ retryable: true, timedOut: false, cause: error });
  });

  it.each([
    ['InternalServerError', 500, 'server', true],
    ['ValidationException', 400, 'client', false],
    ['AnythingElse', 403, 'client', false],
    ['ProvisionedThroughputExceededException', 400, 'client', true],
  ])('%s, status %i: whether calling again can help', (name, httpStatusCode, $fault, retryable) => {
    const error = Object.assign(new Error('x'.repeat(100_000)), { name, $fault, $metadata: { httpStatusCode } });
    const told = operationalError(error, request);
    expect(told.retryable).toBe(retryable);
    expect(told.message.length).toBeLessThan(1500);
  });

  it.each([undefined, null, 'down', Object.create(null) as object])('thrown %#, whatever it is', (thrown) => {
    const told = operationalError(thrown, undefined);
    expect(told).toMatchObject({ code: 'OPERATIONAL_ERROR' });
    expect(told.message).toMatch(/^A request to AWS failed: /);
  });
});

describe('a process with nothing but its environment', () => {
  it.each([
    ['no region', {}, /Set AWS_REGION/],
    ['nobody listens', { AWS_REGION: REGION, ...KEYS }, /ECONNREFUSED.*AWS_ENDPOINT_URL/],
    ['no credentials', { AWS_REGION: REGION }, /AWS_PROFILE/],
  ])('%s: told', async (_name, variables, says) => {
    const { endpoint } = await refused();
    const code = `import { enqueue } from 'celeriac';
await import('@aws-sdk/client-dynamodb');
await import('@aws-sdk/client-sqs');
try {
  await enqueue('math.add', [1, 2], { countdown: '1h' });
} catch (error) {
  console.log(JSON.stringify({ code: error.code, message: error.message, cause: error.cause?.code, root: error.cause?.cause?.message }));
}`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@celeriac/source', '--input-type=module', '-e', code],
      {
        env: {
          PATH: process.env['PATH'],
          AWS_CONFIG_FILE: 'no-such-file',
          AWS_SHARED_CREDENTIALS_FILE: 'no-such-file',
          AWS_EC2_METADATA_DISABLED: 'true',
          CELERIAC_APP: 'shop',
          CELERIAC_QUEUES: JSON.stringify(ENVIRONMENT.queues),
          CELERIAC_RESULTS_TABLE: 'shop-results',
          CELERIAC_STATE_TABLE: 'shop-state',
          AWS_ENDPOINT_URL: endpoint,
          ...variables,
        },
      },
    );
    const told = JSON.parse(stdout) as { code: string; message: string; cause: string; root: string };
    expect(told).toMatchObject({ code: 'ENQUEUE_FAILED', cause: 'OPERATIONAL_ERROR', root: expect.any(String) });
    expect(told.message).toMatch(says);
  });
});
