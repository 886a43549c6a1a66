/** A sweep that has sent ticks and finds its entry edited: what can be taken back is, and what cannot be is noted. */
import { every, type Ports } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { emitAll } from '../../lib/beat/emit.ts';
import { itemOf, type ScheduleState, stateOf } from '../../lib/beat/schedule-state.ts';
import { sweepSchedules } from '../../lib/beat/sweep-schedules.ts';
import { tickId } from '../../lib/wire/rule-message.ts';
import { SWEEP_IRREVOCABLE_HORIZON_SECONDS } from '../../lib/base/limits.ts';
import { type BeatWorld, beatWorld, MINUTE, START } from '../support/beat-world.ts';
import { counting, tapped } from '../support/port-taps.ts';

// What was sent when the entry was stored lies behind: some ticks are overdue, and some are ahead.
const NOW = START + 5 * MINUTE;
const UNTIL = NOW + 2 * MINUTE;

const everyTenSeconds = (fromMs: number, toMs: number): number[] =>
  Array.from({ length: Math.floor((toMs - fromMs) / 10_000) + 1 }, (_, index) => fromMs + index * 10_000);

interface Rig extends BeatWorld {
  /** As the sweep has read it. */
  readonly read: ScheduleState;
  readonly stored: () => Promise<ScheduleState>;
  readonly calls: string[];
  readonly ports: Ports;
}

/** An entry every ten seconds that nobody has swept for a minute. */
async function rig(idempotent: boolean): Promise<Rig> {
  const played = beatWorld();
  const { app, world } = played;
  app.task('tick', { idempotent }, () => 1);
  await app.schedules.put('tick', { task: 'tick', schedule: every('10s'), catchUp: 'all' });
  const stored = async (): Promise<ScheduleState> => {
    const [item] = await world.schedules.read(['tick']);
    if (item === undefined) throw new Error('no entry');
    return stateOf(item);
  };
  world.clock.moveTo(NOW);
  const calls: string[] = [];
  return { ...played, read: await stored(), stored, calls, ports: tapped(world.ports, counting(calls)) };
}

/** Somebody stores another state, and the sweep goes on with the one it has read. */
async function overtaken({ read, world, app, ports }: Rig, change: Partial<ScheduleState>): ReturnType<typeof emitAll> {
  expect(await world.schedules.write([itemOf({ ...read, ...change })])).toEqual([true]);
  return emitAll([read], app, ports, UNTIL);
}

describe('ticks that nobody can take back', () => {
  it('are noted with the edited entry, so that it does not send them again; once', async () => {
    const played = await rig(true);
    const { read, stored, calls, app, ports } = played;
    const [outcome] = await overtaken(played, { version: read.version + 1, tickVersion: read.tickVersion + 1 });
    expect(outcome).toMatchObject({ moved: false });
    const { emitted, revision } = await stored();
    const sent = everyTenSeconds(read.nextDueMs ?? 0, NOW + SWEEP_IRREVOCABLE_HORIZON_SECONDS * 1000);
    expect(outcome?.ticks).toBe(sent.length);
    expect(emitted).toEqual([...read.emitted, ...sent]);
    // A sweep beside it finds them noted.
    calls.length = 0;
    await emitAll([read], app, ports, UNTIL);
    expect(calls.filter((call) => call === 'schedules.write')).toHaveLength(1);
    expect(await stored()).toMatchObject({ emitted, revision });
  });

  it('are left alone where the entry is past them, or gone', async () => {
    const past = await rig(true);
    await overtaken(past, { nextDueMs: UNTIL + MINUTE, emitted: [] });
    // Those ahead of now alone.
    expect((await past.stored()).emitted).toEqual(everyTenSeconds(NOW, NOW + SWEEP_IRREVOCABLE_HORIZON_SECONDS * 1000));
    const gone = await rig(true);
    expect(await gone.world.schedules.remove('tick', gone.read.revision)).toBe(true);
    const [outcome] = await emitAll([gone.read], gone.app, gone.ports, UNTIL);
    expect(outcome).toMatchObject({ moved: false });
    expect('error' in (outcome ?? {})).toBe(false);
    expect(gone.calls.filter((call) => call === 'schedules.write')).toHaveLength(1);
  });

  it('are tried to be noted a few times, each time over what stands then', async () => {
    const played = await rig(true);
    const { read, world, app } = played;
    await world.schedules.write([itemOf({ ...read, version: read.version + 1 })]);
    let tries = 0;
    const refusing = tapped(world.ports, (call, go) => {
      if (call !== 'schedules.write') return go();
      tries += 1;
      return Promise.resolve([false]);
    });
    const [outcome] = await emitAll([read], app, refusing, UNTIL);
    expect(outcome).toMatchObject({ moved: false });
    // The sweep's own write, and five notes.
    expect(tries).toBe(6);
  });
});

