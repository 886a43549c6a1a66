/** Tasks of this package that send trees: a throttle or a lost answer is no reason to send a tree no more. */
import { group } from 'celeriac';
import type { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

import { canvasWorld, send } from '../support/canvas-world.ts';
import { crashingPorts, newCommitLog } from '../support/canvas-crash.ts';

/** Calls of workers that fail before one succeeds. */
function failing(world: World, port: 'groups' | 'broker', call: string, times: number, error: Error): () => number {
  const target = world[port] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const run = target[call]?.bind(target);
  let failures = 0;
  target[call] = (...args) => {
    if (!world.faults.inInvocation || failures >= times) return run?.(...args) ?? Promise.resolve();
    failures += 1;
    return Promise.reject(error);
  };
  return () => failures;
}

const throttled = (): Error => Object.assign(new Error('slow down'), { name: 'ThrottlingException' });

it.each([1, 30])('a tree torn by its sender is repaired, though the repair is throttled %i times', async (times) => {
  const { app, world, tasks, of } = canvasWorld();
  app.use(crashingPorts(world.ports, { call: 4, when: 'before' }, newCommitLog()));
  void send(group(Array.from({ length: 25 }, (_, index) => tasks.echo.s(index))));
  for (let turn = 0; turn < 20; turn += 1) await world.clock.nextTurn();
  app.use(world.ports);
  const failures = failing(world, 'groups', 'definition', times, throttled());
  await world.drain();
  expect(failures()).toBe(times);
  expect(of('echo').length).toBe(25);
});

it('a tree torn by its sender is repaired, though a call of the repair never answers', async () => {
  const { app, world, tasks, of } = canvasWorld();
  app.use(crashingPorts(world.ports, { call: 4, when: 'before' }, newCommitLog()));
  void send(group(Array.from({ length: 25 }, (_, index) => tasks.echo.s(index))));
  for (let turn = 0; turn < 20; turn += 1) await world.clock.nextTurn();
  app.use(world.ports);
  const definition = world.groups.definition.bind(world.groups);
  let calls = 0;
  world.groups.definition = (...args) => {
    if (!world.faults.inInvocation) return definition(...args);
    calls += 1;
    return calls === 1 ? new Promise(() => {}) : definition(...args);
  };
  await world.drain();
  expect(calls).toBeGreaterThan(1);
  expect(of('echo').length).toBe(25);
});

it('a tree that came as one message is sent, though its sending is throttled', async () => {
  const { world, of } = canvasWorld();
  const member = (value: number): object => ({
    task: 'echo',
    args: [value],
    kwargs: {},
    options: {},
    subtask_type: null,
    immutable: false,
  });
  const body = Buffer.from(JSON.stringify([[], { tasks: [member(1), member(2)] }, {}])).toString('base64');
  const headers = { task: 'celery.group', id: 'whole' };
  const message = { body, 'content-type': 'application/json', 'content-encoding': 'utf-8', headers, properties: {} };
  await world.broker.send([{ queue: 'default', body: JSON.stringify(message) }]);
  // More often than the publish policy tries.
  const failures = failing(world, 'broker', 'send', 6, throttled());
  await world.drain();
  expect(failures()).toBe(6);
  expect(of('echo').map(({ args }) => args)).toEqual([[1], [2]]);
});
