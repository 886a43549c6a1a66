/**
 * Known bugs of Celery's chords, and of counting in general, each as what must not happen here. Numbers without a
 * repository are issues of celery/celery.
 */
import { chain, chord, currentTask, group, type GroupResult, signature } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { crashingPorts, newCommitLog, delayAndCopy } from '../support/canvas-crash.ts';
import { canvasWorld, expectEnded, send } from '../support/canvas-world.ts';
import { newWorld } from '../support/worlds.ts';

describe('a header member counted twice', () => {
  it('by a redelivery: the count reached the size early and the body got a ChordError (backends that increment, PR 8783)', async () => {
    const { world, tasks, of } = canvasWorld();
    let doubled = 0;
    delayAndCopy(world, ({ body }) => {
      const first = Buffer.from(body, 'base64').toString().includes('"first"');
      doubled += first ? 1 : 0;
      return { delaySeconds: 0, copies: first ? [30, 60, 90] : [] };
    });
    const header = [tasks.echo.s(1).set({ taskId: 'first' }), tasks.echo.s(2).set({ countdown: 600 }), tasks.echo.s(3)];
    const whole = chord(header, tasks.list.s());
    const result = await send(whole);
    await world.advance('5m');
    expect(doubled).toBe(1);
    expect(of('list')).toEqual([]);
    await world.drain();
    expect(await result.get()).toEqual([[1, 2, 3]]);
    expect(of('echo').length).toBe(3);
    expect(of('list').length).toBe(1);
  });

  it('by a soft time limit that the task caught and returned from: the chord returned too early (4412)', async () => {
    const { world, tasks } = newWorld((app) => ({
      slow: app.task('slow', { bind: true, softTimeLimit: 1 }, async (self): Promise<number> => {
        await world.clock.sleep(2000, self.signal);
        return self.signal.aborted ? 1 : 2;
      }),
      late: app.task('late', () => 3),
      list: app.task('list', (values: number[]) => values),
    }));
    const result = await chord([tasks.slow.s(), tasks.late.s().set({ countdown: 60 })], tasks.list.s()).delay();
    await world.advance('30s');
    expect(await result.ready()).toBe(false);
    await world.drain();
    expect(await result.get()).toEqual([1, 3]);
  });

  it('by one that comes after the body ran: the group was gone, and the body became a failure (DynamoDB backend)', async () => {
    const { app, world, tasks, of } = canvasWorld();
    delayAndCopy(world, () => ({ delaySeconds: 0, copies: [120] }));
    const result = await send(chord([tasks.echo.s(1), tasks.echo.s(2)], tasks.list.s()));
    await world.run();
    expect(await result.get()).toEqual([[1, 2]]);
    await world.drain();
    expect(await app.result(result.id).get()).toEqual([[1, 2]]);
    expect(of('list').length).toBe(1);
  });
});

describe('a header member that is never counted', () => {
  it('since its worker died between counting and calling the body: the callback was lost (django-celery-results PR 397)', async () => {
    const log = newCommitLog();
    const crash = { call: 0, when: 'after' as const };
    const { world, tasks, of } = canvasWorld({}, { wrapPorts: (ports) => crashingPorts(ports, crash, log) });
    const sig = (): Parameters<typeof send>[0] => chord([tasks.echo.s(1), tasks.echo.s(2)], tasks.list.s());
    await send(sig());
    await world.drain();
    Object.assign(crash, { call: log.calls.length + log.calls.indexOf('groups.mark') + 1 });
    const result = await send(sig());
    await world.drain();
    expect(log.crashed).toBe(true);
    expect(await result.get()).toEqual([[1, 2]]);
    expect(of('list').length).toBe(2);
  });

  it('since its process was killed: link_error and the chord waited for ever (2911)', async () => {
    const log = newCommitLog();
    const kill = canvasWorld({}, { wrapPorts: (ports) => crashingPorts(ports, { call: 2, when: 'before' }, log) });
    const result = await send(chord([kill.tasks.echo.s(1)], kill.tasks.list.s()));
    await kill.world.drain();
    expect(log.crashed).toBe(true);
    expect(await result.get()).toEqual([[1]]);
  });

  it.each([
    ['stores no result', 'silent', 'SUCCESS'],
    ['raises Ignore', 'ignore', 'FAILURE'],
    ['raises Reject', 'reject', 'FAILURE'],
    ['is retried (1401)', 'flaky', 'SUCCESS'],
  ] as const)('since it %s: the chord waited for ever', async (_name, name, state) => {
    const { world, tasks } = canvasWorld();
    const whole = chord([tasks.echo.s(1), tasks[name].s(2)], tasks.list.s());
    const result = await send(whole);
    await world.drain();
    await expectEnded(world, whole, result);
    if (state === 'SUCCESS') expect(await result.get()).toEqual([[1, 2]]);
    else await expect(result.get()).rejects.toMatchObject({ name: 'ChordError' });
  });

  it('since nobody knows its task: the chord waited for ever', async () => {
    const { world, tasks } = canvasWorld();
    const whole = chord([tasks.echo.s(1), signature('not.registered')], tasks.list.s());
    const result = await send(whole);
    const startMs = world.clock.nowMs();
    await world.drain();
    await expectEnded(world, whole, result);
    // A rolling deploy may bring it: it is waited for, but not for ever.
    expect((world.clock.nowMs() - startMs) / 60_000).toBeGreaterThan(20);
    expect((world.clock.nowMs() - startMs) / 60_000).toBeLessThan(30);
    await expect(result.get()).rejects.toMatchObject({ name: 'ChordError', message: /NotRegistered/ });
  });
});

