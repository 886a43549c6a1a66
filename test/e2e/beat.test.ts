/** Schedules over real HTTP: rows in DynamoDB, ticks through SQS, edits while everything runs. */
import { Celeriac, clocked, crontab, every, silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCloud } from '../support/iam/cloud.ts';

const app = new Celeriac('beat-e2e');
const ran: { name: string; scheduled: number; late: number }[] = [];
const note = app.task('note', { bind: true, ignoreResult: true }, (self, name: string) => {
  const scheduled = self.request.schedule?.scheduledTime.getTime() ?? 0;
  ran.push({ name, scheduled, late: Date.now() - scheduled });
});
app.beat({
  heart: { task: note.s('heart'), schedule: every('1s') },
  monthly: { task: note.s('monthly'), schedule: crontab('0 0 1 * *') },
});

const runsOf = (name: string): typeof ran => ran.filter((run) => run.name === name);

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startCloud(app, { invocation: 10, sweepEvery: 1, logger: silentLogger });
});
afterAll(() => cloud.stop());

describe('on the embedded cloud', () => {
  it('a sub-minute interval fires at every interval, once each', async () => {
    await expect.poll(() => runsOf('heart').length).toBeGreaterThan(3);
    const times = runsOf('heart').map((run) => run.scheduled);
    expect(new Set(times).size).toBe(times.length);
    const sorted = times.toSorted((left, right) => left - right);
    expect(sorted.slice(1).map((time, index) => time - (sorted[index] ?? 0))).toEqual(sorted.slice(1).map(() => 1000));
    // Never early: the delay is rounded up to SQS's whole seconds.
    expect(Math.min(...runsOf('heart').map((run) => run.late))).toBeGreaterThanOrEqual(0);
  });

  it('disabling takes effect at once, and enabling too', async () => {
    await app.schedules.disable('heart');
    const stoppedMs = Date.now();
    await new Promise((resolve) => {
      setTimeout(resolve, 2500);
    });
    expect(runsOf('heart').filter((run) => run.scheduled > stoppedMs)).toEqual([]);
    await app.schedules.enable('heart');
    await expect.poll(() => runsOf('heart').filter((run) => run.scheduled > stoppedMs).length).toBeGreaterThan(0);
  });

  it('a stored entry runs within seconds of being stored, and rules are switched', async () => {
    await app.schedules.put('soon', { task: note.s('soon'), schedule: clocked(new Date(Date.now() + 1500)) });
    await expect.poll(() => runsOf('soon').length).toBe(1);
    expect(await app.schedules.get('soon')).toMatchObject({ enabled: false, totalRunCount: 1, source: 'stored' });
    expect((await app.schedules.disable('monthly')).firedBy).toBe('rule');
    expect(await cloud.rules.isEnabled('monthly')).toBe(false);
    expect((await app.schedules.list()).map(({ name, firedBy }) => [name, firedBy])).toEqual([
      ['heart', 'sweep'],
      ['monthly', 'rule'],
      ['soon', 'sweep'],
    ]);
    await app.schedules.delete('soon');
    expect(await app.schedules.get('soon')).toBeUndefined();
  });
});
