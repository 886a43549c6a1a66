/** Broken promises of lanes. */
import type { World } from 'celeriac/testing';

import type { OutgoingMessage } from '../../../lib/ports/broker.ts';
import { LANE_QUEUE } from './lanes.ts';
import type { Sabotage } from './sabotage.ts';

const LOWER = `${LANE_QUEUE}-p5`;

function sending(change: (item: OutgoingMessage) => OutgoingMessage): Sabotage['options'] {
  return {
    flow: true,
    sabotage: ({ broker }: World) => {
      const send = broker.send.bind(broker);
      broker.send = (items) => send(items.map(change));
    },
  };
}

export const LANE_SABOTAGES: readonly Sabotage[] = [
  {
    rule: 'a task stays in its lane',
    what: 'what comes again goes to the lane of the queue',
    options: sending((item) =>
      item.queue === LOWER && item.delaySeconds !== undefined ? { ...item, queue: LANE_QUEUE } : item,
    ),
  },
  {
    rule: 'an urgent task does not wait behind others',
    what: 'all lanes are one',
    options: sending((item) => (item.queue === LANE_QUEUE ? { ...item, queue: LOWER } : item)),
  },
  {
    rule: 'no lane waits for ever',
    what: 'the lower lane is a quarter of an hour late',
    options: sending((item) => (item.queue === LOWER ? { ...item, delaySeconds: 900 } : item)),
  },
];
