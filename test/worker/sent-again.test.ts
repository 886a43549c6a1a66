/**
 * A delivery that comes again after its outcome was settled sends what follows again, which does no harm where that has an
 * owner. In a tree whose ids nobody gave it leaves out what has begun: copies would multiply step by step.
 */
import { chain, type OutgoingMessage } from 'celeriac';
import { expect, it } from 'vitest';

import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { newWorld } from '../support/worlds.ts';

it.each<[string, { taskId?: string }, true | undefined, number]>([
  ['a tree of ours', {}, true, 1],
  ['a tree whose id a caller gave', { taskId: 'given' }, undefined, 2],
])('%s', async (_what, options, fresh, times) => {
  const runs: string[] = [];
  const { world, tasks } = newWorld((app) => app.task('step', (name: string) => void runs.push(name)));
  const sent: OutgoingMessage[] = [];
  const send = world.broker.send.bind(world.broker);
  world.broker.send = (items) => {
    sent.push(...items);
    return send(items);
  };
  await chain(tasks.si('one'), tasks.si('two'), tasks.si('three')).applyAsync([], options);
  await world.run();
  expect(runs).toEqual(['one', 'two', 'three']);
  const messages = sent.map(({ body }) => decodeMessage(body));
  // Each step says it, or the steps behind it could not.
  expect(messages.map(({ celeriac }) => celeriac['fresh'])).toEqual([fresh, fresh, fresh]);
  await send(sent.slice(1, 2));
  await world.run();
  expect(runs).toEqual(['one', 'two', 'three']);
  expect(sent.filter(({ body }) => decodeMessage(body).id === messages[2]?.id)).toHaveLength(times);
});
