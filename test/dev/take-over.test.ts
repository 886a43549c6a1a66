/** Claims of processes that are gone, where one process works at a time. */
import { expect, it } from 'vitest';

import { SoleWorker } from '../../lib/dev/take-over.ts';
import { MemoryBackend } from '../../lib/memory/index.ts';
import { MemoryRules } from '../../lib/memory/memory-rules.ts';
import type { BeatManifest } from '../../lib/options/manifest.ts';
import { crontab } from 'celeriac';
import { ManualClock } from 'celeriac/testing';

const NOW = 1_900_000_000_000;
const claimOf = (owner: string, id = 'task') => ({
  id,
  attempt: 0,
  owner,
  nowMs: NOW,
  leaseMs: NOW + 900_000,
  name: 'add',
  queue: 'default',
  meta: '{}',
  expiresAtSeconds: NOW / 1000 + 86_400,
});
const commitOf = (owner: string) => ({
  id: 'task',
  attempt: 0,
  owner,
  nowMs: NOW,
  status: 'SUCCESS',
  final: true,
  meta: '{}',
  expiresAtSeconds: NOW / 1000 + 86_400,
});

it('what a killed process held is taken at once, and counts as a delivery that was lost', async () => {
  const store = new MemoryBackend();
  await new SoleWorker(store).backend().claim([claimOf('killed')]);
  const next = new SoleWorker(store).backend();
  expect(await next.claim([claimOf('next')])).toEqual([{ kind: 'claimed', deliveries: 2, requeues: 0 }]);
  expect(await next.commit([commitOf('killed')])).toEqual([false]);
  expect(await next.commit([commitOf('next')])).toEqual([true]);
});

it('what a process hands back does not count as lost', async () => {
  const store = new MemoryBackend();
  const first = new SoleWorker(store);
  await first.backend().claim([claimOf('first'), claimOf('other', 'other')]);
  expect(await first.backend().commit([{ ...commitOf('other'), id: 'other' }])).toEqual([true]);
  expect(await first.handBack()).toBe(1);
  const next = new SoleWorker(store).backend();
  expect(await next.claim([claimOf('next')])).toEqual([{ kind: 'claimed', deliveries: 2, requeues: 1 }]);
});

it('what this process runs is left to it', async () => {
  const backend = new SoleWorker(new MemoryBackend()).backend();
  await backend.claim([claimOf('running')]);
  expect(await backend.claim([claimOf('twice')])).toMatchObject([{ kind: 'busy' }]);
  expect(await backend.commit([commitOf('running')])).toEqual([true]);
});

it('rules go on where they were: switched off stays off, and no firing is lost in a restart', async () => {
  const clock = new ManualClock(NOW);
  const entry: BeatManifest = {
    name: 'each',
    task: 'add',
    queue: 'default',
    schedule: crontab(),
    enabled: true,
    firedBy: 'rule',
    reason: '',
    expression: 'cron(* * * * ? *)',
    template: '<time>',
  };
  const first = new MemoryRules(clock);
  first.deploy([entry, { ...entry, name: 'off' }]);
  await first.setEnabled('off', false);
  const kept = first.keep();
  clock.moveTo((first.nextFireMs() ?? 0) + 2000);
  const second = new MemoryRules(clock, JSON.parse(JSON.stringify(kept)) as typeof kept);
  second.deploy([entry, { ...entry, name: 'off' }]);
  expect(await second.isEnabled('off')).toBe(false);
  expect(second.fire()).toHaveLength(1);
  // After hours nothing is made up for.
  clock.moveTo(clock.nowMs() + 7_200_000);
  const third = new MemoryRules(clock, second.keep());
  third.deploy([entry]);
  expect(third.fire()).toEqual([]);
  // What is declared in another way begins anew.
  const changed = new MemoryRules(clock, kept);
  changed.deploy([{ ...entry, name: 'off', template: '<time> ' }]);
  expect(await changed.isEnabled('off')).toBe(true);
});
