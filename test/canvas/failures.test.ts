/** Every way in which a member of a header can end, with each policy: the chord resolves, and nothing is left open. */
import { type AnySignature, type AsyncResult, chain, chord, group, type GroupResult, signature } from 'celeriac';
import type { WorldOptions } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { type ChordPolicy, withOptions } from '../../lib/canvas/build.ts';
import { tasksOf } from '../../lib/canvas/compile.ts';
import {
  type CanvasTasks,
  type CanvasWorld,
  canvasWorld,
  expectEnded,
  send,
  statesOf,
} from '../support/canvas-world.ts';
import { tapped } from '../support/port-taps.ts';

const LOST = 'lost-member';

/** Workers die whenever they are about to commit this task. */
const dying: WorldOptions = {
  batchSize: 1,
  wrapPorts: (ports) =>
    tapped(ports, (call, go, args) => {
      const [requests] = args as readonly [readonly { readonly id: string; readonly meta?: string }[]];
      const dies =
        call === 'backend.commit' && requests.some(({ id, meta }) => id === LOST && meta?.includes('"value"'));
      return dies ? new Promise(() => {}) : go();
    }),
};

interface End {
  readonly name: string;
  readonly member: (tasks: CanvasTasks) => AnySignature;
  /** What `settled` hands to the body; a value where the member succeeds. */
  readonly outcome: unknown;
  readonly worldOptions?: WorldOptions;
  readonly meanwhile?: (member: AsyncResult) => Promise<unknown>;
}

const failure = (status: string, type: string): unknown => ({ status, error: { type, message: expect.any(String) } });

const ENDS: readonly End[] = [
  { name: 'fails', member: ({ fail }) => fail.s(), outcome: failure('FAILURE', 'RangeError') },
  { name: 'succeeds at the third attempt', member: ({ flaky }) => flaky.s('value'), outcome: 'value' },
  {
    name: 'fails after its last retry',
    member: ({ hopeless }) => hopeless.s(),
    outcome: failure('FAILURE', 'FetchError'),
  },
  { name: 'is rejected', member: ({ reject }) => reject.s(), outcome: failure('REJECTED', 'TaskRejectedError') },
  { name: 'is ignored', member: ({ ignore }) => ignore.s(), outcome: failure('IGNORED', 'IGNORED') },
  { name: 'stores no result', member: ({ silent }) => silent.s('value'), outcome: 'value' },
  {
    name: 'expires',
    member: ({ echo }) => echo.s('value').set({ countdown: 60, expires: 30 }),
    outcome: failure('REVOKED', 'TaskRevokedError'),
  },
  {
    name: 'is revoked before it starts',
    member: ({ echo }) => echo.s('value').set({ countdown: 60 }),
    outcome: failure('REVOKED', 'TaskRevokedError'),
    meanwhile: (member) => member.revoke(),
  },
  {
    name: 'is a task that nobody knows',
    member: () => signature('nobody.knows'),
    outcome: failure('FAILURE', 'NotRegistered'),
  },
  {
    name: 'loses every worker',
    member: ({ echo }) => echo.s('value').set({ taskId: LOST }),
    outcome: failure('FAILURE', 'WorkerLostError'),
    worldOptions: dying,
  },
  {
    name: 'runs into its time limit',
    member: ({ stuck }) => stuck.s(),
    outcome: failure('FAILURE', 'TimeLimitExceeded'),
  },
  {
    name: 'is a chain that fails at its first step',
    member: ({ fail, echo }) => chain(fail.s(), echo.s(), echo.s()),
    outcome: failure('FAILURE', 'RangeError'),
  },
  {
    name: 'is a chain that fails in the middle',
    member: ({ fail, echo }) => chain(echo.s(1), fail.s(), echo.s()),
    outcome: failure('FAILURE', 'RangeError'),
  },
  {
    name: 'is a chain that fails at its last step',
    member: ({ fail, echo }) => chain(echo.s(1), echo.s(), fail.s()),
    outcome: failure('FAILURE', 'RangeError'),
  },
  {
    name: 'is a chain whose first step is ignored',
    member: ({ ignore, echo }) => chain(ignore.s(), echo.s()),
    outcome: failure('FAILURE', 'ImproperlyConfigured'),
  },
  {
    name: 'is a chain that fails before its group',
    member: ({ fail, echo }) => chain(fail.s(), group(echo.s(), echo.s())),
    outcome: failure('FAILURE', 'RangeError'),
  },
  {
    name: 'is a chain that fails within its group',
    member: ({ fail, echo }) => chain(echo.s(1), group(echo.s(), fail.s())),
    outcome: failure('FAILURE', 'ChordError'),
  },
  {
    name: 'is a chord whose header fails',
    member: ({ fail, echo, list }) => chord([fail.s(), echo.s(1)], list.s()),
    outcome: failure('FAILURE', 'ChordError'),
  },
  {
    name: 'is a chord whose body fails',
    member: ({ fail, echo }) => chord([echo.s(1)], fail.s()),
    outcome: failure('FAILURE', 'RangeError'),
  },
  {
    name: 'cannot be sent',
    member: ({ echo }) => chain(echo.s(1), unsendable(echo.s())),
    outcome: failure('FAILURE', 'InvalidOption'),
  },
];
/** What no call takes, and nobody looks at before it is this step's turn. */
function unsendable(sig: AnySignature): never {
  return withOptions(sig, { priority: 99 }) as never;
}

