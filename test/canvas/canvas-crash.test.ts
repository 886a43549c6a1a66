/**
 * Trees of tasks whose workers and senders die at each port call in turn, before the call takes effect and after it
 * did but before the answer came. Redelivery, and for senders the repair, must bring the same end.
 */
import { type AnySignature, chain, chord, group } from 'celeriac';
import { World } from 'celeriac/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { crashingPorts, newCommitLog, delayAndCopy } from '../support/canvas-crash.ts';
import { outcomeOf, packTasks, trees } from '../support/canvas-trees.ts';
import {
  type CanvasTasks,
  type CanvasWorld,
  canvasWorld,
  expectEnded,
  send,
  statesOf,
} from '../support/canvas-world.ts';
import { type Crash, NO_CRASH } from '../support/port-taps.ts';

const CRASHES = ['before', 'after'] as const;

const UNCOUNTED_GROUP = 'a chain that ends in a group';
const TREES: readonly [string, (tasks: CanvasTasks) => AnySignature][] = [
  ['a chord', ({ echo, list }) => chord([echo.s(1), echo.s(2), echo.s(3)], list.s())],
  [
    'a chord in a chain',
    ({ echo, list }) => chain(echo.s(1), group(echo.s(), echo.s()) as never, list.s() as never, echo.s() as never),
  ],
  [
    'a chord in a chord',
    ({ echo, list }) => chord([chord([echo.s(1), echo.s(2)], list.s()), echo.s(3)] as never, list.s()),
  ],
  [
    'a chain that ends in a group that is counted',
    ({ echo, list }) => chain(echo.s(1), group([echo.s(), chain(echo.s(), list.s()) as never], { count: true })),
  ],
  [UNCOUNTED_GROUP, ({ echo, list }) => chain(echo.s(1), group(echo.s(), chain(echo.s(), list.s()) as never))],
  [
    'a chord with a failing member and an error link',
    ({ echo, fail, list, tell }) =>
      chord([echo.s(1), chain(fail.s(), echo.s())] as never, list.s()).linkError(tell.s()),
  ],
  [
    'a chord in a chain that fails before it',
    ({ echo, fail, list }) =>
      chord([chain(fail.s(), group(echo.s(), echo.s()) as never, list.s() as never)] as never, list.s(), {
        policy: 'settled',
      }),
  ],
  [
    'a chord with a member that is retried, and failFast',
    ({ hopeless, echo, list, tell }) =>
      chord([hopeless.s(), echo.s(1)] as never, list.s(), { policy: 'failFast' }).linkError(tell.s()),
  ],
];

interface End {
  readonly outcome: unknown;
  readonly states: Record<string, string>;
  readonly calls: readonly string[];
  readonly crashed: boolean;
  /** Attempts that were run, by task, and how often. */
  readonly runs: ReadonlyMap<string, number>;
}

async function playWorker(build: (tasks: CanvasTasks) => AnySignature, crash: Crash): Promise<End> {
  const log = newCommitLog();
  const played: CanvasWorld = canvasWorld({}, { wrapPorts: (ports) => crashingPorts(ports, crash, log, played.runs) });
  const sig = build(played.tasks);
  const result = await send(sig);
  await played.world.drain();
  await expectEnded(played.world, sig, result);
  const runs = new Map<string, number>();
  for (const [index, { request }] of played.runs.entries()) {
    const attempt = `${request.task} ${request.id} ${request.retries}`;
    runs.set(attempt, (runs.get(attempt) ?? 0) + 1);
    // Once stored, an outcome stands: nothing of that attempt runs again.
    if (request.retries === 0) expect(index).toBeLessThan(log.committedAt.get(request.id) ?? Infinity);
  }
  const outcome: unknown = await result.get({ propagate: false, timeout: 0 });
  return {
    outcome: outcome instanceof Error ? outcome.name : outcome,
    states: Object.fromEntries(statesOf(played.world)),
    calls: log.calls,
    crashed: log.crashed,
    runs,
  };
}

