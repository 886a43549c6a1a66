import { currentTask, Ignore, type MaxRetriesExceededError, Reject } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { FetchError, newWorld } from '../support/worlds.ts';

describe('retry()', () => {
  it('runs four times with maxRetries 3, 180 s apart, and fails with exc', async () => {
    const runs: number[] = [];
    const { world, tasks } = newWorld((app) => ({
      crawl: app.task('crawl', { bind: true }, (self, url: string): string => {
        runs.push(world.clock.nowMs());
        throw self.retry({ exc: new FetchError(`no answer from ${url}`) });
      }),
    }));
    const result = await tasks.crawl.delay('a');
    await world.run();
    expect(await result.state()).toBe('RETRY');
    expect(await result.info()).toMatchObject({ name: 'FetchError', message: 'no answer from a' });
    await world.advance('179s');
    expect(runs).toHaveLength(1);
    await world.advance('1h');
    expect(runs.map((ms) => (ms - (runs[0] ?? 0)) / 1000)).toEqual([0, 180, 360, 540]);
    expect(await result.state()).toBe('FAILURE');
    await expect(result.get()).rejects.toMatchObject({ name: 'FetchError', message: 'no answer from a' });
  });

  it('fails with MaxRetriesExceededError without exc', async () => {
    const { world, tasks } = newWorld((app) => ({
      crawl: app.task('crawl', { bind: true, maxRetries: 0 }, (self) => self.retry()),
    }));
    const result = await tasks.crawl.delay();
    await world.run();
    const error = await result.get({ propagate: false });
    expect(error).toMatchObject({
      name: 'MaxRetriesExceededError',
      code: 'MAX_RETRIES_EXCEEDED',
    } satisfies Partial<MaxRetriesExceededError>);
    expect(String(error)).toContain(`Can't retry crawl[${result.id}] args:() kwargs:{}`);
  });

  it('takes countdown, eta beyond SQS, new arguments, and counts in request.retries', async () => {
    const seen: unknown[] = [];
    const { world, tasks } = newWorld((app) => ({
      job: app.task('job', { bind: true, maxRetries: null }, (self, step: number): number => {
        seen.push([self.request.retries, step, (world.clock.nowMs() - Date.UTC(2030, 0, 1)) / 1000, self.request.id]);
        if (step === 1) throw self.retry({ countdown: '20s', args: [2] });
        if (step === 2) throw self.retry({ eta: '2030-01-03T00:00:00Z', args: [3] });
        return step;
      }),
    }));
    const result = await tasks.job.delay(1);
    await world.advance('49h');
    expect(seen).toEqual([
      [0, 1, 0, result.id],
      [1, 2, 20, result.id],
      [2, 3, 172_800, result.id],
    ]);
    expect(await result.get()).toBe(3);
  });

  it('takes options of a call for the next attempt; all else stays as it was sent', async () => {
    const seen: unknown[] = [];
    const linked: unknown[] = [];
    const { world, tasks } = newWorld((app) => {
      const told = app.task('told', (...args: unknown[]) => void linked.push(args));
      return {
        told,
        job: app.task('job', { bind: true, timeLimit: 60, softTimeLimit: 50 }, (self, step: number): number => {
          const { timeLimit, shadow, argsrepr, headers, priority } = self.request;
          seen.push([timeLimit, shadow, argsrepr, headers, priority]);
          if (self.request.retries === 0)
            throw self.retry({
              countdown: 1,
              softTimeLimit: 5,
              shadow: 'other',
              argsrepr: '(<hidden>)',
              priority: 3,
              link: told.s('retried'),
            });
          if (self.request.retries === 1) throw self.retry({ countdown: 1, args: [2], headers: { more: 1 } });
          return step;
        }),
      };
    });
    await tasks.job.applyAsync([1], { timeLimit: 40, link: tasks.told.s('sent'), headers: { tenant: 'a' } });
    await world.advance('1m');
    expect(seen).toEqual([
      [[40, 50], null, '(1,)', { tenant: 'a' }, 0],
      [[40, 5], 'other', '(<hidden>)', { tenant: 'a' }, 3],
      [[40, 5], 'other', '(<hidden>)', { tenant: 'a', more: 1 }, 3],
    ]);
    expect(linked).toEqual([[2, 'retried']]);
  });

  it('refuses options of a call that say nothing, as a failure of the task', async () => {
    const { world, tasks } = newWorld((app) => ({
      priority: app.task('priority', { bind: true }, (self) => self.retry({ priority: 10 })),
      link: app.task('link', { bind: true }, (self) => self.retry({ link: 'told' as never })),
      limits: app.task('limits', { bind: true }, (self) => self.retry({ timeLimit: 1, softTimeLimit: 2 })),
    }));
    const results = await Promise.all([tasks.priority.delay(), tasks.link.delay(), tasks.limits.delay()]);
    await world.run();
    const codes = await Promise.all(
      results.map(async (result) => ((await result.get({ propagate: false })) as unknown as { code: string }).code),
    );
    expect(codes).toEqual(['INVALID_OPTION', 'INVALID_OPTION', 'INVALID_OPTION']);
  });

  it('refuses unknown options and both times, as a failure of the task', async () => {
    const { world, tasks } = newWorld((app) => ({
      both: app.task('both', { bind: true }, (self) => self.retry({ countdown: 1, eta: new Date(0) })),
      odd: app.task('odd', { bind: true }, (self) => self.retry({ delay: 1 } as never)),
      queue: app.task('queue', { bind: true }, (self) => self.retry({ queue: 'nowhere' })),
    }));
    const results = await Promise.all([tasks.both.delay(), tasks.odd.delay(), tasks.queue.delay()]);
    await world.run();
    const messages = await Promise.all(results.map(async (result) => String(await result.get({ propagate: false }))));
    expect(messages[0]).toContain('countdown and eta are both given');
    expect(messages[1]).toContain("'delay' is no option");
    expect(messages[2]).toContain("Queue 'nowhere' is not declared");
  });

  it('keeps RETRY and its exception readable while the next attempt runs', async () => {
    const { world, tasks, app } = newWorld((celeriac) => ({
      slow: celeriac.task('slow', { bind: true }, async (self): Promise<string> => {
        if (self.request.retries === 0) throw self.retry({ countdown: 1, exc: new FetchError('first') });
        await world.clock.sleep(10_000);
        return 'done';
      }),
    }));
    const result = await tasks.slow.delay();
    await world.advance('5s');
    expect(await app.result(result.id).state()).toBe('RETRY');
    expect(await app.result(result.id).info()).toMatchObject({ message: 'first' });
    await world.advance('10s');
    expect(await result.get()).toBe('done');
  });
});

