/** FIFO queues take no delay for a single message: what is due later comes on time all the same, and in order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Celeriac, every, type Task } from 'celeriac';
import type { Faults, World } from 'celeriac/testing';

import { newWorld } from '../support/worlds.ts';

const START = Date.UTC(2030, 0, 1);
const FIFO = { queues: { orders: { fifo: true } } } as const;

interface Run {
  readonly name: string;
  readonly second: number;
}

/** A world whose one task notes when it runs. */
function notingWorld(
  faults?: Faults,
  seed = 1,
): { world: World; app: Celeriac; note: Task<[string], void>; runs: Run[] } {
  const runs: Run[] = [];
  const { world, app, tasks } = newWorld(
    (celeriac) =>
      celeriac.task('note', (name: string) => {
        runs.push({ name, second: (world.clock.nowMs() - START) / 1000 });
      }),
    // A sweep that counts what ended is not one for timers.
    { ...FIFO, history: 'off' },
    { start: START, seed, ...(faults === undefined ? {} : { faults }) },
  );
  return { world, app, note: tasks, runs };
}

const namesOf = (runs: readonly Run[]): string[] => runs.map(({ name }) => name);

/** The first run of each. */
const firsts = (names: readonly string[]): string[] => [...new Set(names)];

describe('on time', () => {
  it.each([1, 7, 59, 61, 119, 121, 900, 901, 7200])(
    'a countdown of %i s, wherever in the minute it begins',
    async (seconds) => {
      const { world, note, runs } = notingWorld();
      for (const offset of [0, 1, 29, 31, 58, 59]) {
        runs.length = 0;
        await world.advance((60 - (((world.clock.nowMs() - START) / 1000) % 60)) % 60);
        await world.advance(offset);
        const sent = (world.clock.nowMs() - START) / 1000;
        await note.applyAsync(['a'], { countdown: seconds });
        await world.advance(seconds + 2);
        expect(runs).toHaveLength(1);
        expect(runs[0]?.second).toBeGreaterThanOrEqual(sent + seconds);
        expect(runs[0]?.second).toBeLessThanOrEqual(sent + seconds + 1);
      }
    },
  );

  it('a part of a second is met to the second', async () => {
    const { world, note, runs } = notingWorld();
    await note.applyAsync(['a'], { countdown: 1.4 });
    await world.advance(3);
    expect(runs).toEqual([{ name: 'a', second: 2 }]);
  });

  it('retries and their backoff', async () => {
    const seconds: number[] = [];
    const { world, tasks } = newWorld(
      (app) =>
        app.task('flaky', { bind: true, maxRetries: 5 }, (self) => {
          seconds.push((world.clock.nowMs() - START) / 1000);
          if (self.request.retries < 4) throw self.retry({ countdown: 2 ** self.request.retries });
        }),
      FIFO,
      { start: START + 3000 },
    );
    await tasks.delay();
    await world.advance(20);
    expect(seconds).toEqual([3, 4, 6, 10, 18]);
  });

  it('a stored entry from its first tick on', async () => {
    const { world, app, note, runs } = notingWorld();
    await world.advance(5);
    await app.schedules.put('quick', { task: note.s('tick'), schedule: every('3s') });
    await world.advance(60);
    expect(runs.map(({ second }) => second)).toEqual(Array.from({ length: 20 }, (_, index) => 8 + index * 3));
  });

  it('a wake-up that is lost costs no more than the rest of the minute', async () => {
    const { world, note, runs } = notingWorld();
    const { broker } = world;
    const send = broker.send.bind(broker);
    broker.send = (items) =>
      items.some(({ queue }) => queue === '__wake__') ? Promise.reject(new Error('lost')) : send(items);
    await note.applyAsync(['a'], { countdown: 10 });
    await world.advance(50);
    expect(runs).toEqual([]);
    await world.advance(11);
    expect(runs).toEqual([{ name: 'a', second: 60 }]);
  });

  it('nothing is swept or sent between wake-ups, and an empty queue costs nothing', async () => {
    const { world, note } = notingWorld();
    let queries = 0;
    const eachDue = world.timers.eachDue.bind(world.timers);
    world.timers.eachDue = (due, visit) => {
      queries += 1;
      return eachDue(due, visit);
    };
    await note.applyAsync(['a'], { countdown: 20 });
    await world.advance(19);
    expect(queries).toBeLessThanOrEqual(1);
    queries = 0;
    await world.advance(40);
    expect(queries).toBeLessThanOrEqual(1);
    await world.advance('1h');
    expect(queries).toBeLessThanOrEqual(1);
  });
});

describe('in order', () => {
  it('of one group, due at the same time: as they were sent', async () => {
    const { world, note, runs } = notingWorld();
    for (let index = 0; index < 25; index += 1) await note.applyAsync([String(index)], { countdown: 5 });
    await world.drain();
    expect(namesOf(runs)).toEqual(Array.from({ length: 25 }, (_, index) => String(index)));
  });

  it('of one group, due one after another: as they are due', async () => {
    const { world, note, runs } = notingWorld();
    for (const index of [4, 1, 0, 3, 2]) await note.applyAsync([String(index)], { countdown: 5 + index / 10 });
    await world.advance(8);
    expect(namesOf(runs)).toEqual(['0', '1', '2', '3', '4']);
  });

  it('a retry goes to the end of its group: nobody waits for it', async () => {
    const runs: string[] = [];
    const { world, tasks } = newWorld(
      (app) =>
        app.task('step', { bind: true }, (self, name: string) => {
          runs.push(`${name}${self.request.retries}`);
          if (name === 'a' && self.request.retries === 0) throw self.retry({ countdown: 3 });
        }),
      FIFO,
    );
    for (const name of ['a', 'b']) await tasks.delay(name);
    await tasks.applyAsync(['c'], { countdown: 2 });
    await world.advance(6);
    expect(runs).toEqual(['a0', 'b0', 'c0', 'a1']);
  });

  it('property: by (due, sequence) whatever fails, stops or comes twice', async () => {
    const faults: Faults = {
      duplicate: 0.1,
      reorder: 0.1,
      error: 0.05,
      lostResponse: 0.05,
      partialFailure: 0.1,
      crash: 0.03,
      freeze: 0.005,
      doubledSweep: 0.5,
      throttledBatch: 0.05,
      clockSkewSeconds: 1,
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ group: fc.constantFrom('g', 'h', 'i'), seconds: fc.integer({ min: 20, max: 200 }) }), {
          minLength: 5,
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 1_000_000 }),
        async (sent, seed) => {
          const { world, note, runs } = notingWorld(faults, seed);
          const all = sent.map((each, index) => ({ ...each, name: `${each.group}${index}` }));
          for (const { name, group, seconds } of all)
            await note.applyAsync([name], { countdown: seconds, groupKey: group });
          await world.advance('2h');
          world.faults.on = false;
          await world.drain('3d');
          for (const group of ['g', 'h', 'i']) {
            const expected = all
              .filter((each) => each.group === group)
              .toSorted((left, right) => left.seconds - right.seconds)
              .map(({ name }) => name);
            expect(firsts(namesOf(runs).filter((name) => name.startsWith(group)))).toEqual(expected);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
