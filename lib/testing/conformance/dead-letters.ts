/** What every store of dead letters must do. */
import { deepEqual, equal, rejects } from 'node:assert/strict';
import type { Broker } from '../../ports/broker.ts';
import type { DeadLetters, ReceivedLetter } from '../../ports/dead-letters.ts';
import type { ConformanceCase } from './case.ts';

/** Dead-letter queues, and what puts something into them. */
export interface DeadLettersUnderTest {
  /** Those to be tested. */
  readonly deadLetters: DeadLetters;
  /** What puts letters aside. */
  readonly broker: Broker;
  /** Name of a standard queue without letters. */
  readonly standard: string;
  /** Name of a FIFO queue without letters. */
  readonly fifo: string;
}

const HOW = { limit: 10, hiddenSeconds: 600 };

/** What every store of dead letters must do, as cases. Each takes queues of its own by `make`. */
export function deadLettersConformance(make: () => DeadLettersUnderTest): ConformanceCase[] {
  return [
    {
      name: 'a letter is received as it was put aside, hidden, and back when it is shown',
      async run() {
        const { deadLetters, broker, standard: queue } = make();
        const attributes = { reason: 'no', task_id: '1' };
        await broker.send([{ queue, deadLetter: true, body: '{"any": "é"}', attributes }]);
        const [letter, ...more] = await deadLetters.receive(queue, HOW);
        const { body, attributes: given } = letter as ReceivedLetter;
        deepEqual([body, given, more.length], ['{"any": "é"}', attributes, 0]);
        deepEqual(await deadLetters.receive(queue, HOW), []);
        await deadLetters.show(queue, [letter?.receipt ?? '']);
        const [again] = await deadLetters.receive(queue, HOW);
        equal(again?.messageId, letter?.messageId);
        // Neither the queue itself nor a receipt of before has anything to do with it.
        await deadLetters.show(queue, [letter?.receipt ?? '']);
      },
    },
    {
      name: 'more than ten are received, shown and deleted; a receipt that is void is no error',
      async run() {
        const { deadLetters, broker, standard: queue } = make();
        const bodies = Array.from({ length: 25 }, (_, index) => `letter ${String(index).padStart(2, '0')}`);
        await broker.send(bodies.map((body) => ({ queue, deadLetter: true, body })));
        const receiveAll = async (): Promise<ReceivedLetter[]> => {
          const all: ReceivedLetter[] = [];
          for (;;) {
            const some = await deadLetters.receive(queue, HOW);
            all.push(...some);
            if (some.length === 0 || all.length >= bodies.length) return all;
          }
        };
        const first = await receiveAll();
        deepEqual(first.map(({ body }) => body).toSorted(), bodies);
        await deadLetters.show(
          queue,
          first.map(({ receipt }) => receipt),
        );
        const receipts = (await receiveAll()).map(({ receipt }) => receipt);
        equal(receipts.length, 25);
        await deadLetters.remove(queue, receipts);
        await deadLetters.remove(queue, receipts);
        await deadLetters.show(queue, receipts);
        deepEqual(await deadLetters.receive(queue, HOW), []);
      },
    },
    {
      name: 'no more are received than are wanted, and what lies there is counted',
      async run() {
        const { deadLetters, broker, standard: queue } = make();
        deepEqual(await deadLetters.count(queue), { visible: 0, hidden: 0, delayed: 0 });
        await broker.send(['one', 'two', 'three'].map((body) => ({ queue, deadLetter: true, body })));
        equal((await deadLetters.receive(queue, { ...HOW, limit: 2 })).length, 2);
        deepEqual(await deadLetters.count(queue), { visible: 1, hidden: 2, delayed: 0 });
      },
    },
    {
      name: 'FIFO: those of a group come in order, and none passes one that is hidden',
      async run() {
        const { deadLetters, broker, fifo: queue } = make();
        const letter = (
          body: string,
        ): { queue: string; deadLetter: true; body: string; groupId: string; deduplicationId: string } => ({
          queue,
          deadLetter: true,
          body,
          groupId: body.slice(0, 1),
          deduplicationId: body,
        });
        await broker.send(['a1', 'a2', 'a3', 'b1'].map(letter));
        const one = { ...HOW, limit: 1 };
        const [first] = await deadLetters.receive(queue, one);
        const [other] = await deadLetters.receive(queue, one);
        deepEqual(
          [first, other].map((each) => [each?.body, each?.groupId]),
          [
            ['a1', 'a'],
            ['b1', 'b'],
          ],
        );
        deepEqual(await deadLetters.receive(queue, one), []);
        await deadLetters.remove(queue, [first?.receipt ?? '']);
        equal((await deadLetters.receive(queue, one))[0]?.body, 'a2');
      },
    },
    {
      name: 'a queue that is not known is told',
      async run() {
        const { deadLetters } = make();
        await rejects(async () => deadLetters.receive('nowhere', HOW), { code: 'QUEUE_NOT_FOUND' });
        await rejects(async () => deadLetters.count('nowhere'), { code: 'QUEUE_NOT_FOUND' });
      },
    },
  ];
}
