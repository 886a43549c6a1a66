/** What every look into queues must do. */
import { deepEqual, equal, ok } from 'node:assert/strict';

import type { Peeks } from '../../ports/peeks.ts';
import type { BrokerUnderTest } from './broker-under-test.ts';
import type { ConformanceCase } from './case.ts';

/** Queues that are looked into, and what puts messages there. */
export interface PeeksUnderTest extends BrokerUnderTest {
  /** Looks into the queues of `broker`. */
  readonly peeks: Peeks;
}

/** What every look into queues must do, as cases. Each takes queues of its own by `make`. */
export function peeksConformance(make: () => PeeksUnderTest): ConformanceCase[] {
  return [
    {
      name: 'what is seen lies there still, for everybody, and was received once more',
      async run() {
        const under = make();
        const { peeks, broker, standard: queue } = under;
        deepEqual(await peeks.peek({ queue, limit: 10 }), []);
        const bodies = ['{"any": "é"}', 'two', 'three'];
        await broker.send(bodies.map((body) => ({ queue, body })));
        for (const receives of [1, 2]) {
          const seen = (await peeks.peek({ queue, limit: 10 })) ?? [];
          deepEqual(seen.map(({ body }) => body).toSorted(), bodies.toSorted());
          equal(new Set(seen.map(({ messageId }) => messageId)).size, bodies.length);
          for (const message of seen) ok(message.receives === receives && message.sentMs > 0);
        }
        deepEqual((await under.receive(queue)).map(({ body }) => body).toSorted(), bodies.toSorted());
      },
    },
    {
      name: 'no more are seen than were asked for, and none that is delayed or in flight',
      async run() {
        const under = make();
        const { peeks, broker, standard: queue } = under;
        await broker.send([{ queue, body: 'taken' }]);
        equal((await under.receive(queue)).length, 1);
        await broker.send([{ queue, body: 'later', delaySeconds: 600 }]);
        deepEqual(await peeks.peek({ queue, limit: 10 }), []);
        await broker.send(['one', 'two', 'three'].map((body) => ({ queue, body })));
        equal((await peeks.peek({ queue, limit: 2 }))?.length, 2);
        equal((await peeks.peek({ queue, limit: 10 }))?.length, 3);
      },
    },
    {
      name: 'dead letters are seen where they are asked for, with why they lie there',
      async run() {
        const under = make();
        const { peeks, broker, standard: queue } = under;
        const attributes = { reason: 'no', task_id: '1' };
        await broker.send([{ queue, deadLetter: true, body: 'letter', attributes }]);
        deepEqual(await peeks.peek({ queue, limit: 10 }), []);
        const [letter, ...others] = (await peeks.peek({ queue, deadLetter: true, limit: 10 })) ?? [];
        deepEqual([letter?.body, letter?.attributes, others], ['letter', attributes, []]);
        equal((await under.deadLetters(queue)).length, 1);
      },
    },
    {
      name: 'of a queue that is not known nothing is told',
      async run() {
        const { peeks } = make();
        for (const queue of ['nowhere', '__proto__', 'constructor', ''])
          equal(await peeks.peek({ queue, limit: 10 }), undefined);
      },
    },
  ];
}
