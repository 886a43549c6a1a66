/** The beat in the bundles of deployed functions: what it does late, and that it does the same. */
import { crontab, every } from 'celeriac';
import { expect, it } from 'vitest';

import { Beat as DeployedBeat } from '../../lib/deployed/beat/beat.ts';
import { beatWorld } from '../support/beat-world.ts';

interface Deployed extends Pick<ReturnType<typeof beatWorld>, 'world' | 'note'> {
  readonly beat: DeployedBeat;
}

function deployed(): Deployed {
  const { app, world, note } = beatWorld(() => ({}));
  const beat = new DeployedBeat(app);
  beat.declare({ often: { task: note.s(1), schedule: every('10s') } });
  beat.declare({ daily: { task: note.s(2), schedule: crontab({ minute: 0, hour: 6 }) } });
  return { beat, world, note };
}

it('shows the entries of every declaration, and changes them, by methods that load the rest', async () => {
  const { beat } = deployed();
  expect((await beat.book.list()).map(({ name }) => name)).toEqual(['daily', 'often']);
  await beat.book.disable('often');
  expect(await beat.book.get('often')).toMatchObject({ enabled: false });
});

it('knows an entry that is declared after somebody has asked', async () => {
  const { beat, note } = deployed();
  await beat.book.list();
  beat.declare({ weekly: { task: note.s(3), schedule: every('7d') } });
  expect((await beat.book.list()).map(({ name }) => name)).toEqual(['daily', 'often', 'weekly']);
});

it('sweeps what is due', async () => {
  const { beat, world } = deployed();
  const ports = await world.app.ports();
  expect(await beat.sweep(ports, { horizonSeconds: 25 })).toMatchObject({ ticks: 2, failed: 0 });
});

it('plans nothing: that is done at synth', () => {
  expect(() => deployed().beat.plans()).toThrow('manifest(): asked for in a deployed function');
});

it('is no promise, and has no methods of its own', async () => {
  const { beat } = deployed();
  expect(await Promise.resolve(beat.book)).toBe(beat.book);
  await expect((beat.book as unknown as { nothing(): Promise<void> }).nothing()).rejects.toThrow(
    'app.schedules.nothing is not a function',
  );
});