const POLICIES: readonly ChordPolicy[] = ['celery', 'failFast', 'settled'];

interface Played extends CanvasWorld {
  readonly chordId: string;
  readonly outer: Awaited<ReturnType<typeof send>>;
}

/** The member between two others, in a chord with an error link, in a chord that takes every outcome. */
async function play(end: End, policy: ChordPolicy): Promise<Played> {
  const played = canvasWorld({}, end.worldOptions);
  const { echo, list, tell } = played.tasks;
  const inner = chord([echo.s('left'), end.member(played.tasks), echo.s('right')] as never, list.s('of inner'), {
    policy,
  })
    .linkError(tell.s())
    .set({ taskId: 'inner-chord' });
  const whole = chord([inner, echo.s('beside')], list.s('of outer'), { policy: 'settled' });
  const outer = await send(whole);
  const member = membersOf(whole, outer.id)[1];
  if (member !== undefined) await end.meanwhile?.(played.app.result(member));
  await played.world.drain();
  await expectEnded(played.world, whole, outer);
  return { ...played, chordId: 'inner-chord', outer };
}

/** Ids of the inner header's three members. */
function membersOf(whole: AnySignature, id: string): string[] {
  const ids = tasksOf(whole, id);
  const inner = ids.findIndex((task) => task.id === 'inner-chord');
  const header = ids.slice(0, inner).filter(({ signature: sig }) => sig.options['group_index'] !== undefined);
  return header.map((task) => task.id);
}

describe.each(ENDS)('a member that $name', (end) => {
  const succeeds = typeof end.outcome === 'string';

  it.each(POLICIES)('resolves its chord and the one around it: %s', async (policy) => {
    const { app, of, chordId, outer } = await play(end, policy);
    const body = app.result(chordId);
    const bodies = of('list').filter((run) => run.args.at(-1) === 'of inner');
    const runs = succeeds || policy === 'settled';
    expect(bodies.length).toBe(runs ? 1 : 0);
    // The error links know the body's id, whichever member failed.
    const told = of('tell').filter((run) => run.args[0] === chordId);
    expect(told.length).toBe(runs ? 0 : 1);
    const values = ['left', end.outcome, 'right'];
    const success = (value: unknown): unknown => ({ status: 'SUCCESS', value });
    const settledResults = [success('left'), succeeds ? success(end.outcome) : end.outcome, success('right')];
    if (runs) expect(await body.get()).toEqual([policy === 'settled' ? settledResults : values, 'of inner']);
    else await expect(body.get()).rejects.toMatchObject({ name: 'ChordError' });
    const [results] = (await outer.get()) as readonly [readonly { readonly status: string }[]];
    expect(results.map(({ status }) => status)).toEqual([runs ? 'SUCCESS' : 'FAILURE', 'SUCCESS']);
  });
});

