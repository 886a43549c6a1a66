/** What every count of queues must do. */
import { deepEqual, equal, ok } from 'node:assert/strict';

import type { QueueDepths } from '../../ports/queue-depths.ts';
import type { BrokerUnderTest } from './broker-under-test.ts';
import type { ConformanceCase } from './case.ts';

/** Queues of which messages are counted, and what puts them there. */
export interface DepthsUnderTest extends BrokerUnderTest {
  /** Counts the queues of `broker`. */
  readonly depths: QueueDepths;
}

// SQS: 1 minute to 14 days.
const SHORTEST_RETENTION_SECONDS = 60;
const LONGEST_RETENTION_SECONDS = 1_209_600;

/** What every count of queues must do, as cases. Each takes queues of its own by `make`. */
export function queueDepthsConformance(make: () => DepthsUnderTest): ConformanceCase[] {
  return [
    {
      name: 'what is ready, in flight and delayed is counted, queue by queue, in the order of the questions',
      async run() {
        const under = make();
        const { depths, broker, standard, fifo } = under;
        const none = { ready: 0, inFlight: 0, delayed: 0 };
        deepEqual(await depths.count([{ queue: standard }, { queue: fifo }]), [none, none]);
        await broker.send([{ queue: standard, body: 'taken' }]);
        equal((await under.receive(standard)).length, 1);
        const bodies = ['one', 'two', 'three'];
        await broker.send(bodies.map((body) => ({ queue: standard, body })));
        await broker.send([{ queue: standard, body: 'later', delaySeconds: 600 }]);
        await broker.send([{ queue: fifo, body: 'ordered', groupId: 'g', deduplicationId: 'd' }]);
        deepEqual(await depths.count([{ queue: fifo }, { queue: standard }]), [
          { ...none, ready: 1 },
          { ready: 3, inFlight: 1, delayed: 1 },
        ]);
      },
    },
    {
      name: 'dead letters are counted where they are asked for, and nowhere else',
      async run() {
        const { depths, broker, standard } = make();
        await broker.send(['one', 'two'].map((body) => ({ queue: standard, deadLetter: true, body })));
        const counted = await depths.count([{ queue: standard, deadLetter: true }, { queue: standard }]);
        deepEqual(
          counted.map((depth) => depth?.ready),
          [2, 0],
        );
      },
    },
    {
      name: 'of a queue that is not known nothing is told',
      async run() {
        const { depths } = make();
        const names = ['nowhere', '__proto__', 'constructor', ''];
        deepEqual(await depths.count(names.map((queue) => ({ queue }))), [undefined, undefined, undefined, undefined]);
        for (const name of names) equal(await depths.retentionSeconds(name), undefined);
        deepEqual(await depths.count([]), []);
      },
    },
    {
      name: 'how long a queue keeps its messages is told',
      async run() {
        const { depths, standard } = make();
        const seconds = await depths.retentionSeconds(standard);
        ok(seconds !== undefined && seconds >= SHORTEST_RETENTION_SECONDS && seconds <= LONGEST_RETENTION_SECONDS);
      },
    },
  ];
}
