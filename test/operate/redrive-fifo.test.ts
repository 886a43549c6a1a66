/** Redriving a FIFO queue: letters of one group go back in their order, and none passes one that could not go. */
import { Reject } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { newWorld } from '../support/worlds.ts';

const FIFO = { queues: { default: { fifo: true } } } as const;

/** Letters of two groups, in this order; whose are sent, fails while it is told to. */
async function letters(names: readonly string[]) {
  const ran: string[] = [];
  let broken = true;
  const made = newWorld(
    (app) =>
      app.task('charge', (name: string) => {
        if (broken) throw new Reject(`${name} is closed`);
        ran.push(name);
      }),
    FIFO,
  );
  const { app, world, tasks: charge } = made;
  const ids = new Map<string, string>();
  for (const name of names) {
    const { id } = await charge.applyAsync([name], { groupKey: name.slice(0, 1) });
    ids.set(name, id);
  }
  await world.drain();
  expect(world.deadLetters()).toHaveLength(names.length);
  broken = false;
  return { app, world, ran, ids };
}

const ofGroup = (ran: readonly string[], group: string): string[] => ran.filter((name) => name.startsWith(group));

describe.each([
  ['all at once', {}],
  ['one by one', { rate: '1/s' }],
  ['two by two', { rate: '20/s' }],
] as const)('%s', (_what, pace) => {
  it.each([1, 2])(
    'letter %i cannot be prepared: those behind it in its group wait, the other group goes',
    async (place) => {
      const { app, world, ran, ids } = await letters(['a1', 'b1', 'a2', 'b2', 'a3']);
      const { backend } = world.ports;
      const get = backend.get.bind(backend);
      const stuck = ids.get(`a${place}`) ?? '';
      backend.get = (asked, nowMs) => (asked.includes(stuck) ? Promise.reject(new Error('busy')) : get(asked, nowMs));
      const report = await app.deadLetters.redrive(pace);
      expect(report).toMatchObject({ sent: 1 + place, failed: 4 - place });
      await world.drain();
      expect([ofGroup(ran, 'a'), ofGroup(ran, 'b')]).toEqual([['a1', 'a2', 'a3'].slice(0, place - 1), ['b1', 'b2']]);

      backend.get = get;
      expect(await app.deadLetters.redrive(pace)).toMatchObject({ sent: 4 - place, failed: 0 });
      await world.drain();
      expect(ofGroup(ran, 'a')).toEqual(['a1', 'a2', 'a3']);
    },
  );

  it('one that is not sent holds back those behind it that go later', async () => {
    const { app, world, ran } = await letters(['a1', 'a2', 'a3', 'b1']);
    const { broker } = world.ports;
    const send = broker.send.bind(broker);
    // All of group a that share its request fail with it.
    broker.send = async (items) => {
      broker.send = send;
      const sent = await send(items.filter(({ groupId }) => groupId !== 'a'));
      return items.map(({ groupId }) =>
        groupId === 'a'
          ? { ok: false as const, code: 'Throttled', message: 'later', retryable: true }
          : (sent.shift() ?? { ok: true as const, messageId: '' }),
      );
    };
    await app.deadLetters.redrive(pace);
    await world.drain();
    expect(ran).toEqual(['b1']);
    await app.deadLetters.redrive(pace);
    await world.drain();
    expect(ofGroup(ran, 'a')).toEqual(['a1', 'a2', 'a3']);
  });
});
