/** Groups and chords over real HTTP: sets in DynamoDB, members through SQS, ten a batch. */
import { Celeriac, chain, chord, group, silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCloud } from '../support/iam/cloud.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const app = new Celeriac('canvas-e2e');
const add = app.task('add', (x: number, y: number) => x + y);
const sum = app.task('sum', (values: readonly number[]) => values.reduce((total, value) => total + value, 0));
const list = app.task('list', (values: readonly unknown[]) => values);
const fail = app.task('fail', (): number => {
  throw new TypeError('no answer');
});
const told: string[] = [];
const tell = app.task('tell', (id: string) => void told.push(id));

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startCloud(app, { invocation: 20, sweepEvery: 1, logger: silentLogger });
});
afterAll(() => cloud.stop());

describe('on the embedded cloud', () => {
  it('a chord of two hundred, in order', async () => {
    const members = Array.from({ length: 200 }, (_, index) => add.s(index, 0));
    const result = await chord(members, list.s()).delay();
    expect(await result.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).toEqual(members.map((_, index) => index));
  });

  it('a large chord, by reference', async () => {
    const members = Array.from({ length: 600 }, (_, index) => add.s(index, 1));
    const result = await chord(members, sum.s()).delay();
    expect(await result.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).toBe(600 * 301 - 300 + 0);
  });

  it('nested, and failing', async () => {
    const nested = await chain(
      add.s(1, 1),
      group(add.s(1), chain(add.s(2), add.s(3))),
      sum.s(),
      group(add.s(1), add.s(2)),
    ).delay();
    expect(await nested.join({ timeout: PATIENCE_SECONDS, interval: 0.1 })).toEqual([11, 12]);
    const failing = await chord([add.s(1, 1), fail.s()], sum.s().linkError(tell.s())).delay();
    await expect(failing.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).rejects.toThrow(
      "raised TypeError('no answer')",
    );
    await expect.poll(() => told).toEqual([failing.id]);
  });

  it('progress, save and forget of a group', async () => {
    const result = await group(Array.from({ length: 70 }, (_, index) => add.s(index, 1))).delay();
    await result.save();
    expect(await result.join({ timeout: PATIENCE_SECONDS, interval: 0.1 })).toHaveLength(70);
    expect(await result.progress()).toEqual({ total: 70, done: 70, failed: 0 });
    expect((await app.groupResult(result.id))?.memberIds).toEqual(result.memberIds);
    await result.forget();
    expect(await app.groupResult(result.id)).toBeUndefined();
    expect(await result.progress()).toEqual({ total: 70, done: 0, failed: 0 });
  });
});
