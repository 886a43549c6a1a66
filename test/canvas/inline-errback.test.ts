/** Celery's rule: an error link that takes more than one argument is called where the task failed. */
import { Celeriac, chain, chord } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it, vi } from 'vitest';

function newApp() {
  const app = new Celeriac('errbacks');
  const calls: unknown[][] = [];
  return {
    app,
    calls,
    add: app.task('add', (x: number, y: number) => x + y),
    sum: app.task('sum', (values: readonly number[]) => values.length),
    fail: app.task('fail', (): number => {
      throw new RangeError('no');
    }),
    inline: app.task('inline', (request: { id: string; task: string }, error: Error, traceback: string | null) => {
      calls.push([request.id, request.task, error, traceback?.split('\n')[0]]);
    }),
    bound: app.task('bound', { bind: true }, (self, request: { id: string }, error: Error) => {
      calls.push([self.request.task, request.id, error.message]);
    }),
    sent: app.task('sent', (id: string) => void calls.push([id])),
    broken: app.task('broken', (_request: unknown, _error: unknown) => {
      throw new TypeError('the error link itself');
    }),
    world: new World(app),
  };
}

it('gets the request, the error and its stack, and is no task of its own', async () => {
  const { app, calls, fail, inline, world } = newApp();
  const result = await fail.applyAsync([], { linkError: inline.s() });
  await world.drain();
  expect(calls).toEqual([[result.id, 'fail', expect.any(RangeError), 'RangeError: no']]);
  expect(calls[0]?.[2]).toMatchObject({ message: 'no' });
  expect(await app.result(result.id).children()).toEqual([]);
});

it('one with one argument is sent with the id, a bound one does not count its context', async () => {
  const { calls, fail, sent, bound, world } = newApp();
  const one = await fail.applyAsync([], { linkError: [sent.s(), bound.s()] });
  await world.drain();
  expect(calls).toEqual([['bound', one.id, 'no'], [one.id]]);
});

it('is called for a chord whose header failed, with the body as the task that failed', async () => {
  const { calls, add, fail, sum, inline, world } = newApp();
  const result = await chord([add.s(1, 1), fail.s()], sum.s().linkError(inline.s())).delay();
  await world.drain();
  expect(calls).toEqual([[result.id, 'sum', expect.objectContaining({ name: 'ChordError' }), undefined]]);
});

it('is called when a member of a header fails fast, and not again by those that succeed later', async () => {
  const { app, calls, add, fail, sum, inline, world } = newApp();
  const mark = vi.spyOn(world.backend, 'conclude');
  const header = [fail.s(), ...[1, 2, 3].map((minutes) => add.s(1, minutes).set({ countdown: `${minutes}m` }))];
  const result = await chord(header, sum.s().linkError(inline.s()), { policy: 'failFast' }).delay();
  await world.drain();
  expect(calls.map(([id]) => id)).toEqual([result.id]);
  expect(await app.result(result.id).state()).toBe('FAILURE');
  expect(mark).toHaveBeenCalledOnce();
});

it('its own error is logged and changes nothing', async () => {
  const { fail, add, broken, world } = newApp();
  const result = await chain(fail.s().linkError(broken.s()), add.s(1)).delay();
  await world.drain();
  await expect(result.get({ timeout: 1 })).rejects.toThrow('no');
});

it('an eager link may be a chain or a chord', async () => {
  const { add, sum, calls, app } = newApp();
  const note = app.task('note', (value: unknown) => void calls.push([value]));
  await add.apply([1, 2], { link: [chain(add.s(10), note.s()), chord([add.s(1), add.s(2)], note.s())] });
  expect(calls).toEqual([[13], [[4, 5]]]);
  expect(sum([1])).toBe(1);
});