describe('policies', () => {
  it('celery: the body fails after the last member has ended; failFast: at the first failure; its error names the member', async () => {
    const ends: Record<string, number> = {};
    for (const policy of POLICIES) {
      const { app, world, tasks } = canvasWorld();
      const { echo, fail, list } = tasks;
      const startMs = world.clock.nowMs();
      const header = [fail.s(), echo.s(1).set({ countdown: 300 }), fail.s().set({ countdown: 600 })] as never;
      const result = await send(chord(header, list.s(), { policy }));
      await world.drain();
      const done = await app.result(result.id).dateDone();
      ends[policy] = ((done?.getTime() ?? 0) - startMs) / 1000;
      const [first] = (result.parent as GroupResult).memberIds;
      const error: unknown = await result.get({ propagate: false });
      if (policy !== 'settled')
        expect(error).toMatchObject({ message: `Dependency ${String(first)} raised RangeError('broken')` });
    }
    expect(ends).toEqual({ celery: 600, failFast: 0, settled: 600 });
  });

  it('error links of the body, of its first step, and of each task of a body that is a group', async () => {
    const { world, tasks, of } = canvasWorld();
    const { echo, fail, list, tell } = tasks;
    const told = async (body: AnySignature): Promise<unknown[]> => {
      const from = of('tell').length;
      const whole = chord([fail.s()] as never, body as never);
      const result = await send(whole);
      await world.drain();
      await expectEnded(world, whole, result);
      expect(of('list')).toEqual([]);
      return of('tell')
        .slice(from)
        .map((run) => [run.args, result.id]);
    };
    expect(await told(list.s().linkError(tell.s('body')))).toEqual([
      [[expect.any(String), 'body'], expect.any(String)],
    ]);
    const chained = await told(chain(list.s().linkError(tell.s('first')), echo.s().linkError(tell.s('second'))));
    expect(chained).toEqual([[[expect.any(String), 'first'], expect.any(String)]]);
    for (const [args, id] of chained as [unknown[], string][]) expect(args[0]).toBe(id);
    const grouped = await told(
      group(list.s().set({ taskId: 'one' }).linkError(tell.s()), list.s().linkError(tell.s())),
    );
    expect(grouped).toEqual([
      [['one'], expect.any(String)],
      [[expect.any(String)], expect.any(String)],
    ]);
  });
});

const RESTS: readonly [string, (tasks: CanvasTasks) => AnySignature][] = [
  ['tasks', ({ echo }) => chain(echo.s(), echo.s())],
  ['a group', ({ echo, list }) => group(echo.s(), chain(list.s(), echo.s()))],
  ['a chord', ({ echo, list }) => chord([echo.s(), echo.s()] as never, list.s())],
  ['a chord and more', ({ echo, list }) => chain(group(echo.s(), echo.s()), list.s() as never, echo.s() as never)],
  ['a chord of chords', ({ echo, list }) => chord([chord([echo.s()] as never, list.s()), echo.s()] as never, list.s())],
  [
    'a chord with a group for its body',
    ({ echo, list }) => chord([echo.s()] as never, group(list.s(), list.s()) as never),
  ],
  ['map', ({ echo }) => echo.map([1, 2])],
  ['a group of more than ten', ({ echo }) => group(Array.from({ length: 70 }, () => echo.s()))],
];

