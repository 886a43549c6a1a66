/** Ticks that were sent ahead of their time and are no longer meant: an edit takes them back, and whoever comes after it where it did not. */
import { Celeriac, crontab, every, type Ports, silentLogger } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { beatWorld, declareNote } from '../support/beat-world.ts';
import { counting, tapped } from '../support/port-taps.ts';

/** A process whose revokes are refused: what it recalls stays written down with the entry. */
function withoutRevokes(ports: Ports): Ports {
  return tapped(ports, (call, go) => (call === 'backend.revoke' ? Promise.reject(new Error('out')) : go()));
}

it('an entry that is due hours later by its new schedule: what the old one sent ahead does not run', async () => {
  const { app, world, note, secondsOf } = beatWorld();
  await app.schedules.put('tick', { task: note.s(), schedule: every('10s') });
  await world.advance('25s');
  await app.schedules.update('tick', { schedule: every('1h') });
  await world.advance('59m');
  expect(secondsOf('tick')).toEqual([10, 20]);
});

it('where nothing was sent ahead, an edit is one write', async () => {
  const { app, world, note } = beatWorld();
  await app.schedules.put('tick', { task: note.s(), schedule: every('1h') });
  const calls: string[] = [];
  const editor = new Celeriac('test', { logger: silentLogger }).use(tapped(world.ports, counting(calls)));
  await editor.schedules.disable('tick');
  expect(calls.filter((call) => call === 'schedules.write')).toHaveLength(1);
});

it('what a deleted entry sent ahead is taken back by a second delete, and a third one writes nothing', async () => {
  const { app, world, note, secondsOf, outage } = beatWorld();
  await app.schedules.put('tick', { task: note.s(), schedule: every('10s') });
  await world.advance('25s');
  const other = new Celeriac('test', { logger: silentLogger }).use(withoutRevokes(world.ports));
  await expect(other.schedules.delete('tick')).rejects.toThrow('out');
  // No sweep comes before the second one.
  outage.on = true;
  await expect(app.schedules.delete('tick')).rejects.toThrow("'tick'");
  const [left] = await world.schedules.read(['tick']);
  await expect(app.schedules.delete('tick')).rejects.toThrow("'tick'");
  expect(await world.schedules.read(['tick'])).toEqual([left]);
  await world.advance('10m');
  expect(secondsOf('tick')).toEqual([10, 20]);
});

describe('a deployment that has a rule fire an entry', () => {
  const every10s = (app: Celeriac) => ({ tick: { task: declareNote(app, [], () => 0).s(), schedule: every('10s') } });

  /** The next version of the app, on these ports. */
  function deployed(ports: Ports): Celeriac {
    const next = new Celeriac('test', { logger: silentLogger }).use(ports);
    next.beat({ tick: { task: declareNote(next, [], () => 0).s(), schedule: crontab({ minute: 0 }) } });
    expect(next.manifest().beat[0]?.firedBy).toBe('rule');
    return next;
  }

  it('keeps what people chose, and takes back what they could not', async () => {
    const { world, secondsOf, lines } = beatWorld((note) => ({ tick: { task: note.s(), schedule: every('10s') } }));
    await world.advance('25s');
    const dying = new Celeriac('test', { logger: silentLogger }).use(withoutRevokes(world.ports));
    dying.beat(every10s(dying));
    await expect(dying.schedules.disable('tick')).rejects.toThrow('out');
    const next = deployed(world.ports);
    await next.sweep({}, world.ports);
    expect(await next.schedules.get('tick')).toMatchObject({ enabled: false, firedBy: 'rule' });
    expect(lines.filter(({ message }) => message.includes('no longer declared'))).toEqual([]);
    const [item] = await world.schedules.read(['tick']);
    expect(JSON.parse(item?.document ?? '')).toMatchObject({ recalled: [] });
    await world.run();
    expect(secondsOf('tick')).toEqual([10, 20]);
  });

  it.each([true, false])(
    'enabled %s: while its rule cannot be looked at it stays as it was, and no sweep fires it',
    async (enabled) => {
      const { app, world, outage } = beatWorld((note) => ({ tick: { task: note.s(), schedule: every('10s') } }));
      await world.advance('25s');
      await app.schedules.disable('tick');
      if (enabled) await app.schedules.enable('tick');
      outage.on = true;
      await world.advance('5m');
      outage.on = false;
      const calls: string[] = [];
      const ports = tapped(world.ports, (call, go) => {
        calls.push(call);
        return call === 'rules.isEnabled' ? Promise.reject(new Error('throttled')) : go();
      });
      const next = deployed(ports);
      for (let sweep = 0; sweep < 2; sweep += 1) await next.sweep({}, ports);
      expect(calls.filter((call) => call === 'rules.isEnabled')).toHaveLength(2);
      expect(calls.filter((call) => call.startsWith('broker.'))).toEqual([]);
      const [item] = await world.schedules.read(['tick']);
      expect(JSON.parse(item?.document ?? '')).toMatchObject({ choice: enabled, way: 'sweep' });
      await next.sweep({}, world.ports);
      expect(await next.schedules.get('tick')).toMatchObject({ enabled, firedBy: 'rule' });
    },
  );
});
