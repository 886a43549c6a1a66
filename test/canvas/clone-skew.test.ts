import { group, type TaskRequest } from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { skewed } from '../../lib/canvas/skew.ts';
import { newWorld } from '../support/worlds.ts';

const { tasks } = newWorld((app) => ({ add: app.task('add', (x: number, y: number) => x + y) }));

describe('clone', () => {
  it('puts arguments before its own and adds options; the first one stays as it was', async () => {
    const first = tasks.add.s(1).set({ queue: 'default' });
    const copy = first.clone([2], { priority: 3 });
    expect([copy.args, copy.options]).toEqual([[2, 1], { queue: 'default', priority: 3 }]);
    expect([first.args, first.options]).toEqual([[1], { queue: 'default' }]);
    expect(tasks.add.si(1, 2).clone([3] as never).args).toEqual([1, 2]);
  });

  it('can be sent', async () => {
    const { world, tasks: own } = newWorld((app) => ({ add: app.task('add', (x: number, y: number) => x + y) }));
    const result = await own.add.s(1).clone([2]).delay();
    await world.run();
    expect(await result.get()).toBe(3);
  });
});

describe('skew', () => {
  const countdowns = (sig: { readonly kwargs: Readonly<Record<string, unknown>> }): unknown[] =>
    (sig.kwargs['tasks'] as readonly { readonly options: Readonly<Record<string, unknown>> }[]).map(
      ({ options }) => options['countdown'],
    );
  const four = group([1, 2, 3, 4].map((x) => tasks.add.s(x, x)));

  it("spreads members as Celery's does", () => {
    expect(countdowns(four.skew())).toEqual([1, 2, 3, 4]);
    expect(countdowns(four.skew({ start: 0, step: '10s' }))).toEqual([0, 10, 20, 30]);
    // The last value is repeated: fxrange(..., repeatlast=True).
    expect(countdowns(four.skew({ start: 1, stop: 2.5, step: 0.5 }))).toEqual([1, 1.5, 2, 2.5]);
    expect(countdowns(four.skew({ start: 1, stop: 2, step: 1 }))).toEqual([1, 2, 2, 2]);
    expect(countdowns(four)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('never starts a member after stop, nor before the one before it', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(100), fc.nat(100), (start, length, step) => {
        const all = countdowns(skewed(four, { start, stop: start + length, step })) as number[];
        expect(all).toEqual(all.toSorted((left, right) => left - right));
        expect(Math.max(...all)).toBeLessThanOrEqual(start + length);
      }),
    );
  });

  it('is of groups alone', () => {
    expect(() => skewed(tasks.add.s(1, 2), {})).toThrow(/'?add'? is no group|add is no group/);
    expect(() => four.skew({ step: 'soon' as never })).toThrow(/skew\(\) step/);
  });
});

describe('time limits of 0 in a message', () => {
  it("are the task's own, as in Celery", async () => {
    const seen: TaskRequest['timeLimit'][] = [];
    const { app, world } = newWorld((own) => {
      own.task('limited', { bind: true, timeLimit: 30, softTimeLimit: 20 }, (self) => {
        seen.push(self.request.timeLimit);
      });
    });
    const { broker } = await app.ports();
    const body = {
      body: Buffer.from('[[], {}, {}]').toString('base64'),
      'content-encoding': 'utf-8',
      'content-type': 'application/json',
      headers: { lang: 'py', task: 'limited', id: 'zero', timelimit: [0, 0] },
      properties: { delivery_tag: 't', body_encoding: 'base64', delivery_info: {} },
    };
    await broker.send([{ queue: 'default', body: JSON.stringify(body) }]);
    await world.run();
    expect(seen).toEqual([[30, 20]]);
  });
});
