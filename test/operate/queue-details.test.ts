/** What a list of queues tells beside counts, who may not ask for all of it, and queues of which records do not agree. */
import { describe, expect, it } from 'vitest';

import { MemorySlots } from '../../lib/memory/index.ts';
import { type DetailSources, mismatchOf, queueDetails } from '../../lib/operate/queue-details.ts';
import type { QueueStatus } from '../../lib/operate/queue-list.ts';
import type { EventSourceState } from '../../lib/ports/event-sources.ts';
import { slotsKey } from '../../lib/ports/slot-keys.ts';

const NOW = 1_900_000_000_000;
const COUNTS = { ready: 1, inFlight: 0, delayed: 0 };
const environment = {
  queues: { mail: 'http://h/0/shop-mail', 'mail-p5': 'http://h/0/shop-mail-p5', orders: 'http://h/0/shop-orders' },
  lanes: { mail: { priorities: [0, 5] } },
};
const running = (queue: string): QueueStatus => ({ queue, ...COUNTS, state: 'running' });
const paused = (queue: string): QueueStatus => ({
  queue,
  ...COUNTS,
  state: 'paused',
  paused: { by: 'ada', since: new Date(NOW - 1000) },
});

function sources(states: Readonly<Record<string, EventSourceState | undefined>>): DetailSources {
  return {
    environment,
    nowMs: NOW,
    eventSources: {
      ids: () => Promise.resolve(Object.fromEntries(Object.keys(states).map((queue) => [queue, `id of ${queue}`]))),
      state: (id) => Promise.resolve(states[id.slice('id of '.length)]),
    },
  };
}

describe('queue details', () => {
  it('ages, who waits for slots, and what feeds the workers', async () => {
    const slots = new MemorySlots();
    const wake = { kind: 'send', message: { queue: 'orders', body: '' } } as const;
    await slots.park(slotsKey('work#DE'), [{ sinceMs: NOW, holder: 'a#0', token: 't', wake, grants: 0 }], NOW);
    const ages: Readonly<Record<string, number>> = { 'http://h/0/shop-mail': 3.6 };
    const { queues, unknown, parkedMore } = await queueDetails([running('mail'), running('orders')], {
      ...sources({ mail: 'on', orders: 'changing' }),
      oldestSeconds: (url) => Promise.resolve(ages[url]),
      slots,
    });
    expect(queues).toEqual([
      { ...running('mail'), oldestSeconds: 4, parked: 0, eventSource: 'on' },
      { ...running('orders'), parked: 1, eventSource: 'changing' },
    ]);
    expect([unknown, parkedMore]).toEqual([[], false]);
  });

  it('tells where the pause record and the event source do not agree, lane by lane, and the way out', async () => {
    const list = [paused('mail'), paused('mail-p5'), running('orders')];
    const { queues } = await queueDetails(list, sources({ mail: 'off', 'mail-p5': 'on', orders: 'off' }));
    expect(queues.map(({ queue, mismatch, advice }) => [queue, mismatch, advice])).toEqual([
      ['mail', undefined, undefined],
      ['mail-p5', 'paused but fed', expect.stringContaining('celeriac pause mail')],
      ['orders', 'not fed and not paused', expect.stringContaining('celeriac resume orders')],
    ]);
  });

  it('what is being switched, is gone or is not asked for agrees with everything', () => {
    for (const state of ['running', 'paused', 'external'] as const)
      for (const eventSource of ['changing', undefined] as const)
        expect(mismatchOf({ state }, eventSource, 'mail')).toEqual({});
    expect(mismatchOf({ state: 'running' }, 'on', 'mail')).toEqual({});
    expect(mismatchOf({ state: 'paused' }, 'off', 'mail')).toEqual({});
    expect(mismatchOf({ state: 'external' }, 'off', 'mail')).toEqual({});
  });

  it('whoever may not ask for one thing is shown the others, and told', async () => {
    const denied = (): Promise<never> => Promise.reject(new Error('AccessDenied: no'));
    const { queues, unknown } = await queueDetails([running('mail')], {
      ...sources({ mail: 'on' }),
      oldestSeconds: denied,
      slots: Object.assign(new MemorySlots(), { lines: denied }),
    });
    expect(queues).toEqual([{ ...running('mail'), eventSource: 'on' }]);
    expect(unknown.map(({ what, error }) => [what, error])).toEqual([
      ['oldest', expect.stringContaining('AccessDenied')],
      ['parked', expect.stringContaining('AccessDenied')],
    ]);
  });
});
