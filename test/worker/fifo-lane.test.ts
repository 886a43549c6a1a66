/** A FIFO group whose head stays in its queue: all that follow stay with it, and each is told once when to come back. */
import { Celeriac, Reject } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

import { tapped } from '../support/port-taps.ts';
import { checkedLines } from '../support/log-lines.ts';

interface Rig {
  readonly world: World;
  readonly app: Celeriac;
  readonly runs: string[];
  /** Seconds asked for, by the message's place in its batch. */
  readonly asked: Map<string, number[]>;
  readonly order: (name: string, groupKey: string) => Promise<unknown>;
}

function rig(refuse: (name: string) => void): Rig {
  const app = new Celeriac('lanes', { queues: { default: {}, orders: { fifo: true } } });
  const runs: string[] = [];
  const asked = new Map<string, number[]>();
  const order = app.task('order', { queue: 'orders' }, (name: string) => {
    runs.push(name);
    refuse(name);
  });
  const world = new World(app, {
    logger: checkedLines(),
    wrapPorts: (ports) =>
      tapped(ports, (call, go, [, receipt, seconds]) => {
        if (call === 'broker.changeVisibility')
          asked.set(receipt as string, [...(asked.get(receipt as string) ?? []), seconds as number]);
        return go();
      }),
  });
  return { app, world, runs, asked, order: (name, groupKey) => order.applyAsync([name], { groupKey }) };
}

it('the head is told once, and each that follows once; other groups are not', async () => {
  let refused = false;
  const { world, runs, asked, order } = rig((name) => {
    if (name !== 'a1' || refused) return;
    refused = true;
    throw new Reject('once more', { requeue: true });
  });
  for (const [name, group] of ['a1 a', 'b1 b', 'a2 a', 'a3 a', 'b2 b'].map((each) => each.split(' ')))
    await order(name ?? '', group ?? '');
  await world.run();
  expect(runs).toEqual(['a1', 'b1', 'b2', 'a1', 'a2', 'a3']);
  expect([...asked.values()]).toEqual([[0], [0], [0]]);
});
