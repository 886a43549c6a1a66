/** What is due within the time that a sweep looks ahead is sent by whoever makes it due: the next sweep may come after it. To the second. */
import { type Celeriac, every, type OutgoingMessage } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { SWEEP_HORIZON_SECONDS } from '../../lib/base/limits.ts';
import { beatWorld, START } from '../support/beat-world.ts';

describe.each([
  ['the last second that is looked at', SWEEP_HORIZON_SECONDS, [SWEEP_HORIZON_SECONDS]],
  ['the second behind it', SWEEP_HORIZON_SECONDS + 1, []],
])('an entry that is due at %s', (_when, seconds, delays) => {
  const { note } = beatWorld();
  const entry = { task: note.s(), schedule: every(seconds) };
  const CHANGES: Readonly<Record<string, (app: Celeriac) => Promise<unknown>>> = {
    put: (app) => app.schedules.put('tick', entry),
    load: (app) => app.schedules.load({ tick: entry }),
    update: async (app) => {
      await app.schedules.put('tick', { ...entry, schedule: every('1h') });
      await app.schedules.update('tick', { schedule: entry.schedule });
    },
    enable: async (app) => {
      await app.schedules.put('tick', { ...entry, enabled: false });
      await app.schedules.enable('tick');
    },
    'a new one under the name of one that was deleted': async (app) => {
      await app.schedules.put('tick', { ...entry, schedule: every('1h') });
      await app.schedules.delete('tick');
      await app.schedules.put('tick', entry);
    },
  };

  it.each(Object.keys(CHANGES))('%s', async (change) => {
    const { app, world, secondsOf } = beatWorld();
    const sent: OutgoingMessage[] = [];
    const send = world.broker.send.bind(world.broker);
    world.broker.send = (items) => {
      sent.push(...items);
      return send(items);
    };
    await CHANGES[change]?.(app);
    expect(sent.map(({ delaySeconds }) => delaySeconds)).toEqual(delays);
    await world.advance('130s');
    expect(secondsOf('tick')).toEqual([seconds]);
  });

  it('an edit takes back what a sweep may just have sent, and nothing behind it', async () => {
    const { app, world, runs } = beatWorld();
    await app.schedules.put('tick', { ...entry, task: note.s('old') });
    const revoked: string[] = [];
    const { backend } = world;
    const revoke = backend.revoke.bind(backend);
    backend.revoke = (request) => {
      revoked.push(request.id);
      return revoke(request);
    };
    await app.schedules.update('tick', { args: ['new'] });
    expect(revoked).toHaveLength(delays.length);
    await world.advance('130s');
    expect(runs.map(({ args, scheduledMs }) => [args, scheduledMs - START])).toEqual([[['new'], seconds * 1000]]);
  });
});

it.each([true, false])(
  'a tick that its queue does not take: whoever made it due is told why, and whether it may pass: %s',
  async (retryable) => {
    const { app, world, note } = beatWorld();
    const cause = new Error('why');
    const refused = { ok: false, code: 'Refused', message: 'by the queue', retryable, cause } as const;
    world.broker.send = (items) => Promise.resolve(items.map(() => refused));
    await expect(app.schedules.put('tick', { task: note.s(), schedule: every(60) })).rejects.toMatchObject({
      name: 'OperationalError',
      message: expect.stringContaining("'tick' was not sent: Refused: by the queue"),
      retryable,
      cause,
    });
  },
);
