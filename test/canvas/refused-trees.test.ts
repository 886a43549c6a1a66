/** Trees that cannot be sent whole are not sent in part, and a map that would map itself ends. */
import { Celeriac, chain, chord, group, silentLogger, signature } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

function world() {
  const app = new Celeriac('trees', { queues: { default: {}, mail: {} }, logger: silentLogger });
  const note = app.task('note', (value: unknown) => value);
  return { app, note, played: new World(app) };
}

describe('a step for a queue that is not declared', () => {
  const { note, played } = world();
  const lost = note.si(1).set({ queue: 'mial' }) as never;
  it.each([
    ['a later step of a chain', () => chain(note.s(1), lost).delay()],
    ['the last of many', () => chain(note.s(1), note.s(), note.s(), lost).delay()],
    ['a member of a later step', () => chain(note.s(1), group(note.s(), lost) as never).delay()],
    ['the body of a chord', () => chord([note.s(1), note.s(2)], lost).delay()],
    ['a link', () => note.applyAsync([1], { link: lost })],
    ['an error link of a link', () => note.applyAsync([1], { linkError: note.s(1).link(lost) })],
    ['a link of a step', () => chain(note.s(1), note.s().link(lost)).delay()],
  ])('%s: nothing is sent', async (_what, send) => {
    await expect(send()).rejects.toMatchObject({ code: 'QUEUE_NOT_FOUND', message: expect.stringContaining("'mial'") });
    expect(played.broker.peekAll('default')).toEqual([]);
    expect(played.timers.size()).toBe(0);
  });

  it('one that is declared goes there', async () => {
    const result = await chain(note.s(1), note.s().set({ queue: 'mail' })).delay();
    await played.drain();
    expect(await result.get({ timeout: 1 })).toBe(1);
  });
});

it('a step whose id is no id is refused before anything is sent', async () => {
  const { note, played } = world();
  const odd = signature('note', { options: { task_id: 'x'.repeat(3000) } });
  await expect(chain(note.s(1), odd as never).delay()).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  expect(played.broker.peekAll('default')).toEqual([]);
});

describe('celery.map of a task that is no task of the app', () => {
  it.each(['celery.map', 'celery.starmap', 'celery.group', 'celery.chord_unlock', 'celeriac.repair'])(
    '%s ends as a failure',
    async (task) => {
      const { app, played } = world();
      const inner = { task, args: [], kwargs: { task: { task: 'note' }, it: [1] }, options: {}, subtask_type: 'xmap' };
      const body = Buffer.from(JSON.stringify([[], { task: inner, it: [[1], [2]] }, {}])).toString('base64');
      await played.broker.send([
        {
          queue: 'default',
          body: JSON.stringify({
            body,
            'content-type': 'application/json',
            'content-encoding': 'utf-8',
            headers: { task: 'celery.map', id: 'mapped' },
            properties: {},
          }),
        },
      ]);
      await played.drain();
      await expect(app.result('mapped').get({ timeout: 1 })).rejects.toThrow(/only tasks of the app can be mapped/);
    },
  );

  it('a map of many items lets time limits fire', async () => {
    const { app, played } = world();
    let runs = 0;
    const slow = app.task('slow', { timeLimit: 5 }, async (_item: number) => {
      runs += 1;
      if (runs === 200) await played.clock.sleep(60_000);
      return null;
    });
    const result = await slow
      .map(Array.from({ length: 5000 }, () => 1))
      .set({ timeLimit: 5 })
      .delay();
    await played.drain();
    await expect(result.get({ timeout: 1 })).rejects.toThrow('The time limit of 5 s is over');
    expect(runs).toBeLessThan(400);
  });
});
