/** Where a task stands in its tree, as it sees it and as results show it: stamps, parents, roots, children. */
import { type AsyncResult, chain, group } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { canvasWorld, expectEnded, isGroup, send, unordered } from '../support/canvas-world.ts';

describe('stamps', () => {
  it('are seen by every descendant, whoever sent it; its own stand beside them', async () => {
    const { world, tasks, runs } = canvasWorld();
    const { echo, fail, flaky, list, tell } = tasks;
    const whole = chain(
      echo.s(1).link(chain(tell.s('link'), tell.si('link')) as never),
      group(flaky.s(), chain(echo.s(), echo.s().stamp({ own: 'x' }))) as never,
      list.s() as never,
      fail.si().linkError(tell.s('error')) as never,
    );
    await send((whole as unknown as ReturnType<typeof echo.s>).stamp({ tenant: 'a', own: 'y' }));
    await world.drain();
    const stamps = runs.map(({ request }) => request.stamps);
    expect(stamps.length).toBe(11);
    expect(stamps.every((each) => each['tenant'] === 'a')).toBe(true);
    expect(stamps.filter((each) => each['own'] === 'x')).toEqual([]);
    expect(stamps.every((each) => each['own'] === 'y')).toBe(true);
  });

  it('of a task are inherited by what follows from it, which may add to them', async () => {
    const { world, tasks, of } = canvasWorld();
    const { echo, tell } = tasks;
    await send(
      echo
        .s(1)
        .stamp({ tenant: 'a' })
        .link(tell.s('plain'))
        .link(tell.s('added').stamp({ step: 2 })),
    );
    await world.drain();
    expect(of('tell').map(({ args, request }) => [args[1], request.stamps])).toEqual([
      ['plain', { tenant: 'a' }],
      ['added', { tenant: 'a', step: 2 }],
    ]);
  });
});

describe('where a task stands', () => {
  it('along a chain: each has the one before for its parent, and all the first for their root', async () => {
    const { world, tasks, runs } = canvasWorld();
    const { echo, list, tell } = tasks;
    const whole = chain(
      echo.s(1).link(tell.s()),
      group(echo.s(), list.s()) as never,
      list.s() as never,
      echo.s() as never,
    );
    const result = await send(whole);
    await world.drain();
    await expectEnded(world, whole, result);
    const [first] = runs;
    expect(new Set(runs.map(({ request }) => request.rootId))).toEqual(new Set([first?.request.id]));
    expect(first?.request.parentId).toBe(null);
    const parents = (name: string): unknown[] =>
      runs.filter((run) => run.name === name).map(({ request }) => request.parentId);
    expect(parents('tell')).toEqual([first?.request.id]);
    const [, member] = runs.filter((run) => run.name === 'echo');
    const [beside, body] = runs.filter((run) => run.name === 'list');
    expect([member?.request.parentId, beside?.request.parentId]).toEqual([first?.request.id, first?.request.id]);
    expect([member?.request.groupIndex, beside?.request.groupIndex]).toEqual([0, 1]);
    expect(member?.request.groupId).toBe(beside?.request.groupId);
    expect([member?.request.id, beside?.request.id]).toContain(body?.request.parentId);
    expect(runs.at(-1)?.request.parentId).toBe(body?.request.id);
    expect(runs.at(-1)?.request.id).toBe(result.id);
  });

  it('results lead back: steps, headers, and the steps before them', async () => {
    const { world, tasks, of } = canvasWorld();
    const { echo, list } = tasks;
    const result = await send(
      chain(
        echo.s(1),
        group(echo.s(), echo.s()) as never,
        chain(list.s(), list.s()) as never,
        group(echo.s(), echo.s()) as never,
      ),
    );
    await world.drain();
    const [first, left, right, ...ends] = of('echo').map(({ request }) => request.id);
    const path: unknown[] = [];
    for (let at: unknown = result; at !== undefined; at = (at as { readonly parent?: unknown }).parent)
      path.push(isGroup(at) ? unordered(at.memberIds) : (at as AsyncResult).id);
    const lists = of('list').map(({ request }) => request.id);
    expect(path).toEqual([unordered(ends), lists[1], lists[0], unordered([left, right]), first]);
  });

  it('what it has sent is in its result: links, the next step, error links, and what it sent itself', async () => {
    const { app, world, tasks, of } = canvasWorld();
    const { echo, fail, tell, list } = tasks;
    const sender = app.task('sender', async (): Promise<void> => {
      await echo.delay(1);
      await send(group(echo.s(2), echo.s(3)));
    });
    const idsOf = async (id: string): Promise<string[]> =>
      unordered((await app.result(id).children()).map((child) => child.id));
    const runIds = (name: string): string[] => unordered(of(name).map(({ request }) => request.id));
    const sent = await sender.delay();
    await world.drain();
    expect(await idsOf(sent.id)).toEqual(runIds('echo'));
    for (const { request } of of('echo')) expect([request.parentId, request.rootId]).toEqual([sent.id, sent.id]);
    const last = await send(chain(list.s(1).set({ taskId: 'first' }).link(tell.s()), list.s()));
    const failed = await send(fail.s().linkError(tell.s('error')));
    await world.drain();
    const told = (error: boolean): (string | undefined)[] =>
      of('tell')
        .filter(({ args }) => (args[1] === 'error') === error)
        .map(({ request }) => request.id);
    expect(await idsOf('first')).toEqual(unordered([...told(false), last.id]));
    expect(await idsOf(failed.id)).toEqual(unordered(told(true)));
  });
});
