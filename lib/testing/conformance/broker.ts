/** What every broker must do. `receive` looks at a queue's other end. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { SQS_MAX_DELAY_SECONDS, SQS_MAX_MESSAGE_BYTES } from '../../base/limits.ts';
import type { BrokerUnderTest } from './broker-under-test.ts';
import type { ConformanceCase } from './case.ts';
import { brokerRefusals } from './refusals.ts';

/** What every broker must do, as cases. Each makes a broker of its own by `make`. */
export function brokerConformance(make: () => BrokerUnderTest): ConformanceCase[] {
  const drain = async (under: BrokerUnderTest, queue: string): Promise<string[]> => {
    const bodies: string[] = [];
    for (let batch = await under.receive(queue); batch.length > 0; batch = await under.receive(queue)) {
      for (const { body, receipt } of batch) {
        bodies.push(body);
        await under.acknowledge(queue, receipt);
      }
    }
    return bodies.toSorted();
  };
  return [
    ...brokerRefusals(make),
    {
      name: 'sends one and many, and reports on each in order',
      async run() {
        const under = make();
        const bodies = Array.from({ length: 25 }, (_, index) => `message ${String(index).padStart(2, '0')}`);
        const outcomes = await under.broker.send(bodies.map((body) => ({ queue: under.standard, body })));
        ok(outcomes.every((outcome) => outcome.ok));
        equal(new Set(outcomes.map((outcome) => outcome.ok && outcome.messageId)).size, 25);
        deepEqual(await drain(under, under.standard), bodies);
      },
    },
    {
      name: 'an item that cannot be sent fails alone',
      async run() {
        const under = make();
        const outcomes = await under.broker.send([
          { queue: under.standard, body: 'good' },
          { queue: 'nowhere', body: 'lost' },
          { queue: under.standard, body: 'late', delaySeconds: SQS_MAX_DELAY_SECONDS + 1 },
          { queue: under.standard, body: 'x'.repeat(SQS_MAX_MESSAGE_BYTES + 1) },
          { queue: 'nowhere', body: 'x'.repeat(SQS_MAX_MESSAGE_BYTES + 1) },
        ]);
        deepEqual(
          outcomes.map((outcome) => outcome.ok),
          [true, false, false, false, false],
        );
        // That there is none comes before what it would not take.
        for (const index of [1, 4])
          equal(outcomes[index]?.ok === false && outcomes[index].code, 'QueueDoesNotExist', String(index));
        ok(outcomes.every((outcome) => outcome.ok || !outcome.retryable));
        deepEqual(await drain(under, under.standard), ['good']);
      },
    },
    {
      name: 'packs by size: ten messages of 300 KB arrive',
      async run() {
        const under = make();
        const bodies = Array.from({ length: 10 }, (_, index) => String(index).repeat(300_000));
        const outcomes = await under.broker.send(bodies.map((body) => ({ queue: under.standard, body })));
        ok(outcomes.every((outcome) => outcome.ok));
        deepEqual(
          (await drain(under, under.standard)).map((body) => body.length),
          bodies.map((body) => body.length),
        );
      },
    },
    {
      name: 'dead letters keep their bytes and attributes',
      async run() {
        const under = make();
        const body = '{"any": "bytes é \\u0000"}';
        const [outcome] = await under.broker.send([
          { queue: under.standard, deadLetter: true, body, attributes: { reason: 'no', task_id: '1' } },
        ]);
        equal(outcome?.ok, true);
        deepEqual(await under.deadLetters(under.standard), [{ body, attributes: { reason: 'no', task_id: '1' } }]);
        deepEqual(await under.receive(under.standard), []);
      },
    },
    {
      name: 'a message is invisible while it is worked on, and back when told',
      async run() {
        const under = make();
        await under.broker.send([{ queue: under.standard, body: 'again' }]);
        const [first] = await under.receive(under.standard);
        equal(first?.body, 'again');
        deepEqual(await under.receive(under.standard), []);
        await under.broker.changeVisibility(under.standard, first?.receipt ?? '', 0);
        equal((await under.receive(under.standard))[0]?.body, 'again');
      },
    },
    {
      name: 'a receipt that is no longer valid is no error',
      async run() {
        const under = make();
        await under.broker.send([{ queue: under.standard, body: 'gone' }]);
        const [message] = await under.receive(under.standard);
        await under.acknowledge(under.standard, message?.receipt ?? '');
        await under.broker.changeVisibility(under.standard, message?.receipt ?? '', 0);
        deepEqual(await under.receive(under.standard), []);
      },
    },
    {
      name: 'FIFO: groups keep order, repetitions are dropped, a delay is refused',
      async run() {
        const under = make();
        const item = (
          body: string,
          groupId: string,
        ): { queue: string; body: string; groupId: string; deduplicationId: string } => ({
          queue: under.fifo,
          body,
          groupId,
          deduplicationId: body,
        });
        await under.broker.send([item('a1', 'a'), item('a2', 'a'), item('b1', 'b')]);
        await under.broker.send([item('a2', 'a')]);
        const [delayed] = await under.broker.send([{ ...item('late', 'c'), delaySeconds: 5 }]);
        equal(delayed?.ok, false);
        const seen: string[] = [];
        for (let batch = await under.receive(under.fifo); batch.length > 0; batch = await under.receive(under.fifo)) {
          for (const { body, receipt } of batch) {
            seen.push(body);
            await under.acknowledge(under.fifo, receipt);
          }
        }
        deepEqual(
          seen.filter((body) => body.startsWith('a')),
          ['a1', 'a2'],
        );
        equal(seen.length, 3);
      },
    },
  ];
}
