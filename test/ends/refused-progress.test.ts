/** What only helps is done without: a refusal of the notes of a long list, or of a read, keeps nothing from ending. */
import { Celeriac, chain, group } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

import { CANVAS_WINDOW_MESSAGES } from '../../lib/base/limits.ts';
import { tapped } from '../support/port-taps.ts';

const refusal = (): Error =>
  Object.assign(new Error('no right to it'), { name: 'AccessDeniedException', $fault: 'client' });

/** Ten windows: how far they have come is noted on the way. */
const MANY = 10 * CANVAS_WINDOW_MESSAGES;

it.each(['groups.definition', 'groups.define', 'groups.forget'])(
  'a long list is sent whole where %s is refused for good',
  async (refused) => {
    const app = new Celeriac('many');
    const first = app.task('first', () => 1);
    const one = app.task('one', (given: number) => given);
    let refusals = 0;
    const world = new World(app, {
      wrapPorts: (ports) =>
        tapped(
          ports,
          (call, go) => {
            if (call !== refused) return go();
            refusals += 1;
            return Promise.reject(refusal());
          },
          ['groups'],
        ),
    });
    // Nobody has to run them: that they wait says that they were sent.
    await chain(first.s(), group(Array.from({ length: MANY }, () => one.s().set({ countdown: 600 }))) as never).delay();
    await world.run();
    expect(refusals).toBeGreaterThan(0);
    expect(world.broker.depth('default')).toEqual({ visible: 0, delayed: MANY, inFlight: 0 });
    expect(world.deadLetters()).toEqual([]);
  },
);

it('a task whose claims and reads are refused for good has its state and its dead letter', async () => {
  const app = new Celeriac('unreadable');
  const task = app.task('task', () => 1);
  const world = new World(app, {
    wrapPorts: (ports) =>
      tapped(
        ports,
        (call, go) => (call === 'backend.claim' || call === 'backend.get' ? Promise.reject(refusal()) : go()),
        ['backend'],
      ),
  });
  const result = await task.delay();
  await world.drain();
  expect(await result.state()).toBe('FAILURE');
  expect(world.deadLetters().map(({ attributes }) => attributes['reason'])).toEqual(['cannot be handled']);
});

it('acksLate: false: a task whose outcome is refused for good runs once, also where its end is not written down at once', async () => {
  const app = new Celeriac('once');
  let [runs, concluded] = [0, 0];
  const task = app.task('task', { acksLate: false }, () => void (runs += 1));
  const world = new World(app, {
    wrapPorts: (ports) =>
      tapped(
        ports,
        (call, go) => {
          if (call === 'backend.commit') return Promise.reject(refusal());
          if (call !== 'backend.conclude' || (concluded += 1) > 1) return go();
          return Promise.reject(Object.assign(new Error('busy'), { name: 'ThrottlingException' }));
        },
        ['backend'],
      ),
  });
  const result = await task.delay();
  await world.drain();
  expect(runs).toBe(1);
  expect(concluded).toBeGreaterThan(1);
  expect(await result.state()).toBe('FAILURE');
  await expect(result.get({ timeout: 1 })).rejects.toMatchObject({ name: 'AccessDeniedException' });
});
