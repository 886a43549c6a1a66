/** Options that are no object are refused as what they are, whoever takes them: not passed over, and not told as an error of JavaScript's. */
import { Celeriac, chain, group, InvalidOption, silentLogger } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import { expect, it } from 'vitest';

const app = new Celeriac('shop', { logger: silentLogger });
const add = app.task('add', (left: number, right: number) => left + right);
const VALUES = [null, 5, Number.NaN, 'text', true, [], ['a']];

const CALLS: Readonly<Record<string, (options: never) => unknown>> = {
  'a policy': (options) => new Celeriac('other', { retryPolicy: options }),
  metrics: (options) => new Celeriac('other', { metrics: options }),
  'large payloads': (options) => new Celeriac('other', { largePayloads: options }),
  'options of a lock': (options) => app.locks.acquire('a', options),
  explain: (options) => app.explain('a', options),
  'history.list': (options) => app.history.list(options),
  stats: (options) => app.stats(options),
  'options of a world': (options) => new World(app, options as WorldOptions),
  'slots of a task': (options) => app.control.slots('add', options),
  revoke: (options) => app.control.revoke('a', options),
  group: (options) => group([add.s(1, 1)], options),
  applyAsync: (options) => add.applyAsync([1, 1], options),
  'applyAsync of a chain': (options) => chain(add.s(1, 1), add.s(1)).applyAsync([], options),
  'applyAsync of a group': (options) => group([add.s(1, 1), add.s(2, 2)]).applyAsync([], options),
  apply: (options) => add.apply([1, 1], options),
  send: (options) => app.send('add', [1, 1], options),
  toTransactItem: (options) => add.s(1, 1).toTransactItem([], options),
};

it.each(Object.keys(CALLS))('%s', async (name) => {
  using _ = new World(app);
  for (const value of VALUES) {
    const thrown = await Promise.resolve()
      .then(() => CALLS[name]?.(value as never))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect.soft(thrown, `${name} ${String(value)}: ${String(thrown)}`).toBeInstanceOf(InvalidOption);
  }
});

it.each(VALUES.map((value) => [value]))('checkpoint(state, %j)', async (options) => {
  const long = new Celeriac('long', { logger: silentLogger });
  const step = long.task('step', { bind: true, maxParts: 2 }, async (self): Promise<number> => {
    await self.checkpoint(1, options as never);
    return 1;
  });
  using world = new World(long);
  const result = await step.delay();
  await world.drain();
  await expect(result.get()).rejects.toThrow(/^checkpoint\(\): .+ given; an object is allowed, with every\.$/);
});
