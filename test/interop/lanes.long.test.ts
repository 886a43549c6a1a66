/** Priorities across: Python's calls reach our lanes by their names, and ours reach the lanes that Celery's workers consume. */
import { Celeriac, silentLogger } from 'celeriac';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reasonWithoutCelery, Rig, versions } from './rig.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const reason = reasonWithoutCelery('lanes and Celery');

function newApp() {
  const app = new Celeriac('interop', {
    queues: {
      default: {},
      mail: { priorities: [0, 5] },
      celery: { external: true, priorities: [0, 5], defaultPriority: 5 },
    },
    routes: { 'proj.*': 'celery' },
    logger: silentLogger,
  });
  app.task('mail.where', { bind: true, queue: 'mail', maxRetries: 2 }, (self, times: number) => {
    if (self.request.retries < times) throw self.retry({ countdown: 0 });
    return [self.request.deliveryInfo.queue, self.request.priority, self.request.retries];
  });
  return { app, request: app.remote<() => Record<string, unknown>>('proj.request') };
}

const get = (code: string): string => `${code}.get(timeout=150, interval=0.1)`;

describe.skipIf(reason !== undefined)(`lanes (${reason === undefined ? versions() : 'no Celery'})`, () => {
  const { app, request } = newApp();
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start(app, { workerQueues: ['celery', 'celery-p0'], sweepEvery: 1 });
  });
  afterAll(() => rig.stop());

  it.each([
    ["queue='mail', priority=0", 0, ['mail', 0, 0]],
    ["queue='mail-p5', priority=7", 0, ['mail-p5', 7, 0]],
    // The lane that it comes by is the one in which it stays, whatever its number says.
    ["queue='mail', priority=7", 1, ['mail', 7, 1]],
    ["queue='mail-p5'", 1, ['mail-p5', 0, 1]],
    ["queue='mail-p5', priority=2, countdown=1", 0, ['mail-p5', 2, 0]],
  ])('Python sends with %s', async (options, retries, told) => {
    const call = `remote('mail.where').apply_async((${retries},), ${options})`;
    expect(await rig.ask(get(call))).toEqual(told);
  });

  it.each([
    [undefined, 'celery', 5],
    [4, 'celery-p0', 4],
    [0, 'celery-p0', 0],
    [9, 'celery', 9],
  ])('we send with priority %s', async (priority, queue, told) => {
    const result = await request.applyAsync([], priority === undefined ? {} : { priority });
    expect(await result.get({ timeout: PATIENCE_SECONDS })).toMatchObject({
      delivery_info: { routing_key: queue, priority: told },
    });
  });

  it('a chain of both sides: each step in the lane of its own priority', async () => {
    await rig.ask(
      "let mixed = chain(remote('mail.where').clone((0,), queue='mail-p5', priority=6), remote('proj.request').set(queue='celery-p0', priority=1))()",
    );
    expect(await rig.ask(get('mixed'))).toMatchObject({ delivery_info: { routing_key: 'celery-p0', priority: 1 } });
    expect(await rig.ask('mixed.parent.result')).toEqual(['mail-p5', 6, 0]);
  });
});
