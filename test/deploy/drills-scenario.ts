/** The drills, deployed: canvas over queues, a worker that dies, timers, dead letters and schedules. */
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type AsyncResult, chain, chord, enqueueMany } from 'celeriac';

import type { Timer } from '../../lib/ports/timers.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import type { Drills } from './drills/drills.ts';
import { queueNamed } from './leftovers.ts';
import { equal, type Report, until } from './report.ts';
import { ticks } from './ticks.ts';
import { dueTimers } from '../support/due-timers.ts';

const PATIENCE = { timeout: 120 };
/** A sweep comes every minute, and what it sends runs within a minute more. */
const A_SWEEP_SECONDS = 150;

export interface DrillParts {
  readonly report: Report;
  readonly drills: Drills;
  readonly environment: Environment;
}

/** What needs time goes on beside what does not. */
export async function drillsScenario(parts: DrillParts): Promise<void> {
  await Promise.all([killed(parts), farEta(parts), ticks(parts), lostMessage(parts), quick(parts)]);
}

async function quick({
  report,
  drills: { add, sum, double, stubborn, refuse, note },
  environment,
}: DrillParts): Promise<void> {
  await report.step('a chord', async () => {
    equal(await (await chord([add.s(1, 1), add.s(2, 2), double.s(5)], sum.s()).delay()).get(PATIENCE), 16);
  });
  await report.step('a chain over two queues', async () => {
    equal(await (await chain(add.s(1, 2), double.s(), add.s(1)).delay()).get(PATIENCE), 7);
  });
  await report.step('two retries with a countdown', async () => {
    equal(await (await stubborn.delay()).get(PATIENCE), 2);
  });
  await report.step('Reject(requeue: false), and its letter', async () => {
    const result = await refuse.delay('not today');
    await result.get({ ...PATIENCE, propagate: false });
    equal(await result.state(), 'REJECTED');
    return deadLetterOf(environment.deadLetterQueues['default'] ?? '', result.id, 'not today');
  });
  await report.step('a countdown of 3 s on a FIFO queue', async () => {
    const startedMs = Date.now();
    const result = await note.applyAsync(['in order'], { countdown: 3 });
    equal(await result.get(PATIENCE), 'in order');
    return `${((await result.dateDone())?.getTime() ?? 0) - startedMs} ms`;
  });
}

/** Waits for the dead letter of a task whose reason holds `why`. */
async function deadLetterOf(QueueUrl: string, taskId: string, why: string): Promise<string> {
  const sqs = new SQSClient({});
  const seen: Readonly<Record<string, string>>[] = [];
  const deadLetter = await until(
    `a dead letter of task ${taskId}`,
    async () => {
      const { Messages } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: 10,
          MessageAttributeNames: ['All'],
          VisibilityTimeout: 1,
        }),
      );
      for (const { MessageAttributes } of Messages ?? [])
        seen.push(
          Object.fromEntries(
            Object.entries(MessageAttributes ?? {}).map(([key, value]) => [key, value.StringValue ?? '']),
          ),
        );
      return seen.find((attributes) => attributes['task_id'] === taskId);
    },
    (found) => found !== undefined,
    60,
  );
  const reason = deadLetter?.['reason'] ?? '';
  if (!JSON.stringify(deadLetter).includes(why))
    throw new Error(`the dead letter has another reason: ${JSON.stringify(deadLetter)}`);
  return reason;
}

/** One batch has it all: what is done, what is at work, and what kills the process. */
async function killed({ report, drills: { work, die } }: DrillParts): Promise<void> {
  await report.step('a worker killed in a batch: what was done stays done, the rest runs again', async () => {
    const done = work.signature([0], { taskId: 'done-before' });
    const results = await enqueueMany([done, die.s('done-before'), work.s(5000), work.s(5000)]);
    const seen = await Promise.all(results.map((result: AsyncResult<number>) => result.get(PATIENCE)));
    equal(seen, [1, 2, 2, 2], 'deliveries');
    return `deliveries ${seen.join()}`;
  });
}

async function farEta({ report, drills: { app, add } }: DrillParts): Promise<void> {
  await report.step('an ETA of an hour, put back in the table, is sent by the sweep and met', async () => {
    const result = await add.applyAsync([20, 22], { countdown: 3600 });
    equal(await result.state(), 'PENDING');
    const dueMs = Date.now() + 75_000;
    const { timers } = await app.ports();
    const timer = await timerOf(app, result.id);
    await timers.put([putBack(timer, dueMs)]);
    await timers.remove([timer]);
    equal(await result.get({ timeout: A_SWEEP_SECONDS }), 42);
    const lateMs = ((await result.dateDone())?.getTime() ?? 0) - dueMs;
    if (lateMs < 0) throw new Error(`${-lateMs} ms early`);
    return `${lateMs} ms after its time`;
  });
}

/** @throws Error where the table has no timer of this task. */
async function timerOf(app: Drills['app'], id: string): Promise<Timer> {
  const { timers } = await app.ports();
  const stored = await dueTimers(timers, Date.now() + 7_200_000);
  const timer = stored.find((each) => each.id === id);
  if (timer === undefined) throw new Error(`there is no timer of ${id}; there are ${stored.length} others`);
  return timer;
}

/** As if the hour had passed: the message says itself when it is due. */
function putBack(timer: Timer, dueMs: number): Timer {
  const envelope = JSON.parse(Buffer.from(timer.message.body, 'base64').toString()) as { headers: { eta: string } };
  envelope.headers.eta = new Date(dueMs).toISOString();
  const body = Buffer.from(JSON.stringify(envelope)).toString('base64');
  return { ...timer, dueMs, message: { ...timer.message, body } };
}

/** What no worker ever handled gets a state and a dead letter: SQS would move it there after many receives. */
async function lostMessage({ report, drills: { app, add }, environment }: DrillParts): Promise<void> {
  await report.step('a message in the lost queue ends its task, with a letter', async () => {
    const result = await add.applyAsync([1, 1], { countdown: 3600 });
    const { timers } = await app.ports();
    const timer = await timerOf(app, result.id);
    await timers.remove([timer]);
    await new SQSClient({}).send(
      new SendMessageCommand({
        QueueUrl: await queueNamed('CeleriacDrills-TasksQueuesLost'),
        MessageBody: timer.message.body,
      }),
    );
    await result.get({ ...PATIENCE, propagate: false });
    equal(await result.state(), 'FAILURE');
    return deadLetterOf(environment.deadLetterQueues['default'] ?? '', result.id, 'lost');
  });
}
