import { Celeriac, Ignore, Reject, type RouteEntry, type Routes } from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { globMatches, resolveRoute } from '../../lib/options/routes.ts';
import { FetchError, newWorld } from '../support/worlds.ts';

describe('eager mode', () => {
  it('runs in the caller, arguments and result through the serializer', async () => {
    const app = new Celeriac('eager', { alwaysEager: true });
    const given = { when: new Date(0), nested: { list: [1] } };
    const echo = app.task('echo', { bind: true }, (self, value: typeof given) => ({
      same: value === given,
      value,
      eager: self.request.isEager,
    }));
    const result = await echo.delay(given);
    expect(await result.get()).toEqual({ same: false, value: given, eager: true });
    expect([await result.state(), await result.ready(), await result.successful()]).toEqual(['SUCCESS', true, true]);
    await expect(echo.delay({ when: new Date(0), nested: { list: [1n as never] } })).rejects.toMatchObject({
      code: 'NOT_SERIALIZABLE',
    });
  });

  it('retries at once, follows links, and keeps errors unless eagerPropagates', async () => {
    const app = new Celeriac('eager', { alwaysEager: true });
    const runs: unknown[] = [];
    const flaky = app.task('flaky', { bind: true, maxRetries: 2 }, (self, x: number): number => {
      runs.push(self.request.retries);
      if (self.request.retries < 2) throw self.retry({ countdown: '1h' });
      return x;
    });
    const next = app.task('next', (x: number) => void runs.push(`next ${x}`));
    await flaky.applyAsync([7], { link: next.s() });
    expect(runs).toEqual([0, 1, 2, 'next 7']);
    const broken = app.task('broken', () => {
      throw new FetchError('down');
    });
    const failed = await broken.delay();
    expect(await failed.state()).toBe('FAILURE');
    await expect(failed.get()).rejects.toMatchObject({ message: 'down' });
    expect(await failed.traceback()).toContain('FetchError');
    const strict = new Celeriac('strict', { alwaysEager: true, eagerPropagates: true });
    await expect(
      strict
        .task('broken', () => {
          throw new FetchError('down');
        })
        .delay(),
    ).rejects.toThrow('down');
  });

  it('apply() runs here whatever the settings; Reject, Ignore and expiry have their states', async () => {
    const { tasks } = newWorld((app) => ({
      reject: app.task('reject', () => {
        throw new Reject('no');
      }),
      ignore: app.task('ignore', () => {
        throw new Ignore();
      }),
      job: app.task('job', () => 1),
    }));
    expect(await (await tasks.reject.apply([])).state()).toBe('REJECTED');
    expect(await (await tasks.ignore.apply([])).state()).toBe('IGNORED');
    expect(await (await tasks.job.apply([], { expires: new Date(0) })).state()).toBe('REVOKED');
    expect(await (await tasks.job.apply([])).get()).toBe(1);
  });
});

describe('routes', () => {
  it.each<[Routes, string, string | undefined]>([
    [{ 'mail.send': 'a', 'mail.*': 'b' }, 'mail.send', 'a'],
    [{ 'mail.*': 'b', 'mail.send': 'a' }, 'mail.send', 'a'],
    [{ 'mail.*': 'b' }, 'mail.other', 'b'],
    [{ 'mail.*': 'b' }, 'email.other', undefined],
    [{ 'mail?': 'b' }, 'mailx', undefined],
    [
      [
        ['mail.*', 'b'],
        [/^web\.(a|b)/, { queue: 'c', priority: 3 }],
      ],
      'web.b',
      'c',
    ],
    [[[/web/, 'c']], 'my.web', undefined],
    [(name) => (name.length > 4 ? 'long' : undefined), 'short', 'long'],
    [[(): undefined => undefined, { '*': 'rest' }], 'x', 'rest'],
    [[((_name, args) => (args[0] === 1 ? 'one' : undefined)) as RouteEntry, { '*': 'rest' }], 'x', 'one'],
  ])('%j of %s -> %s', (routes, name, queue) => {
    expect(resolveRoute(routes, name, [1], {}).queue).toBe(queue);
  });

  it('a glob matches what the same regular expression matches', () => {
    const text = fc.stringMatching(/^[ab.]{0,8}$/);
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, (parts, name) => {
        const expression = new RegExp(`^${parts.map((part) => part.replaceAll('.', '\\.')).join('.*')}$`);
        expect(globMatches(parts.join('*'), name)).toBe(expression.test(name));
      }),
    );
  });

  it('the call overrides the task, the task the route; what a router answers is checked at the call', async () => {
    const { world, tasks } = newWorld(
      (app) => ({
        plain: app.task('mail.plain', () => 1),
        own: app.task('mail.own', { queue: 'own' }, () => 1),
        lost: app.task('lost.x', () => 1),
      }),
      {
        queues: { default: {}, mail: {}, own: {}, call: {} },
        routes: [{ 'mail.*': 'mail' }, (name) => (name.startsWith('lost.') ? 'nowhere' : undefined)],
      },
    );
    await tasks.plain.delay();
    await tasks.own.delay();
    await tasks.own.applyAsync([], { queue: 'call' });
    expect(['mail', 'own', 'call'].map((queue) => world.broker.depth(queue).visible)).toEqual([1, 1, 1]);
    await expect(tasks.lost.delay()).rejects.toMatchObject({ code: 'QUEUE_NOT_FOUND' });
  });
});
