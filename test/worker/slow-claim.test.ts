/** A store that is slow to answer takes the time of an invocation away: what is left may be too little to run anything. */
import { chord } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { tapped } from '../support/port-taps.ts';
import { newWorld } from '../support/worlds.ts';

describe.each([
  ['acksLate: true', true],
  ['acksLate: false', false],
])('a claim that takes nearly all of the invocation, %s', (_what, acksLate) => {
  it('is given back before the task starts, and another invocation runs it', async () => {
    let [starts, claims] = [0, 0];
    const { world, tasks } = newWorld(
      (app) => ({
        twenty: app.task('twenty', { acksLate }, async () => {
          starts += 1;
          await world.clock.sleep(20_000);
          return 'done';
        }),
      }),
      {},
      {
        wrapPorts: (ports) =>
          tapped(
            ports,
            async (call, go) => {
              const answer = await go();
              if (call === 'backend.claim') claims += 1;
              if (call === 'backend.claim' && claims === 1) await ports.clock.sleep(290_000);
              return answer;
            },
            ['backend'],
          ),
      },
    );
    const result = await tasks.twenty.delay();
    await world.advance('10m');
    expect([await result.state(), starts, claims]).toEqual(['SUCCESS', 1, 2]);
  });
});

it('a task that expires while it is claimed does not start', async () => {
  let starts = 0;
  const { world, tasks } = newWorld(
    (app) => ({ quick: app.task('quick', () => (starts += 1)) }),
    {},
    {
      wrapPorts: (ports) =>
        tapped(
          ports,
          async (call, go) => {
            const answer = await go();
            if (call === 'backend.claim') await ports.clock.sleep(80_000);
            return answer;
          },
          ['backend'],
        ),
    },
  );
  const result = await tasks.quick.applyAsync([], { expires: 60 });
  await world.advance('20m');
  expect([await result.state(), starts]).toEqual(['REVOKED', 0]);
});

it.each([
  ['acksLate: true', true],
  ['acksLate: false', false],
])(
  'a key that is freed slowly, once the claim is won: it is given back before the task starts, %s',
  async (_, acksLate) => {
    let [starts, clears] = [0, 0];
    const { world, tasks } = newWorld(
      (app) => ({
        twenty: app.task('twenty', { acksLate, unique: { key: 'all', until: 'started' } }, async () => {
          starts += 1;
          await world.clock.sleep(20_000);
          return 'done';
        }),
      }),
      {},
      {
        wrapPorts: (ports) =>
          tapped(
            ports,
            async (call, go) => {
              const answer = await go();
              if (call === 'marks.clear') clears += 1;
              if (call === 'marks.clear' && clears === 1) await ports.clock.sleep(290_000);
              return answer;
            },
            ['marks'],
          ),
      },
    );
    const result = await tasks.twenty.delay();
    await world.advance('20m');
    expect([await result.state(), starts]).toEqual(['SUCCESS', 1]);
  },
);

it('results of a large header that are read slowly: the body is given back before it starts', async () => {
  let [starts, reads, isLast] = [0, 0, false];
  const { world, tasks } = newWorld(
    (app) => ({
      one: app.task('one', (n: number) => String(n).padStart(5000)),
      sum: app.task('sum', async (all: readonly string[]) => {
        starts += 1;
        await world.clock.sleep(20_000);
        return all.length;
      }),
    }),
    {},
    {
      wrapPorts: (ports) =>
        tapped(
          ports,
          async (call, go, args) => {
            const answer = await go();
            if (call === 'backend.claim' && JSON.stringify(args).includes('"sum"')) isLast = true;
            if (call === 'backend.get' && isLast) reads += 1;
            if (call === 'backend.get' && isLast && reads === 1) await ports.clock.sleep(290_000);
            return answer;
          },
          ['backend'],
        ),
    },
  );
  const members = Array.from({ length: 300 }, (__, n) => tasks.one.s(n));
  const result = await chord(members, tasks.sum.s()).delay();
  await world.advance('20m');
  expect([await result.state(), starts, reads > 0]).toEqual(['SUCCESS', 1, true]);
});
