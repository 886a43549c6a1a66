/** What is promised of mails about failures, whoever dies, whatever the clocks say, and however many there are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { MAX_NOTICES_AT_ONCE } from '../../lib/base/limits.ts';
import { NoticesModel, type Step, taskOf, WINDOW_MINUTES } from './notices-model.ts';

const KINDS = 14;
const MINUTE_MS = 60_000;
const SKEWS = [-4000, 0, 5000];
const SKEW_MS = 5000;

const death = fc.record({ call: fc.integer({ min: 1, max: 12 }), behind: fc.boolean() });
const never = fc.constant(undefined);
const kind = fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(KINDS - 1) });

/** Sweepers stand side by side now and then. @param rough with deaths, and times when no mail is taken */
const steps = (rough: boolean, kinds: fc.Arbitrary<number> = kind): fc.Arbitrary<Step[]> => {
  const dies = rough ? fc.oneof({ weight: 3, arbitrary: never }, { weight: 1, arbitrary: death }) : never;
  const rarely = fc.integer({ min: 0, max: 5 }).map((drawn) => drawn === 0);
  const failing = fc.record({ kind: kinds, worker: fc.nat(2), death: dies });
  const some = fc.array(failing, { maxLength: 20 });
  const step = fc.record({
    fails: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 3, arbitrary: some }),
    seconds: fc.nat(50),
    sweep: fc.record({ death: dies, twice: rarely }),
    isDown: rough ? rarely : fc.constant(false),
  });
  return fc.array(step, { minLength: 1, maxLength: 25 });
};

async function played(given: readonly Step[], seed: number): Promise<NoticesModel> {
  const model = new NoticesModel({ skews: SKEWS, seed });
  await model.run(given);
  return model;
}

const RUNS = { numRuns: 150 };

describe('whoever dies at whatever call, with clocks that differ', () => {
  it('no failure is untold: mails of its kind tell of at least as many as there were', async () => {
    await fc.assert(
      fc.asyncProperty(steps(true), fc.nat(), async (given, seed) => {
        const model = await played(given, seed);
        const { atOnce, counted, found } = model.read();
        for (let each = 0; each < KINDS; each += 1) {
          const failed = model.failed.filter((one) => one.kind === each);
          // What came to the history behind the count of its minute is told by whoever wrote it, and in no digest.
          const punctual = failed.filter(({ isPunctual }) => isPunctual).length;
          const told = new Set(atOnce.filter(({ task }) => task === taskOf(each)).map(({ id }) => id)).size;
          const beside = (counted.get(taskOf(each)) ?? 0) + (found.get(taskOf(each)) ?? 0);
          expect(told + beside).toBeGreaterThanOrEqual(punctual);
        }
        expect(model.failed.every(({ isWritten }) => isWritten)).toBe(true);
      }),
      RUNS,
    );
  });

  it('in the end no window is open, and nothing waits', async () => {
    await fc.assert(
      fc.asyncProperty(steps(true), fc.nat(), async (given, seed) => {
        const model = await played(given, seed);
        expect(await model.notices.window()).toBeUndefined();
        const { digestsMs } = model.read();
        const quietMs = model.nowMs - 4 * WINDOW_MINUTES * MINUTE_MS;
        expect(digestsMs.filter((ms) => ms > quietMs)).toEqual([]);
      }),
      RUNS,
    );
  });

  it('a storm is few mails: for each window as many kinds at once as are allowed, and a digest', async () => {
    await fc.assert(
      fc.asyncProperty(steps(true, fc.nat(KINDS - 1)), fc.nat(), async (given, seed) => {
        const model = await played(given, seed);
        const { atOnce, digestsMs } = model.read();
        const [firstDigestMs = Infinity] = digestsMs;
        const before = atOnce.filter(({ atMs }) => atMs < firstDigestMs);
        // Windows that needed no digest were before it, too.
        if (model.windows === 1)
          expect(new Set(before.map(({ task }) => task)).size).toBeLessThanOrEqual(MAX_NOTICES_AT_ONCE);
        const different = new Set(atOnce.map(({ task, id }) => `${task} ${id}`)).size;
        expect(different).toBeLessThanOrEqual(MAX_NOTICES_AT_ONCE * model.windows);
        const byTask = Map.groupBy(atOnce, ({ task }) => task);
        for (const [, mails] of byTask) {
          // The same one may come twice; another of its kind does not, for a window and more.
          const firsts = mails.filter(({ id }, index) => mails.findIndex((one) => one.id === id) === index);
          expect(firsts.length).toBeLessThanOrEqual(model.windows);
        }
      }),
      RUNS,
    );
  });
});

