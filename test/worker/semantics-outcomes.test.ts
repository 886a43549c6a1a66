import { Ignore, Reject, type TaskError } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { newWorld } from '../support/worlds.ts';

describe('results', () => {
  it('go from PENDING through STARTED to SUCCESS with trackStarted', async () => {
    const { world, app, tasks } = newWorld((celeriac) => ({
      slow: celeriac.task('slow', { trackStarted: true }, async () => {
        await world.clock.sleep(5000);
        return { answer: 42 };
      }),
      hidden: celeriac.task('hidden', async () => {
        await world.clock.sleep(5000);
      }),
    }));
    const result = await tasks.slow.delay();
    const hidden = await tasks.hidden.delay();
    expect(await result.state()).toBe('PENDING');
    await world.run();
    expect(await result.state()).toBe('STARTED');
    expect(await hidden.state()).toBe('PENDING');
    await world.advance('5s');
    expect([await result.state(), await result.ready(), await result.successful(), await result.failed()]).toEqual([
      'SUCCESS',
      true,
      true,
      false,
    ]);
    expect(await result.get()).toEqual({ answer: 42 });
    expect(await result.dateDone()).toEqual(new Date(Date.UTC(2030, 0, 1, 0, 0, 5)));
    expect(await app.result(hidden.id).get()).toBeNull();
  });

  it('bring the remote error back with its type name, message and stack text', async () => {
    class CardDeclined extends Error {
      override readonly name = 'CardDeclined';
    }
    const { world, tasks } = newWorld((app) => ({
      own: app.task('own', () => {
        throw new CardDeclined('no money');
      }),
      native: app.task('native', () => {
        throw new RangeError('too far');
      }),
      text: app.task('text', () => {
        throw 'just text';
      }),
    }));
    const [own, native, text] = await Promise.all([tasks.own.delay(), tasks.native.delay(), tasks.text.delay()]);
    await world.run();
    const error = (await own.get({ propagate: false })) as unknown as TaskError;
    expect(error).toMatchObject({ name: 'CardDeclined', message: 'no money', code: 'TASK_ERROR' });
    expect(error.stack).toContain('semantics-outcomes.test.ts');
    expect(await own.traceback()).toBe(error.stack);
    await expect(native.get()).rejects.toBeInstanceOf(RangeError);
    await expect(text.get()).rejects.toMatchObject({ name: 'Error', message: 'just text' });
  });

  it('wait with a timeout, and never inside a task', async () => {
    const { world, tasks } = newWorld((celeriac) => ({
      late: celeriac.task('late', () => 'at last'),
      waits: celeriac.task('waits', async (id: string): Promise<unknown> => celeriac.result(id).get({ timeout: 1 })),
    }));
    const result = await tasks.late.applyAsync([], { countdown: 60 });
    await expect(result.get({ timeout: 10 })).rejects.toMatchObject({ name: 'TimeoutError', code: 'TIMEOUT' });
    expect(await result.get({ timeout: '2m' })).toBe('at last');
    const waiting = await tasks.waits.delay(result.id);
    await world.run();
    await expect(waiting.get()).rejects.toThrow('Never call result.get() within a task');
  });

  it('expire, and are forgotten on request', async () => {
    const { world, tasks, app } = newWorld((celeriac) => ({ job: celeriac.task('job', () => 1) }), {
      resultExpires: '4h',
    });
    const [first, second] = [await tasks.job.delay(), await tasks.job.delay()];
    await world.run();
    await second.forget();
    expect([await app.result(first.id).state(), await app.result(second.id).state()]).toEqual(['SUCCESS', 'PENDING']);
    await world.advance('14401s');
    expect(await app.result(first.id).state()).toBe('PENDING');
  });

  it('fail when they are no JSON, and links do not run', async () => {
    let linked = 0;
    const { world, tasks, app } = newWorld((celeriac) => ({
      odd: celeriac.task('odd', (): unknown => ({ when: 1n })),
      next: celeriac.task('next', (_value: unknown) => {
        linked += 1;
      }),
    }));
    const result = await app.send('odd', [], { link: tasks.next.s() });
    await world.run();
    await expect(result.get()).rejects.toMatchObject({
      name: 'NotSerializable',
      message: expect.stringContaining('result.when'),
    });
    expect(linked).toBe(0);
  });
});