describe('ticks that can be taken back', () => {
  const statesOf = async ({ app, read }: Rig, ticks: readonly number[]): Promise<string[]> =>
    Promise.all(ticks.map(async (tick) => app.result(tickId('tick', tick, read.tickVersion)).state()));

  it('are revoked where they lie ahead and the edit sends its own', async () => {
    const played = await rig(false);
    await overtaken(played, { version: played.read.version + 1, tickVersion: played.read.tickVersion + 1 });
    expect(new Set(await statesOf(played, everyTenSeconds(NOW + 10_000, UNTIL)))).toEqual(new Set(['REVOKED']));
    // They have begun by now: what is overdue runs.
    expect(new Set(await statesOf(played, [NOW - 10_000, NOW]))).toEqual(new Set(['PENDING']));
  });

  it('stay where another sweep was quicker, or the edit keeps them', async () => {
    const played = await rig(false);
    await overtaken(played, { version: played.read.version + 1 });
    expect(new Set(await statesOf(played, everyTenSeconds(NOW + 10_000, UNTIL)))).toEqual(new Set(['PENDING']));
  });

  it('are revoked where the entry is gone', async () => {
    const played = await rig(false);
    await played.world.schedules.remove('tick', played.read.revision);
    await emitAll([played.read], played.app, played.ports, UNTIL);
    expect(new Set(await statesOf(played, everyTenSeconds(NOW + 10_000, UNTIL)))).toEqual(new Set(['REVOKED']));
  });
});

describe('ticks that are not sent', () => {
  it('are counted as failed and told with their entry, and the next sweep sends them', async () => {
    const { app, world, lines, ports } = await rig(false);
    const refusing = tapped(ports, (call, go, args) => {
      if (call !== 'broker.send') return go();
      const answer = { ok: false, code: 'Busy', message: 'not now', retryable: true };
      return Promise.resolve((args[0] as readonly unknown[]).map(() => answer));
    });
    const sweepOnce = async (over: Ports) => sweepSchedules(app, over, new Map());
    expect(await sweepOnce(refusing)).toEqual({ ticks: 0, failed: 1 });
    expect(lines.at(-1)).toMatchObject({ level: 'error' });
    expect(lines.at(-1)?.message).toMatch(/^Schedule entry 'tick' was not swept: .*Busy: not now/);
    const sent = everyTenSeconds(START + 130_000, UNTIL).length;
    expect(await sweepOnce(world.ports)).toEqual({ ticks: sent, failed: 0 });
    expect(await sweepOnce(world.ports)).toEqual({ ticks: 0, failed: 0 });
  });

  it('of an entry that cannot be read are no reason to leave out the others', async () => {
    const { app, world, lines, read } = await rig(false);
    await world.schedules.write([{ name: 'broken', revision: 1, nextDueMs: NOW, document: '{' }]);
    expect(await sweepSchedules(app, world.ports, new Map())).toMatchObject({ failed: 1 });
    expect(lines.filter(({ message }) => message.startsWith("Schedule entry 'broken' was not swept: "))).toHaveLength(
      1,
    );
    expect(stateOf((await world.schedules.read(['tick']))[0] as never).nextDueMs).toBeGreaterThan(read.nextDueMs ?? 0);
  });
});