describe.each(TREES)('%s', (name, build) => {
  it.each(CRASHES)('ends the same wherever a worker stops, %s each call', async (when) => {
    const uninterrupted = await playWorker(build, NO_CRASH);
    expect(uninterrupted.crashed).toBe(false);
    expect(new Set(uninterrupted.runs.values())).toEqual(new Set([1]));
    expect(uninterrupted.calls.includes('groups.mark')).toBe(name !== UNCOUNTED_GROUP);
    for (let call = 1; call <= uninterrupted.calls.length; call += 1) {
      const end = await playWorker(build, { call, when });
      const where = `${when} call ${call}, ${uninterrupted.calls[call - 1]}`;
      expect(end.crashed, where).toBe(true);
      expect(end.outcome, where).toEqual(uninterrupted.outcome);
      expect(end.states, where).toEqual(uninterrupted.states);
      expect([...end.runs.keys()].toSorted(), where).toEqual([...uninterrupted.runs.keys()].toSorted());
      // Once more where the process died between the run and the commit, of which each batch has several.
      expect(Math.max(...end.runs.values()), where).toBeLessThanOrEqual(2);
    }
  });
});

interface SentTree {
  readonly what: string;
  readonly build: (tasks: CanvasTasks) => AnySignature;
  readonly tasks: number;
  readonly resultExpires: '5m' | '1d';
}

const members = ({ echo }: CanvasTasks, size: number) => Array.from({ length: size }, (_, index) => echo.s(index));
const SENT: readonly SentTree[] = [
  { what: 'a group of 35', build: (tasks) => group(members(tasks, 35)), tasks: 35, resultExpires: '1d' },
  {
    what: 'a chord of 35',
    build: (tasks) => chord(members(tasks, 35), tasks.list.s()),
    tasks: 36,
    resultExpires: '1d',
  },
  {
    what: 'a chord of 35 whose results live shorter than a repair takes to come otherwise',
    build: (tasks) => chord(members(tasks, 35), tasks.list.s()),
    tasks: 36,
    resultExpires: '5m',
  },
  {
    what: 'a chord over two queues',
    build: ({ echo, mail, list }) => chord([echo.s(1), mail.s(2).set({ queue: 'mail' })] as never, list.s()),
    tasks: 3,
    resultExpires: '1d',
  },
  {
    what: 'a chord of which one member is due in an hour',
    build: ({ echo, list }) => chord([echo.s(1), echo.s(2).set({ countdown: '1h' })] as never, list.s()),
    tasks: 3,
    resultExpires: '1d',
  },
];

async function playSender(
  build: (tasks: CanvasTasks) => AnySignature,
  crash: Crash,
  resultExpires: '5m' | '1d',
): Promise<CanvasWorld & { calls: string[]; ids: string[] }> {
  const log = newCommitLog();
  const played = canvasWorld({ resultExpires });
  const sig = build(played.tasks);
  played.app.use(crashingPorts(played.world.ports, crash, log));
  const sent = send(
    (sig as AnySignature & { set(options: { taskId: string }): AnySignature }).set({ taskId: 'whole' }),
  );
  if (crash.call === 0) await sent;
  else for (let turn = 0; turn < 20; turn += 1) await played.world.clock.nextTurn();
  expect(log.crashed).toBe(crash.call > 0);
  played.app.use(played.world.ports);
  await played.world.drain();
  const ids = played.runs.map(({ request }) => request.id);
  return { ...played, calls: log.calls, ids };
}

