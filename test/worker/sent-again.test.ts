/**
 * A delivery that comes again after its outcome was settled sends what follows again, which does no harm where that has an
 * owner. In a tree whose ids nobody gave it leaves out what has begun: copies would multiply step by step.
 */
import { Celeriac, chain, type OutgoingMessage } from 'celeriac';
import type { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { signature } from '../../lib/wire/signature.ts';
import { deliver, envelope, ID, START_MS } from '../support/one-delivery.ts';
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

const claimOf = (id: string, attempt = 0) => ({
  id,
  attempt,
  owner: 'worker',
  nowMs: START_MS,
  leaseMs: START_MS + 1000,
  name: 'job',
  queue: 'default',
  meta: '{"status":"STARTED"}',
  expiresAtSeconds: START_MS / 1000 + 86_400,
});
const endOf = (id: string) => ({
  ...claimOf(id),
  status: 'SUCCESS',
  final: true,
  meta: '{"status":"SUCCESS","result":1}',
});

it.each<[string, ((world: World) => unknown) | undefined, boolean]>([
  ['nothing', undefined, true],
  ['that a worker has it', (world) => world.backend.claim([claimOf('child')]), false],
  [
    'that it has ended',
    async (world) => [await world.backend.claim([claimOf('child')]), await world.backend.commit([endOf('child')])],
    false,
  ],
  [
    'that it was revoked before it began',
    (world) => world.backend.revoke({ ...claimOf('child'), meta: '{"status":"REVOKED"}' }),
    true,
  ],
  [
    'that it was ended without a run',
    (world) => world.backend.conclude([{ ...claimOf('child'), status: 'FAILURE' }]),
    true,
  ],
  [
    "what Celery's worker stores",
    (world) => {
      const get = world.backend.get.bind(world.backend);
      world.backend.get = async (ids, nowMs) =>
        ids.includes('child')
          ? [{ id: 'child', status: 'STARTED', meta: '{"status":"STARTED"}' }]
          : await get(ids, nowMs);
    },
    false,
  ],
  [
    'an item without a word',
    (world) => {
      const get = world.backend.get.bind(world.backend);
      world.backend.get = async (ids, nowMs) =>
        ids.includes('child') ? [{ id: 'child', status: 'PENDING' }] : await get(ids, nowMs);
    },
    true,
  ],
])('of what follows is stored %s', async (_what, prepare, again) => {
  const app = new Celeriac('again');
  app.task('job', () => 1);
  const link = { ...signature('job'), options: { task_id: 'child' } };
  const { sent, acked } = await deliver({
    app,
    body: envelope({ celeriac: { fresh: true } }, [], { callbacks: [link], errbacks: null, chain: null, chord: null }),
    prepare: async (world) => {
      await world.backend.claim([claimOf(ID)]);
      await world.backend.commit([endOf(ID)]);
      await prepare?.(world);
    },
  });
  expect([sent.map(({ message }) => message.id), acked]).toEqual([again ? ['child'] : [], true]);
});