describe('failures that nobody heard of', () => {
  it('a chain in a header failed before its last task, and the chord was not told (6220)', async () => {
    const { world, tasks, of } = canvasWorld();
    const { echo, fail, list, tell } = tasks;
    const header = [chain(fail.s(), echo.s(), echo.s()), echo.s(1)] as never;
    const result = await send(chord(header, list.s().linkError(tell.s())));
    await world.drain();
    await expect(result.get()).rejects.toMatchObject({ name: 'ChordError' });
    expect(of('tell').map((run) => run.args)).toEqual([[result.id]]);
  });

  it('a task failed in nested chains and groups, and chord_unlock came back for ever (2219, 6029, 9674)', async () => {
    const { world, tasks } = canvasWorld();
    const { echo, fail, list } = tasks;
    for (const whole of [
      chain(group(chain(echo.si(1), fail.si() as never, echo.si(2) as never)), echo.si(3) as never),
      chord([chain(fail.s(), group(echo.s(), echo.s()) as never, list.s() as never), echo.s(1)] as never, list.s()),
      chain(group(chain(echo.s(1), group(echo.s(), fail.s()) as never), echo.s(1)), list.s() as never),
    ]) {
      const result = await send(whole);
      await world.drain('1d');
      await expectEnded(world, whole, result);
      await expect(result.get()).rejects.toMatchObject({ name: 'ChordError' });
    }
  });

  it('a chord in a chain failed, and get() of the chain waited for ever (3743)', async () => {
    const { world, tasks } = canvasWorld();
    const { echo, fail, list } = tasks;
    const result = await send(
      chain(echo.s(1), group(echo.s(), fail.s()) as never, list.s() as never, echo.s() as never),
    );
    await world.drain();
    await expect(result.get({ timeout: 0 })).rejects.toMatchObject({ name: 'ChordError', message: /RangeError/ });
  });

  it('a step before a group failed, and the GroupResult waited for ever (4004); a chain in a group failed (3810)', async () => {
    const { world, tasks } = canvasWorld();
    const { echo, fail } = tasks;
    for (const whole of [chain(fail.s(), group(echo.s(), echo.s())), group(echo.s(1), chain(fail.s(), echo.s()))]) {
      const result = (await send(whole)) as GroupResult;
      await world.drain();
      await expect(result.join({ timeout: 0 })).rejects.toMatchObject({ name: 'RangeError' });
      expect(await result.ready()).toBe(true);
    }
  });

  it('the error links of an inner chord, and of the outer one, were not called (1988, 3317, 9107)', async () => {
    const { world, tasks, of } = canvasWorld();
    const { echo, fail, list, tell } = tasks;
    const inner = chord([fail.s(), echo.s(1)] as never, list.s()).linkError(tell.s('inner'));
    const result = await send(chord([inner, echo.s(2)] as never, list.s()).linkError(tell.s('outer')));
    await world.drain();
    expect(of('tell').map((run) => run.args[1])).toEqual(['inner', 'outer']);
    expect(of('tell')[1]?.args[0]).toBe(result.id);
  });

  it('a chord of chains, with failures allowed, waited for ever (1349); no way to run the body anyway (1881)', async () => {
    const { world, tasks } = canvasWorld();
    const { echo, fail, list } = tasks;
    const header = [chain(fail.s(), echo.s()), chain(echo.s(1), echo.s())] as never;
    const result = await send(chord(header, list.s(), { policy: 'settled' }));
    await world.drain();
    expect(await result.get()).toMatchObject([[{ status: 'FAILURE' }, { status: 'SUCCESS', value: 1 }]]);
  });
});

