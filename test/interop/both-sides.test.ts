/** One example of each matter between us and a real Celery; all of them are in the long tests beside this one. */
import { Celeriac, chain, chord, silentLogger, typed } from 'celeriac';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PATIENCE_SECONDS } from '../support/patience.ts';
import { celeryVersion, reasonWithoutCelery, Rig, versions } from './rig.ts';

const reason = reasonWithoutCelery('both sides, an example of each');
const WAIT = { timeout: PATIENCE_SECONDS, interval: 0.1 };

function newApp() {
  const app = new Celeriac('interop', {
    queues: { default: {}, mail: { priorities: [0, 5] }, celery: { external: true } },
    routes: { 'proj.*': 'celery' },
    // What is stored elsewhere Celery's workers could not read.
    largePayloads: { compressAboveBytes: 1000, storeAboveBytes: null },
    logger: silentLogger,
  });
  app.task('mail.where', { bind: true, queue: 'mail' }, ({ request }) => [
    request.deliveryInfo.queue,
    request.priority,
  ]);
  app.task('math.fail', () => {
    throw new RangeError('ours');
  });
  app.task('math.length', (text: string) => text.length);
  return {
    app,
    ours: app.task('math.add', (x: number, y: number) => x + y),
    sum: app.task('math.xsum', (values: readonly number[]) => values.reduce((total, value) => total + value, 0)),
    theirs: app.remote<(x: number, y: number) => number>('proj.add'),
    kinds: app.remote<(values: readonly unknown[]) => string[]>('proj.kinds'),
    fail: app.remote<(kind: string) => never>('proj.fail'),
  };
}

describe.skipIf(reason !== undefined)(`both sides (${reason === undefined ? versions() : 'no Celery'})`, () => {
  const { app, ours, sum, theirs, kinds, fail } = newApp();
  let rig: Rig;
  const answer = (code: string): Promise<unknown> => rig.ask(`${code}.get(timeout=150, interval=0.1)`);
  beforeAll(async () => {
    rig = await Rig.start(app, { workerQueues: ['celery'], sweepEvery: 1 });
  });
  afterAll(() => rig.stop());

  it('a call, either way, with types that JSON has not', async () => {
    expect(await answer("remote('math.add').delay(2, 3)")).toBe(5);
    const values = [new Date(0), new Uint8Array([255]), typed.decimal('1.50')];
    expect(await (await kinds.delay(values)).get(WAIT)).toEqual(['datetime', 'bytes', 'Decimal']);
  });

  it('a long argument, compressed by whoever sends it', async () => {
    const long = 'x'.repeat(50_000);
    expect(await (await kinds.delay([long, 1])).get(WAIT)).toEqual(['str', 'int']);
    expect(await answer(`remote('math.length').apply_async(("y" * 50000,), compression='zlib')`)).toBe(50_000);
  });

  it('an error, either way', async () => {
    await expect(answer("remote('math.fail').delay()")).rejects.toMatchObject({ message: 'ours' });
    await expect((await fail.delay('ValueError')).get(WAIT)).rejects.toMatchObject({ name: 'ValueError' });
  });

  it('a priority, from Python', async () => {
    expect(await answer("remote('mail.where').apply_async((), queue='mail', priority=0)")).toEqual(['mail', 0]);
  });

  it('a chain, made on either side', async () => {
    const made = await chain(ours.s(1, 2), theirs.s(10), ours.s(100)).delay();
    expect(await made.get(WAIT)).toBe(113);
    expect(await answer("chain(add.s(1, 2), remote('math.add').clone((10,)), add.s(100))()")).toBe(113);
  });

  // Chords of both sides that we compile need Celery's counter, which an older one has not on DynamoDB: it polls.
  it.skipIf(celeryVersion() < 5.4)('a chord, made on either side', async () => {
    expect(await (await chord([ours.s(1, 1), theirs.s(2, 2)], sum.s()).delay()).get(WAIT)).toBe(6);
    expect(await answer("chord([remote('math.add').clone((1, 1)), add.s(2, 2)])(xsum.s())")).toBe(6);
  });
});