describe('where nobody dies and mails are taken', () => {
  it('each failure is told once: at once, in one digest, or by the sweeper that found it', async () => {
    await fc.assert(
      fc.asyncProperty(steps(false), fc.nat(), async (given, seed) => {
        const model = await played(given, seed);
        const { atOnce, counted, found } = model.read();
        expect(new Set(atOnce.map(({ id }) => id)).size).toBe(atOnce.length);
        for (let each = 0; each < KINDS; each += 1) {
          const failed = model.failed.filter((one) => one.kind === each).length;
          const told = atOnce.filter(({ task }) => task === taskOf(each)).length;
          const sum = told + (counted.get(taskOf(each)) ?? 0);
          const twice = found.get(taskOf(each)) ?? 0;
          expect(sum + twice).toBeGreaterThanOrEqual(failed);
          expect(sum).toBeLessThanOrEqual(failed);
        }
      }),
      RUNS,
    );
  });

  it('the first of a kind is told in the same moment, while the window has room', async () => {
    await fc.assert(
      fc.asyncProperty(steps(false), fc.nat(), async (given, seed) => {
        const few = given.map((step) => ({ ...step, fails: step.fails.filter((one) => one.kind < 10) }));
        const model = await played(few, seed);
        const { atOnce } = model.read();
        for (let each = 0; each < 10; each += 1) {
          const first = model.failed.find((one) => one.kind === each);
          const told = atOnce.find(({ task }) => task === taskOf(each));
          expect(told === undefined).toBe(first === undefined);
          if (first === undefined || told === undefined) continue;
          expect(Math.abs(told.atMs - first.endedMs)).toBeLessThanOrEqual(SKEW_MS);
        }
      }),
      RUNS,
    );
  });

  it('a kind that did not fail for two windows is told in the same moment, too', async () => {
    const quiet: Step = { fails: [], seconds: 0, sweep: { twice: false }, isDown: false };
    const pause = Array.from({ length: 3 * WINDOW_MINUTES }, () => quiet);
    await fc.assert(
      fc.asyncProperty(steps(false), fc.nat(KINDS - 1), fc.nat(2), fc.nat(), async (given, late, worker, seed) => {
        const last: Step = { ...quiet, fails: [{ kind: late, worker }] };
        const model = await played([...given, ...pause, last], seed);
        const failed = model.failed.at(-1);
        expect(model.read().atOnce.map(({ id }) => id)).toContain(failed?.id);
        const told = model.read().atOnce.find(({ id }) => id === failed?.id);
        expect(Math.abs((told?.atMs ?? 0) - (failed?.endedMs ?? 0))).toBeLessThanOrEqual(SKEW_MS);
      }),
      RUNS,
    );
  });

  it('digests are a window apart', async () => {
    await fc.assert(
      fc.asyncProperty(steps(false), fc.nat(), async (given, seed) => {
        const { digestsMs } = (await played(given, seed)).read();
        for (const [index, ms] of digestsMs.entries()) {
          const beforeMs = digestsMs[index - 1] ?? -Infinity;
          expect(ms - beforeMs).toBeGreaterThanOrEqual((WINDOW_MINUTES - 1) * MINUTE_MS);
        }
      }),
      RUNS,
    );
  });
});