it('a sender was interrupted while it made the chord: chord_unlock looped for ever (1700)', async () => {
  const { app, world, tasks, of } = canvasWorld();
  const log = newCommitLog();
  app.use(crashingPorts(world.ports, { call: 4, when: 'after' }, log));
  const header = Array.from({ length: 25 }, (_, index) => tasks.echo.s(index));
  void send(chord(header, tasks.list.s()).set({ taskId: 'torn' }));
  for (let turn = 0; turn < 20; turn += 1) await world.clock.nextTurn();
  app.use(world.ports);
  await world.drain();
  expect(log.crashed).toBe(true);
  expect(await app.result('torn').get()).toEqual([Array.from({ length: 25 }, (_, index) => index)]);
  expect(of('echo').length).toBe(25);
  expect(of('list').length).toBe(1);
});

describe('what chords cost', () => {
  it('waiting sends nothing: there is no chord_unlock that comes back every second', async () => {
    const { world, tasks } = canvasWorld();
    await send(chord([tasks.echo.s(1), tasks.echo.s(2).set({ countdown: '6h' })], tasks.list.s()));
    await world.run();
    let sent = 0;
    delayAndCopy(world, () => ((sent += 1), { delaySeconds: 0, copies: [] }));
    await world.advance('5h');
    expect(sent).toBe(0);
  });

  it.each([2, 6, 25])(
    'chords in a chain: messages grew with each of them, to 1.4 GB for six (5000, 5286, 3571, 9202): %i chords',
    async (chords) => {
      const { world, tasks } = canvasWorld();
      const stage = [group(Array.from({ length: 10 }, () => tasks.echo.si(1))), tasks.list.si()];
      const sizes: number[] = [];
      delayAndCopy(world, ({ body }) => (sizes.push(body.length), { delaySeconds: 0, copies: [] }));
      const result = await send(chain(...(Array.from({ length: chords }, () => stage).flat() as never[])));
      await world.drain();
      expect(await result.get()).toEqual([]);
      // Each task is sent once, and says what comes after it once.
      expect(sizes.length).toBe(chords * 11);
      expect(Math.max(...sizes)).toBeLessThan(3000 + chords * 3000);
    },
  );

  it.each([0, 7, 400])(
    'a duplicate must not multiply down the tree: every message doubled, the copies %i s apart',
    async (apart) => {
      const { world, tasks, runs } = canvasWorld();
      const stage = [group(Array.from({ length: 10 }, () => tasks.echo.si(1))), tasks.list.si()];
      let [sent, copies] = [0, 0];
      delayAndCopy(world, () => ((sent += 1), { delaySeconds: 0, copies: [((copies += apart) % 900) + apart] }));
      const result = await send(chain(...(Array.from({ length: 5 }, () => stage).flat() as never[])));
      await world.drain();
      expect(await result.get()).toEqual([]);
      expect(runs.length).toBe(55);
      expect(sent).toBeLessThanOrEqual(2 * 55);
    },
  );
});

it('waiting for a group within a task starves workers: it is refused, not deadlocked', async () => {
  const { world, tasks } = newWorld((app) => ({
    waits: app.task('waits', async (how: 'join' | 'iterate'): Promise<unknown> => {
      const result = (await group(tasks.one.s().set({ countdown: 60 })).delay()) as GroupResult;
      expect(currentTask().request.children.length).toBe(1);
      return how === 'join' ? result.join() : result.iterate().next();
    }),
    one: app.task('one', () => 1),
  }));
  for (const how of ['join', 'iterate'] as const) {
    const result = await tasks.waits.delay(how);
    await world.run();
    await expect(result.get({ timeout: 0 })).rejects.toMatchObject({ name: 'WaitInsideTask' });
  }
});
