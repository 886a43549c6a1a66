/** Celery's rule: an error link that takes more than one argument is called where the task failed. */
import { Celeriac, type AppOptions, chain, chord, group } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import { expect, it, vi } from 'vitest';

import { checkedLines } from '../support/log-lines.ts';
import { tapped } from '../support/port-taps.ts';

function newApp(options: AppOptions = {}, wrapPorts?: WorldOptions['wrapPorts']) {
  const app = new Celeriac('errbacks', options);
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
    world: new World(app, { logger: checkedLines(), ...(wrapPorts === undefined ? {} : { wrapPorts }) }),
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

it('failFast: members that fail later call the error links of the body no more', async () => {
  // An hour, the least that a record is kept, is over when the last one fails: nothing else says that a link has run.
  const { app, calls, add, fail, sum, inline, world } = newApp({ resultExpires: 10 });
  const sent: unknown[] = [];
  const tell = app.task('tell', (id: string) => void sent.push(id));
  const header = [fail.s(), ...(['30m', '3h'] as const).map((countdown) => fail.s().set({ countdown })), add.s(1, 1)];
  const body = sum.s().linkError(inline.s()).linkError(tell.s());
  const result = await chord(header as never, body, { policy: 'failFast' }).delay();
  await world.advance('190m');
  // Whoever asks late is told all the same: the state is written again.
  expect(await app.result(result.id).state()).toBe('FAILURE');
  await world.drain();
  expect(calls.map(([id]) => id)).toEqual([result.id]);
  expect(sent).toEqual([result.id]);
});

it('failFast: members that fail later do not send the body again that their own body is counted for', async () => {
  // As above, for the body of a chord around it: its record has gone when the last one fails.
  const { app, add, fail, sum, world } = newApp({ resultExpires: 10 });
  const runs: unknown[] = [];
  const last = app.task('last', (values: unknown) => void runs.push(values));
  const header = [fail.s(), ...(['30m', '3h'] as const).map((countdown) => fail.s().set({ countdown }))];
  for (const body of [sum.s(), chain(sum.s(), add.s(1))]) {
    const inner = chord(header as never, body as never, { policy: 'failFast' });
    const result = await chord([inner, add.s(1, 1)] as never, last.s(), { policy: 'settled' }).delay();
    await world.advance('190m');
    await world.drain();
    expect(await app.result(result.id).state()).toBe('PENDING');
    expect(runs.splice(0)).toHaveLength(1);
  }
});

it('failFast: a worker that dies while it calls the error links leaves them to whoever comes next', async () => {
  let deaths = 0;
  const { app, fail, sum, world } = newApp({}, (ports) =>
    tapped(ports, (call, go, args) => {
      const [items] = args as readonly [readonly { readonly body?: string }[]];
      if (call !== 'broker.send' || deaths > 0 || items.length === 0) return go();
      deaths += 1;
      return new Promise(() => {});
    }),
  );
  const sent: unknown[] = [];
  const tell = app.task('tell', (id: string) => void sent.push(id));
  const header = [fail.s(), fail.s().set({ countdown: '30m' })];
  const result = await chord(header as never, sum.s().linkError(tell.s()), { policy: 'failFast' }).delay();
  await world.drain();
  expect(deaths).toBe(1);
  expect(sent).toEqual([result.id]);
});

it.each(['a task', 'a chain', 'a group'])(
  'is not called where the body, %s, has been sent, and results of its header are gone when the last member comes again',
  async (kind) => {
    let sends = 0;
    // The worker of the last member dies when the body is sent: its message comes back after the first record has gone.
    const { app, calls, add, sum, inline, world } = newApp({ resultExpires: 10 }, (ports) =>
      tapped(ports, async (call, go) => {
        const answer = await go();
        if (call !== 'broker.send') return answer;
        sends += 1;
        return sends === 1 ? new Promise(() => {}) : answer;
      }),
    );
    const sent: unknown[] = [];
    const tell = app.task('tell', (id: string) => void sent.push(id));
    const linked = sum.s().linkError(inline.s()).linkError(tell.s());
    const later = add.s(1).set({ countdown: 3000 }).linkError(tell.s());
    const bodies = { 'a task': linked, 'a chain': chain(linked, later), 'a group': group(linked, linked.clone()) };
    const body = bodies[kind as keyof typeof bodies] as typeof linked;
    const result = await chord([add.s(1, 1), add.s(1, 1).set({ countdown: 3590 })], body).delay();
    await world.advance(kind === 'a chain' ? '2h' : '90m');
    if (kind !== 'a group') expect(await app.result(result.id).state()).toBe('SUCCESS');
    await world.drain();
    expect([...calls, ...sent]).toEqual([]);
  },
);

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
