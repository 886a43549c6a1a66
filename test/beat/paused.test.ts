/** What a sweep does about a paused queue: its timers stay, and what feeds its workers stays off, whoever switched it on. */
import { Celeriac, type Logger } from 'celeriac';
import { ManualClock, World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { MemoryPauses } from '../../lib/memory/index.ts';
import { keepPaused } from '../../lib/beat/paused.ts';
import { pauseQueue, resumeQueue } from '../../lib/operate/pause.ts';
import type { EventSources, EventSourceState } from '../../lib/ports/event-sources.ts';

const PAUSED = { sinceMs: 0, by: 'ada' };

function service() {
  const ran: string[] = [];
  const app = new Celeriac('held', {
    queues: { default: {}, mail: { priorities: [0, 5] }, orders: { fifo: true } },
    resultExpires: '90d',
  });
  const send = app.task('send', (what: string) => void ran.push(what));
  const world = new World(app);
  const { pauses } = world.ports;
  if (pauses === undefined) throw new Error('a world has pauses');
  return { app, send, world, pauses, ran };
}

describe('timers of a paused queue', () => {
  it('stay in the table for as long as it is paused, and are sent within a minute when it is resumed', async () => {
    const { send, world, pauses, ran } = service();
    await pauses.put({ queue: 'mail', ...PAUSED });
    await send.applyAsync(['mail'], { queue: 'mail', countdown: '1h' });
    await send.applyAsync(['urgent'], { queue: 'mail', priority: 0, countdown: '1h' });
    await send.applyAsync(['default'], { countdown: '1h' });
    // SQS would have deleted them long ago.
    await world.advance('60d');
    expect([ran, world.timers.size()]).toEqual([['default'], 2]);
    expect(['mail', 'mail-p5'].flatMap((queue) => world.broker.peekAll(queue))).toEqual([]);
    expect(await world.app.sweep()).toMatchObject({ sent: 0, held: 2 });
    await pauses.remove('mail');
    await world.advance('1m');
    expect([ran.toSorted(), world.timers.size()]).toEqual([['default', 'mail', 'urgent'], 0]);
  });

  it('of a FIFO queue stay, too, when another wakes the sweeper up, and keep their order', async () => {
    const { send, world, pauses, ran } = service();
    const group = { queue: 'orders', groupKey: 'g' };
    for (const what of ['1', '2', '3']) await send.applyAsync([what], { ...group, countdown: 30 });
    await pauses.put({ queue: 'orders', ...PAUSED });
    await world.advance('10m');
    expect([ran, world.timers.size()]).toEqual([[], 3]);
    expect(world.broker.peekAll('orders')).toEqual([]);
    await pauses.remove('orders');
    await send.applyAsync(['4'], { ...group, countdown: 90 });
    await world.advance('3m');
    expect(ran).toEqual(['1', '2', '3', '4']);
  });

  it('whoever waits for all to end does not wait for them', async () => {
    const { send, world, pauses } = service();
    await pauses.put({ queue: 'mail', ...PAUSED });
    await send.applyAsync(['mail'], { queue: 'mail', countdown: '2d' });
    const before = world.clock.nowMs();
    await world.drain();
    expect(world.clock.nowMs() - before).toBeLessThan(60_000);
  });

  it('are sent where nobody can tell which queues are paused: they wait in the queue', async () => {
    const { app, send, world } = service();
    const pauses = new MemoryPauses();
    pauses.list = () => Promise.reject(new Error('AccessDeniedException'));
    await send.applyAsync(['mail'], { queue: 'mail', countdown: 960 });
    await world.advance('10m');
    world.clock.moveTo(world.clock.nowMs() + 300_000);
    expect(await app.sweep({}, { ...world.ports, pauses })).toMatchObject({ sent: 1, held: 0 });
  });
});

/** As Lambda's, switched at once; `ids` are those of the newest deployment. */
class Sources implements EventSources {
  readonly states = new Map<string, EventSourceState>();
  readonly calls: string[] = [];
  current: Record<string, string> = {};
  /** Happens before a source is switched. */
  before: (id: string, enabled: boolean) => Promise<unknown> = () => Promise.resolve();

  ids(): Promise<Record<string, string>> {
    return Promise.resolve(this.current);
  }

  state(id: string): Promise<EventSourceState | undefined> {
    if (id === 'denied') return Promise.reject(new Error('AccessDeniedException'));
    return Promise.resolve(this.states.get(id));
  }

  async set(id: string, enabled: boolean): Promise<boolean> {
    await this.before(id, enabled);
    this.calls.push(`${id} ${enabled ? 'on' : 'off'}`);
    this.states.set(id, enabled ? 'on' : 'off');
    return true;
  }
}

function switched() {
  const { app, world, pauses } = service();
  const sources = new Sources();
  sources.current = { default: 'd', mail: 'm0', 'mail-p5': 'm5', orders: 'o' };
  for (const id of Object.values(sources.current)) sources.states.set(id, 'on');
  const environment = { queues: { default: '', mail: '', orders: '' }, externalQueues: [], lanes: {} };
  const parts = { environment, pauses, clock: new ManualClock(0), sources };
  const lines: string[] = [];
  const logger: Logger = { log: (level, message) => void lines.push(`${level} ${message}`) };
  const sweep = (): Promise<unknown> => app.sweep({ eventSources: sources }, { ...world.ports, logger });
  return { app, world, pauses, sources, parts, lines, logger, sweep };
}

describe('what feeds a paused queue', () => {
  it('and was switched on by a deployment is off again after the next sweep, and says so', async () => {
    const { pauses, sources, lines, sweep } = switched();
    await pauses.put({ queue: 'mail', ...PAUSED, eventSources: ['m0', 'm5'] });
    sources.states.set('m0', 'off').set('m5', 'off');
    await sweep();
    expect(sources.calls).toEqual([]);
    sources.states.set('m5', 'on');
    await sweep();
    expect(sources.calls).toEqual(['m5 off']);
    expect(lines).toEqual(['warn Queue mail is paused, and its event source m5 was on: it is switched off']);
  });

  it('and was made anew by a deployment: found under its new id', async () => {
    const { pauses, sources, sweep } = switched();
    await pauses.put({ queue: 'default', ...PAUSED, eventSources: ['of-before'] });
    sources.current['default'] = 'new';
    sources.states.set('new', 'on').set('of-before', 'on');
    await sweep();
    expect(sources.calls).toEqual(['new off']);
  });

  it('is left alone while Lambda switches it, and where no queue is paused nobody asks', async () => {
    const { pauses, sources, sweep } = switched();
    sources.ids = () => Promise.reject(new Error('asked'));
    await sweep();
    sources.ids = () => Promise.resolve(sources.current);
    await pauses.put({ queue: 'default', ...PAUSED });
    sources.states.set('d', 'changing');
    await sweep();
    expect(sources.calls).toEqual([]);
  });

  it('one that may not be looked at keeps none of the others', async () => {
    const { pauses, sources, lines, sweep } = switched();
    sources.current['default'] = 'denied';
    for (const queue of ['default', 'orders']) await pauses.put({ queue, ...PAUSED });
    await sweep();
    expect(sources.calls).toEqual(['o off']);
    expect(lines[0]).toContain('error Event source denied of paused queue default was not looked at');
  });

  it.each(['looks', 'switches'])('a resume while the sweeper %s leaves it on', async (when) => {
    const { app, pauses, sources, parts, logger } = switched();
    await pauses.put({ queue: 'orders', ...PAUSED });
    const listed = await pauses.list();
    if (when === 'looks') await resumeQueue('orders', parts);
    else
      sources.before = async (_id, enabled) => {
        if (!enabled) {
          sources.before = () => Promise.resolve();
          await resumeQueue('orders', parts);
        }
      };
    await keepPaused(listed, sources, app.settings, { pauses, logger });
    expect(sources.states.get('o')).toBe('on');
    expect(sources.calls.at(-1)).toBe('o on');
  });

  it('a queue that is paused again while an earlier resume is undone stays off', async () => {
    const { sources, parts, sweep, pauses } = switched();
    await pauseQueue('orders', { by: 'ada' }, parts);
    await resumeQueue('orders', parts);
    await pauseQueue('orders', { by: 'bob' }, parts);
    await sweep();
    expect(sources.states.get('o')).toBe('off');
    expect((await pauses.list()).map(({ by }) => by)).toEqual(['bob']);
  });
});