describe('ignoreResult', () => {
  it('stores no value but, by default, errors', async () => {
    const { world, tasks, app } = newWorld((celeriac) => ({
      good: celeriac.task('good', { ignoreResult: true }, () => 'secret'),
      bad: celeriac.task('bad', { ignoreResult: true }, () => {
        throw new Error('seen');
      }),
      silent: celeriac.task('silent', { ignoreResult: true, storeErrorsEvenIfIgnored: false }, () => {
        throw new Error('unseen');
      }),
      plain: celeriac.task('plain', () => 'kept'),
    }));
    const good = await tasks.good.delay();
    const bad = await tasks.bad.delay();
    const silent = await tasks.silent.delay();
    const perCall = await tasks.plain.applyAsync([], { ignoreResult: true });
    const forced = await tasks.good.applyAsync([], { ignoreResult: false });
    await world.run();
    expect(await good.get()).toBeUndefined();
    expect(await app.result(good.id).state()).toBe('PENDING');
    expect(await app.result(bad.id).state()).toBe('FAILURE');
    expect(await app.result(silent.id).state()).toBe('PENDING');
    expect(await app.result(perCall.id).state()).toBe('PENDING');
    expect(await app.result(forced.id).get()).toBe('secret');
    // The truth is kept beside what readers see: promise 1 counts final states.
    const [record] = await world.backend.get([silent.id], world.clock.nowMs());
    expect(record).toMatchObject({ status: 'FAILURE', ignored: true });
  });

  it('hands the value to links all the same', async () => {
    const seen: unknown[] = [];
    const { world, tasks } = newWorld((app) => ({
      good: app.task('good', { ignoreResult: true }, () => 'value'),
      next: app.task('next', (value: unknown) => {
        seen.push(value);
      }),
    }));
    await tasks.good.applyAsync([], { link: tasks.next.s() });
    await world.run();
    expect(seen).toEqual(['value']);
  });
});

describe('Reject', () => {
  it('without requeue: REJECTED, and the message lies in the dead-letter queue with its reason', async () => {
    const { world, tasks } = newWorld((app) => ({
      crawl: app.task('crawl', { bind: true }, (_self, _url: string) => {
        throw new Reject('too big', { requeue: false });
      }),
    }));
    const result = await tasks.crawl.delay('http://example.com');
    await world.run();
    expect(await result.state()).toBe('REJECTED');
    await expect(result.get()).rejects.toMatchObject({ name: 'TaskRejectedError', message: 'too big' });
    expect(world.deadLetters()).toEqual([
      {
        body: expect.any(String),
        attributes: {
          reason: 'too big',
          error: 'Reject: too big',
          task: 'crawl',
          task_id: result.id,
          origin_queue: 'default',
          deliveries: '1',
          failed_at: '2030-01-01T00:00:00.000Z',
        },
      },
    ]);
    expect(world.broker.depth('default')).toEqual({ visible: 0, delayed: 0, inFlight: 0 });
  });

  it('with requeue: at once again, redelivered, and bounded', async () => {
    const seen: unknown[] = [];
    const { world, tasks } = newWorld((app) => ({
      fussy: app.task('fussy', { bind: true, maxDeliveries: 4 }, (self, until: number) => {
        const { deliveries, redelivered } = self.request.deliveryInfo;
        seen.push([deliveries, redelivered, self.request.retries]);
        if (deliveries < until) throw new Reject('not yet', { requeue: true });
        return deliveries;
      }),
    }));
    const fine = await tasks.fussy.delay(3);
    await world.run();
    expect(await fine.get()).toBe(3);
    expect(seen).toEqual([
      [1, false, 0],
      [2, true, 0],
      [3, true, 0],
    ]);
    const never = await tasks.fussy.delay(99);
    await world.run();
    expect(await never.state()).toBe('REJECTED');
    expect(world.deadLetters()[0]?.attributes['reason']).toContain('requeued until maxDeliveries, 4');
  });

  it('with requeue and acksLate: false is given back, not lost', async () => {
    const { world, tasks } = newWorld((app) => ({
      job: app.task('job', { bind: true, acksLate: false }, (self) => {
        if (self.request.deliveryInfo.deliveries === 1) throw new Reject('again', { requeue: true });
        return 'ran';
      }),
    }));
    const result = await tasks.job.delay();
    await world.run();
    expect(await result.get()).toBe('ran');
  });
});

