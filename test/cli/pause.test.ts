/** Pausing a queue, without a terminal: event sources that take their time, lanes, refusals, and a world whose workers stop. */
import { Celeriac, OperationalError } from 'celeriac';
import { ManualClock, World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { MemoryPauses } from '../../lib/memory/index.ts';
import { type PauseParts, pauseQueue, resumeQueue } from '../../lib/operate/pause.ts';
import type { EventSources, EventSourceState } from '../../lib/ports/event-sources.ts';

const NOW_MS = 1_900_000_000_000;
const ADA = { by: 'ada' };

/** Mappings that are switched after some seconds, as Lambda's. */
class SlowSources implements EventSources {
  readonly calls: string[] = [];
  readonly #clock: ManualClock;
  readonly #takesMs: number;
  readonly #ids: Readonly<Record<string, string>>;
  readonly #switched = new Map<string, { readonly enabled: boolean; readonly atMs: number }>();

  constructor(clock: ManualClock, takesMs: number, ids: Readonly<Record<string, string>>) {
    this.#clock = clock;
    this.#takesMs = takesMs;
    this.#ids = ids;
  }

  ids(): Promise<Readonly<Record<string, string>>> {
    return Promise.resolve(this.#ids);
  }

  state(id: string): Promise<EventSourceState | undefined> {
    if (id === 'gone') return Promise.resolve(undefined);
    const { enabled, atMs } = this.#switched.get(id) ?? { enabled: true, atMs: -Infinity };
    if (this.#clock.nowMs() < atMs + this.#takesMs) return Promise.resolve('changing');
    return Promise.resolve(enabled ? 'on' : 'off');
  }

  set(id: string, enabled: boolean): Promise<boolean> {
    this.calls.push(`${id} ${enabled ? 'on' : 'off'}`);
    if (id === 'gone') return Promise.resolve(false);
    const { atMs } = this.#switched.get(id) ?? { atMs: -Infinity };
    if (this.#clock.nowMs() < atMs + this.#takesMs)
      return Promise.reject(new OperationalError('ResourceInUseException'));
    this.#switched.set(id, { enabled, atMs: this.#clock.nowMs() });
    return Promise.resolve(true);
  }
}

interface Given {
  readonly parts: PauseParts;
  readonly sources: SlowSources;
  readonly pauses: MemoryPauses;
}

function given(
  takesMs: number,
  ids: Readonly<Record<string, string>> = { mail: 'm', 'mail-p5': 'm5', default: 'd' },
): Given {
  const clock = new ManualClock(NOW_MS);
  // Whoever waits moves time.
  clock.onSleep = (ms) => {
    clock.moveTo(clock.nowMs() + ms);
    return Promise.resolve();
  };
  const sources = new SlowSources(clock, takesMs, ids);
  const pauses = new MemoryPauses();
  const queues = { default: 'u', mail: 'u', 'mail-p5': 'u', celery: 'u' };
  const environment = { queues, externalQueues: ['celery'], lanes: { mail: { priorities: [0, 5] } } };
  return { parts: { environment, pauses, clock, sources }, sources, pauses };
}

describe('pauseQueue', () => {
  it('switches off what feeds the queue and its lanes, and waits until it is', async () => {
    const { parts, sources, pauses } = given(5000);
    expect(await pauseQueue('mail', { by: 'ada', why: 'relay' }, parts)).toEqual({
      queue: 'mail',
      sinceMs: NOW_MS,
      by: 'ada',
      why: 'relay',
      eventSources: ['m', 'm5'],
      eventSource: 'off',
    });
    expect(sources.calls).toEqual(['m off', 'm5 off']);
    expect(pauses.has('mail')).toBe(true);
  });

  it('one that takes too long is told of', async () => {
    const { parts } = given(600_000);
    expect(await pauseQueue('default', ADA, parts)).toMatchObject({ eventSource: 'changing' });
  });

  it('one that somebody has deleted is passed over', async () => {
    const { parts } = given(0, { default: 'gone' });
    expect(await pauseQueue('default', ADA, parts)).toMatchObject({ eventSource: 'off' });
  });

  it('the second who pauses learns of the first, and ends what that one has begun', async () => {
    const { parts, sources, pauses } = given(0);
    await pauses.put({ queue: 'default', sinceMs: 1, by: 'ada', eventSources: ['d'] });
    expect(await pauseQueue('default', { by: 'bob' }, parts)).toMatchObject({ by: 'ada', eventSource: 'off' });
    expect(sources.calls).toEqual(['d off']);
  });

  it.each([
    ['mial', "There is no queue 'mial'. Did you mean 'mail'?"],
    ['celery', 'has its workers elsewhere'],
    ['mail-p5', "is a lane of 'mail'"],
  ])('%s is refused', async (queue, message) => {
    const { parts, sources } = given(0);
    await expect(pauseQueue(queue, ADA, parts)).rejects.toThrow(message);
    await expect(resumeQueue(queue, parts)).rejects.toThrow(message);
    expect(sources.calls).toEqual([]);
  });
});

describe('resumeQueue', () => {
  it('switches on what was switched off, also under ids of before a deployment', async () => {
    const { parts, sources, pauses } = given(0);
    await pauses.put({ queue: 'default', sinceMs: 1, by: 'ada', eventSources: ['old'] });
    expect(await resumeQueue('default', parts)).toMatchObject({ by: 'ada' });
    expect(sources.calls).toEqual(['d on', 'old on']);
    expect(pauses.has('default')).toBe(false);
  });

  it('what is still being switched off is waited for, since Lambda refuses it', async () => {
    const { parts, sources } = given(5000);
    const pausing = pauseQueue('default', ADA, parts);
    await expect.poll(() => sources.calls).toEqual(['d off']);
    await resumeQueue('default', parts);
    await pausing;
    expect(sources.calls).toEqual(['d off', 'd on']);
  });

  it('a queue whose event source somebody has switched off by hand goes on, too', async () => {
    const { parts, sources } = given(0);
    expect(await resumeQueue('default', parts)).toBeUndefined();
    expect(sources.calls).toEqual(['d on']);
  });
});

it('in a world a paused queue keeps its tasks, and others go on', async () => {
  const ran: string[] = [];
  const app = new Celeriac('pausing', { queues: { default: {}, mail: { priorities: [0, 5] } } });
  const send = app.task('send', (what: string) => void ran.push(what));
  const world = new World(app);
  const { pauses } = await app.ports();
  await pauses?.put({ queue: 'mail', sinceMs: 0, by: 'ada' });
  await send.applyAsync(['later'], { queue: 'mail' });
  await send.applyAsync(['later, urgent'], { queue: 'mail', priority: 0 });
  await send.applyAsync(['now'], {});
  await world.advance('2d');
  expect(ran).toEqual(['now']);
  await pauses?.remove('mail');
  await world.run();
  expect(ran.toSorted()).toEqual(['later', 'later, urgent', 'now']);
});