describe.each(SENT)('$what', ({ build, tasks, resultExpires }) => {
  it.each(CRASHES)('is sent whole or not at all, wherever its sender stops, %s each call', async (when) => {
    const uninterrupted = await playSender(build, NO_CRASH, resultExpires);
    expect(uninterrupted.ids.length).toBe(tasks);
    expect(uninterrupted.world.timers.nextDueMs()).toBeUndefined();
    for (let call = 1; call <= uninterrupted.calls.length; call += 1) {
      const { ids, calls, world } = await playSender(build, { call, when }, resultExpires);
      const where = `${when} call ${call}, ${calls.at(-1)}`;
      const guarded = calls.indexOf('timers.put');
      const begun = guarded >= 0 && (guarded < calls.length - 1 || when === 'after');
      if (begun) expect(ids.toSorted(), where).toEqual(uninterrupted.ids.toSorted());
      else expect(ids, where).toEqual([]);
      expect(world.broker.nextVisibleMs(), where).toBeUndefined();
      expect(world.timers.nextDueMs(), where).toBeUndefined();
    }
  });
});

it('a member that a repair sends stands where it would have stood', async () => {
  const { app, world, tasks, of } = canvasWorld();
  const log = newCommitLog();
  app.use(crashingPorts(world.ports, { call: 4, when: 'before' }, log));
  void send(group(Array.from({ length: 25 }, (_, index) => tasks.echo.s(index))));
  for (let turn = 0; turn < 20; turn += 1) await world.clock.nextTurn();
  app.use(world.ports);
  await world.run();
  expect(log.calls).toEqual(['groups.define', 'timers.put', 'broker.send', 'broker.send']);
  expect(of('echo').length).toBe(10);
  await world.advance('14m');
  expect(of('echo').length).toBe(10);
  await world.advance('2m');
  expect(of('echo').length).toBe(25);
  for (const { request } of of('echo')) {
    expect(request.parentId).toBe(null);
    expect(request.rootId).toBe(request.id);
  }
});

it('a repair timer that cannot be removed is no failure of the sender', async () => {
  const { app, world, tasks, of } = canvasWorld();
  const refuse = (): Promise<never> => Promise.reject(new Error('an outage'));
  const { timers } = world;
  const [put, eachDue] = [timers.put.bind(timers), timers.eachDue.bind(timers)];
  app.use({ ...world.ports, timers: { put, eachDue, remove: refuse } });
  await send(group(Array.from({ length: 25 }, (_, index) => tasks.echo.s(index))));
  app.use(world.ports);
  await world.drain();
  expect(of('echo').length).toBe(25);
});

describe('any tree', () => {
  it.each([
    ['whose tasks succeed', false],
    ['with tasks that fail', true],
  ])('%s ends as it does eagerly, whatever is late, doubled and crashed', async (_name, failures) => {
    const dice = fc.infiniteStream(fc.nat({ max: 9 }));
    const crashes = fc.record({ call: fc.nat({ max: 40 }), when: fc.constantFrom(...CRASHES) });
    await fc.assert(
      fc.asyncProperty(trees({ failures }), dice, crashes, async (tree, stream, crash) => {
        const throwDice = (): number => stream.next().value as number;
        const eager = packTasks();
        const expected = await outcomeOf(
          await (eager.build(tree) as AnySignature & { apply(): ReturnType<typeof send> }).apply(),
          new Set(),
        );
        const { app, runs, build } = packTasks();
        const log = newCommitLog();
        const world = new World(app, { patienceMs: 0, wrapPorts: (ports) => crashingPorts(ports, crash, log) });
        delayAndCopy(world, () => ({ delaySeconds: throwDice(), copies: throwDice() < 4 ? [throwDice() * 60] : [] }));
        const sig = build(tree);
        const result = await send(sig);
        await world.drain();
        const ignored = [...statesOf(world)].filter(([, state]) => state === 'IGNORED').map(([id]) => id);
        expect(await outcomeOf(result, new Set(ignored))).toEqual(expected);
        if (!log.crashed) expect(new Set(runs).size).toBe(runs.length);
        await expectEnded(world, sig, result);
      }),
      { numRuns: 60 },
    );
  });
});
