/** Nothing of what tasks are given, give back or throw leaves an app with a codec as it is: everything that the servers were told is searched for it. */
import { Celeriac, chain, chord, Reject, type Logger } from 'celeriac';
import { aesGcm } from 'celeriac/codec';
import { LocalCloud } from 'celeriac/local';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';

import { PATIENCE_SECONDS } from '../support/patience.ts';

const SECRET = 'hunter2-Zq';
const KEYS = `k1:${Buffer.alloc(32, 1).toString('base64')}`;
const WAIT = { timeout: PATIENCE_SECONDS, interval: 0.05 };

let cloud: LocalCloud | undefined;
afterEach(() => cloud?.stop());

/** Whatever adapters of AWS are handed, as text. */
function recorded(told: string[]) {
  return <P extends object>(port: P): P =>
    new Proxy(port, {
      get(target, key) {
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          told.push(unwrapped(args));
          return Reflect.apply(member, target, args) as unknown;
        };
      },
    });
}

/** With the layers of base64 that it has taken off, wherever they are. */
function unwrapped(value: unknown): string {
  const seen = JSON.stringify(value, (_, inner: unknown) =>
    inner instanceof Uint8Array ? Buffer.from(inner).toString('latin1') : inner,
  );
  return withLayers(seen ?? '', 3);
}

function withLayers(text: string, depth: number): string {
  if (depth === 0) return text;
  const layers = [...text.matchAll(/[A-Za-z0-9+/]{16,}={0,2}/g)].map(([found]) =>
    withLayers(Buffer.from(found, 'base64').toString('latin1'), depth - 1),
  );
  return [text, ...layers].join('\n');
}

async function service(codec: ReturnType<typeof aesGcm> | undefined) {
  const lines: string[] = [];
  const logger: Logger = { log: (level, message, fields) => void lines.push(JSON.stringify([level, message, fields])) };
  const app = new Celeriac('vault', {
    logger,
    resultExtended: true,
    largePayloads: { compressAboveBytes: 2000, storeAboveBytes: 5000 },
    ...(codec === undefined ? {} : { codec }),
    queues: { default: {}, letters: {} },
  });
  const echo = app.task('echo', (text: string) => text);
  const all = app.task('all', (texts: readonly string[], more = '') => [...texts, more]);
  const flaky = app.task('flaky', { bind: true, maxRetries: 1 }, async (self, text: string) => {
    await self.updateState('PROGRESS', { text });
    if (self.request.retries === 0) throw self.retry({ countdown: 0, exc: new RangeError(text) });
    return text;
  });
  const fails = app.task('fails', (text: string): string => {
    throw new RangeError(`refused: ${text}`);
  });
  const rejects = app.task('rejects', { queue: 'letters' }, (text: string): string => {
    throw new Reject(`no ${text}`);
  });
  const alone = app.task('alone', { concurrency: { limit: 1 } }, async (text: string) => text);
  const last = app.task('last', { debounce: { wait: '1s' } }, (text: string) => text);
  const repeat = app.task('repeat', (text: string, times: number) =>
    Array.from({ length: times }, (_, index) => `${text}${index * 7919}`),
  );
  const told: string[] = [];
  const record = recorded(told);
  cloud = await LocalCloud.start(app, {
    logger,
    wrapPorts: (ports) =>
      Object.fromEntries(
        Object.entries(ports).map(([name, port]) => [
          name,
          typeof port === 'object' && !['clock', 'random', 'ids', 'logger'].includes(name)
            ? record(port as object)
            : port,
        ]),
      ) as unknown as typeof ports,
  });
  return { app, cloud, lines, told, tasks: { echo, all, flaky, fails, rejects, alone, last, repeat } };
}

type Started = Awaited<ReturnType<typeof service>>;