describe('autoretryFor', () => {
  it('backs off 1, 2, 4 s... up to the maximum without jitter', async () => {
    const runs: number[] = [];
    const { world, tasks } = newWorld((app) => ({
      job: app.task(
        'job',
        { autoretryFor: [FetchError], retryBackoff: true, retryJitter: false, retryBackoffMax: 5, maxRetries: 5 },
        () => {
          runs.push(world.clock.nowMs());
          throw new FetchError('down');
        },
      ),
    }));
    const result = await tasks.job.delay();
    await world.drain();
    const waits = runs.slice(1).map((ms, index) => (ms - (runs[index] ?? 0)) / 1000);
    expect(waits).toEqual([1, 2, 4, 5, 5]);
    await expect(result.get()).rejects.toMatchObject({ name: 'FetchError', message: 'down' });
  });

  it('leaves other errors, and those of dontAutoretryFor, alone', async () => {
    class NotFound extends FetchError {}
    let runs = 0;
    const { world, tasks } = newWorld((app) => ({
      job: app.task('job', { autoretryFor: [FetchError], dontAutoretryFor: [NotFound] }, (kind: string) => {
        runs += 1;
        throw kind === 'other' ? new TypeError('x') : new NotFound('x');
      }),
    }));
    const results = [await tasks.job.delay('other'), await tasks.job.delay('not found')];
    await world.drain();
    expect(runs).toBe(2);
    expect(await Promise.all(results.map((result) => result.state()))).toEqual(['FAILURE', 'FAILURE']);
  });

  it('lets Ignore and Reject pass', async () => {
    const { world, tasks } = newWorld((app) => ({
      ignore: app.task('ignore', { autoretryFor: [Error] }, () => {
        throw new Ignore();
      }),
      reject: app.task('reject', { autoretryFor: [Error] }, () => {
        throw new Reject('no');
      }),
    }));
    const ignored = await tasks.ignore.delay();
    const rejected = await tasks.reject.delay();
    await world.run();
    expect(await ignored.state()).toBe('PENDING');
    expect(await rejected.state()).toBe('REJECTED');
  });
});

it('currentTask() sees the same request as a bound self', async () => {
  const { world, tasks } = newWorld((app) => ({
    job: app.task('job', { bind: true }, (self) => currentTask().request === self.request && self.request.task),
  }));
  const result = await tasks.job.delay();
  await world.run();
  expect(await result.get()).toBe('job');
});