describe('Ignore, expires, revoke', () => {
  it('Ignore ends a task without a result, links or a dead letter', async () => {
    let linked = 0;
    const { world, tasks, app } = newWorld((celeriac) => ({
      job: celeriac.task('job', () => {
        throw new Ignore();
      }),
      next: celeriac.task('next', () => {
        linked += 1;
      }),
    }));
    const result = await tasks.job.applyAsync([], { link: tasks.next.si() });
    await world.drain();
    expect([await app.result(result.id).state(), linked, world.deadLetters().length]).toEqual(['PENDING', 0, 0]);
    expect((await world.backend.get([result.id], world.clock.nowMs()))[0]?.status).toBe('IGNORED');
  });

  it.each([
    ['seconds', 60],
    ['a duration', '1m'],
    ['a Date', new Date(Date.UTC(2030, 0, 1, 0, 1))],
    ['ISO text', '2030-01-01T00:01:00Z'],
  ] as const)('expires as %s: REVOKED, never run', async (_what, expires) => {
    let runs = 0;
    const { world, tasks } = newWorld((app) => ({
      job: app.task('job', () => {
        runs += 1;
      }),
    }));
    const late = await tasks.job.applyAsync([], { countdown: 61, expires });
    const inTime = await tasks.job.applyAsync([], { countdown: 59, expires });
    await world.drain();
    expect([runs, await late.state(), await inTime.state()]).toEqual([1, 'REVOKED', 'SUCCESS']);
    await expect(late.get()).rejects.toMatchObject({ name: 'TaskRevokedError', message: 'expired' });
  });

  it('revoke() stops a task that waits, wherever it waits', async () => {
    let runs = 0;
    const { world, tasks } = newWorld((app) => ({
      job: app.task('job', () => {
        runs += 1;
      }),
      later: app.task('later', { bind: true }, (self) => self.retry({ countdown: 100 })),
    }));
    const soon = await tasks.job.applyAsync([], { countdown: 100 });
    const far = await tasks.job.applyAsync([], { countdown: '30d' });
    const retrying = await tasks.later.delay();
    await world.run();
    for (const result of [soon, far, retrying]) expect(await result.revoke()).toBe('REVOKED');
    await world.drain();
    expect(runs).toBe(0);
    for (const result of [soon, far, retrying]) expect(await result.state()).toBe('REVOKED');
  });

  it('revoke() leaves a running task alone and a finished one as it is', async () => {
    const { world, tasks } = newWorld((app) => ({
      slow: app.task('slow', { trackStarted: true }, async () => {
        await world.clock.sleep(1000);
        return 'finished';
      }),
    }));
    const result = await tasks.slow.delay();
    await world.run();
    expect(await result.revoke()).toBe('STARTED');
    await world.advance(1);
    expect(await result.get()).toBe('finished');
    expect(await result.revoke()).toBe('SUCCESS');
  });
});

it('custom states and progress are seen until the outcome', async () => {
  const { world, tasks } = newWorld((app) => ({
    job: app.task('job', { bind: true }, async (self) => {
      await self.progress(1, 4);
      await world.clock.sleep(1000);
      await self.updateState('UPLOADING', { file: 'a.txt' });
      await world.clock.sleep(1000);
      await self.updateState('SUCCESS');
    }),
  }));
  const result = await tasks.job.delay();
  await world.run();
  expect([await result.state(), await result.info()]).toEqual(['PROGRESS', { current: 1, total: 4 }]);
  await world.advance(1);
  expect([await result.state(), await result.info()]).toEqual(['UPLOADING', { file: 'a.txt' }]);
  await world.advance(1);
  await expect(result.get()).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining("'SUCCESS' given"),
  });
});
