/** A chain whose next step is a group, as no Celery writes it: what comes after the group waits for all of it, once. */
import { Celeriac, currentTask, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { MAX_RECORDED_CHILDREN } from '../../lib/base/limits.ts';
import { checkedLines } from '../support/log-lines.ts';

const ID = '00000000-0000-4000-8000-0000000000ab';
const step = (task: string, args: readonly unknown[] = [], more: object = {}): object => ({
  task,
  args,
  kwargs: {},
  options: {},
  subtask_type: null,
  immutable: false,
  ...more,
});
const groupOf = (...tasks: readonly object[]): object => ({
  ...step('celery.group'),
  kwargs: { tasks },
  subtask_type: 'group',
});

/** The list is reversed: the next step is its last element. */
function bodyOf(...chain: readonly object[]): string {
  return messageOf({ callbacks: null, errbacks: null, chain, chord: null });
}

function messageOf(embed: object): string {
  return JSON.stringify({
    body: Buffer.from(JSON.stringify([[1], {}, embed])).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { task: 'note', id: ID },
    properties: { delivery_info: { exchange: '', routing_key: 'celery' } },
  });
}

async function play(body: string, times: number) {
  const app = new Celeriac('lengthened', { queues: { celery: {} }, logger: silentLogger });
  const runs: { args: readonly unknown[]; rootId: string; id: string }[] = [];
  app.task('note', (...args: readonly unknown[]) => {
    const { id, rootId } = currentTask().request;
    runs.push({ args, rootId, id });
    return args.at(-1);
  });
  const world = new World(app, { logger: checkedLines() });
  for (let time = 0; time < times; time += 1) {
    await world.broker.send([{ queue: 'celery', body }]);
    await world.drain();
  }
  return { app, runs };
}

describe('what comes after a group', () => {
  const after = step('note', ['after']);
  const members = groupOf(step('note', ['a']), step('note', ['b']));

  // A message that comes again sends what follows again, under the same names.
  it.each([1, 2, 3])('runs once with its results, though the message comes %i times', async (times) => {
    const { runs } = await play(bodyOf(after, members), times);
    // Members run in any order.
    expect(runs.map(({ args }) => JSON.stringify(args)).toSorted((left, right) => (left < right ? -1 : 1))).toEqual([
      '[1,"a"]',
      '[1,"b"]',
      '[1]',
      '[["a","b"],"after"]',
    ]);
    expect(new Set(runs.map(({ rootId }) => rootId))).toEqual(new Set([ID]));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(4);
  });

  it('the steps behind it keep their order', async () => {
    const { runs } = await play(bodyOf(step('note', ['last']), after, members), 2);
    expect(runs.map(({ args }) => args).slice(-2)).toEqual([
      [['a', 'b'], 'after'],
      ['after', 'last'],
    ]);
    expect(runs).toHaveLength(5);
  });

  it('keeps the id that it was given', async () => {
    const own = '00000000-0000-4000-8000-0000000000ac';
    const { app, runs } = await play(bodyOf(step('note', ['after'], { options: { task_id: own } }), members), 2);
    expect(runs.at(-1)).toMatchObject({ id: own });
    expect(await app.result(own).get({ timeout: 1 })).toBe('after');
  });
});

describe('the record of a task', () => {
  it('names what followed, up to a bound: a task of many links stores no list of all of them', async () => {
    const links = Array.from({ length: MAX_RECORDED_CHILDREN + 5 }, (_, index) => step('note', [index]));
    const embed = { callbacks: links, errbacks: null, chain: null, chord: null };
    const { app, runs } = await play(messageOf(embed), 1);
    expect(runs).toHaveLength(links.length + 1);
    const [record] = await (await app.ports()).backend.get([ID], 0);
    expect((JSON.parse(record?.meta ?? '{}') as { children: unknown[] }).children).toHaveLength(MAX_RECORDED_CHILDREN);
  });
});