describe('what follows a failed step', () => {
  it.each(RESTS)('is FAILURE with its error, each task of it: %s', async (_name, rest) => {
    const { world, tasks, of, runs } = canvasWorld();
    const { echo, fail, tell } = tasks;
    const errback = tell.s('rest');
    const after = (rest(tasks) as AnySignature & { linkError(sig: AnySignature): AnySignature }).linkError(errback);
    const whole = chain(echo.s(1), fail.s().linkError(tell.s('step')) as never, after as never);
    const result = await send(whole);
    await world.drain();
    await expectEnded(world, whole, result);
    await expect(result.get({ timeout: 0 })).rejects.toMatchObject({ name: 'RangeError', message: 'broken' });
    const states = statesOf(world);
    const [, ...others] = tasksOf(whole, result.id).map(({ id }) => states.get(id));
    expect(new Set(others)).toEqual(new Set(['FAILURE']));
    expect(runs.map(({ name }) => name)).toEqual(['echo', 'fail', 'tell']);
    // As in Celery only the step that failed calls its error links.
    expect(of('tell')[0]?.args[1]).toBe('step');
  });

  it.each([
    ['is rejected', ({ reject }: CanvasTasks) => reject.s(), 'TaskRejectedError'],
    ['is ignored', ({ ignore }: CanvasTasks) => ignore.s(), 'ImproperlyConfigured'],
    ['expires', ({ echo }: CanvasTasks) => echo.s(1).set({ countdown: 60, expires: 30 }), 'TaskRevokedError'],
  ])('has a cause when the step %s', async (_name, step, error) => {
    const { world, tasks } = canvasWorld();
    const whole = chain(step(tasks), group(tasks.echo.s(), tasks.echo.s()) as never, tasks.list.s() as never);
    const result = await send(whole);
    await world.drain();
    await expectEnded(world, whole, result);
    await expect(result.get({ timeout: 0 })).rejects.toMatchObject({ name: error });
    await expect((result.parent as GroupResult).join({ timeout: 0 })).rejects.toMatchObject({ name: error });
  });

  it('cannot be sent: it is FAILURE, its error link is called, and so is what follows it', async () => {
    const { app, world, tasks, of } = canvasWorld();
    const { echo, tell, list } = tasks;
    const lost = unsendable(echo.s().set({ taskId: 'unsent' }).linkError(tell.s()));
    const whole = chain(echo.s(1), lost, group(echo.s(), echo.s()) as never, list.s() as never);
    const result = await send(whole);
    await world.drain();
    await expectEnded(world, whole, result);
    await expect(app.result('unsent').get()).rejects.toMatchObject({ name: 'InvalidOption' });
    await expect(result.get()).rejects.toMatchObject({ name: 'InvalidOption' });
    expect(of('tell').map((run) => run.args)).toEqual([['unsent']]);
  });

  it('cannot be read: a malformed composite from elsewhere fails, it does not loop', async () => {
    const { app, world, tasks } = canvasWorld();
    const malformed = signature('celery.chord', { subtaskType: 'chord', options: { task_id: 'bodiless' } });
    const result = await send(tasks.echo.s(1).link(malformed));
    await world.drain();
    expect(await result.get()).toBe(1);
    await expect(app.result('bodiless').get({ timeout: 0 })).rejects.toMatchObject({ name: 'InvalidSignature' });
    expect(world.broker.nextVisibleMs()).toBeUndefined();
  });
});

describe('a body that cannot run', () => {
  it('cannot be sent: FAILURE, its error links run, the chord around it resolves', async () => {
    const { world, tasks, of } = canvasWorld();
    const { echo, list, tell } = tasks;
    const body = unsendable(list.s().linkError(tell.s()));
    const whole = chord([chord([echo.s(1)] as never, body), echo.s(2)] as never, list.s('outer'));
    const result = await send(whole);
    await world.drain();
    await expectEnded(world, whole, result);
    await expect(result.get()).rejects.toMatchObject({ name: 'ChordError', message: /InvalidOption/ });
    expect(of('tell').length).toBe(1);
  });

  it('is revoked while its header runs', async () => {
    const { world, tasks, of } = canvasWorld();
    const { echo, list } = tasks;
    const whole = chord([chord([echo.s(1).set({ countdown: 60 })] as never, list.s()), echo.s(2)] as never, list.s(), {
      policy: 'settled',
    });
    const result = await send(whole);
    const inner = (result.parent as GroupResult).results[0];
    expect(await inner?.revoke()).toBe('REVOKED');
    await world.drain();
    await expectEnded(world, whole, result);
    expect(await result.get()).toMatchObject([[{ status: 'REVOKED' }, { status: 'SUCCESS', value: 2 }]]);
    expect(of('list').length).toBe(1);
  });
});

it('a producer that names a queue that is not there sends nothing of the whole tree', async () => {
  const { world, tasks } = canvasWorld();
  const members = Array.from({ length: 30 }, (_, index) => tasks.echo.s(index));
  const whole = chord([...members, tasks.echo.s(1).set({ queue: 'nowhere' })] as never, tasks.list.s());
  await expect(send(whole)).rejects.toMatchObject({ name: 'QueueNotFound' });
  expect(world.broker.nextVisibleMs()).toBeUndefined();
  expect(world.timers.nextDueMs()).toBeUndefined();
});