/** A chord with a retry, a failure, a far ETA, a dead letter and a stored schedule entry. */
async function use({ app, tasks: { echo, all, flaky, fails, rejects, alone, last, repeat } }: Started) {
  const counted = await chord([echo.s(SECRET), flaky.s(`${SECRET}!`)], all.s(`${SECRET}-more`)).delay();
  const chained = await chain(echo.s(SECRET), echo.s()).delay();
  const failed = await fails.delay(SECRET);
  const rejected = await rejects.delay(SECRET);
  const lined = await Promise.all([SECRET, SECRET, SECRET].map((text) => alone.delay(text)));
  const joined = [await last.delay('first'), await last.delay(SECRET)];
  const large = [await repeat.delay(SECRET, 300), await repeat.delay(SECRET.padEnd(20_000, 'ab9'), 10)];
  const late = await echo.applyAsync([SECRET], { countdown: '3h' });
  await app.schedules.put('nightly', { task: echo.s(SECRET), schedule: '1d' });
  expect(await counted.get(WAIT)).toEqual([SECRET, `${SECRET}!`, `${SECRET}-more`]);
  expect(await chained.get(WAIT)).toBe(SECRET);
  const error = await failed.get({ ...WAIT, propagate: false });
  expect(error).toMatchObject({ name: 'RangeError', message: `refused: ${SECRET}` });
  expect(await failed.traceback()).toContain(SECRET);
  expect(await rejected.get({ ...WAIT, propagate: false })).toMatchObject({ message: `no ${SECRET}` });
  expect((await large[0]?.get(WAIT))?.[1]).toBe(`${SECRET}7919`);
  expect((await large[1]?.get(WAIT))?.length).toBe(10);
  for (const each of lined) expect(await each.get(WAIT)).toBe(SECRET);
  expect(await joined[1]?.get(WAIT)).toBe(SECRET);
  expect((await app.schedules.get('nightly'))?.task.args).toEqual([SECRET]);
  expect(await failed.args()).toEqual([SECRET]);
  await expect.poll(async () => (await app.history.list()).entries.length).toBeGreaterThanOrEqual(14);
  return { failed, rejected, late };
}

async function everything(
  { app, cloud: { dynamodb, sqs, environment }, lines, told }: Started,
  ids: readonly string[],
) {
  const stored: string[] = [];
  for (const TableName of [environment.stateTable, environment.resultsTable])
    for await (const { Items = [] } of paginateScan({ client: dynamodb as never }, { TableName }))
      stored.push(unwrapped(Items));
  const letters = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: environment.deadLetterQueues?.['letters'] ?? '',
      MessageAttributeNames: ['All'],
      VisibilityTimeout: 0,
      WaitTimeSeconds: 1,
    }),
  );
  const history = [await app.history.list(), ...(await Promise.all(ids.map((id) => app.history.task(id))))];
  const explained = await Promise.all(ids.map((id) => app.explain(id)));
  const listed = await app.deadLetters.list({ queue: 'letters' });
  return { stored, letters: unwrapped(letters.Messages), history, explained, listed, lines, told };
}

describe('an app with a codec', () => {
  // First: from the first codec of a process on, its logs tell no texts of errors.
  it('without one tells in all of these places: the search finds it', async () => {
    const started = await service(undefined);
    const { failed, rejected, late } = await use(started);
    const found = await everything(started, [failed.id, rejected.id, late.id]);
    for (const what of ['stored', 'letters', 'history', 'explained', 'listed', 'lines', 'told'] as const)
      expect(JSON.stringify(found[what]), what).toContain(SECRET);
  });

  it('tells its servers, its logs and its watchers nothing of what its tasks say', async () => {
    const started = await service(aesGcm({ keys: () => KEYS }));
    const { failed, rejected, late } = await use(started);
    const found = await everything(started, [failed.id, rejected.id, late.id]);
    expect(found.told.length).toBeGreaterThan(20);
    expect(found.letters).toContain('rejects');
    for (const [what, texts] of Object.entries(found)) expect(JSON.stringify(texts), what).not.toContain(SECRET);
    expect(found.history[0]).toMatchObject({
      entries: expect.arrayContaining([expect.objectContaining({ repr: '<encrypted>' })]),
    });
    expect(JSON.stringify(found.history[0])).toContain('RangeError: <encrypted>');
    expect(found.lines.join('\n')).toMatch(/raised unexpected: RangeError: <encrypted>/);
  });
});
