/** Callers that save an order and send its task in one transaction, killed at each of their requests. */
import { randomUUID } from 'node:crypto';

import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';

import type { DrillParts } from './drills-scenario.ts';
import type { Emulator } from './emulator.ts';
import { type Death, type Life, live } from './mortal-caller.ts';
import { equal } from './report.ts';

const SCRIPT = 'test/deploy/drills/outbox-caller.ts';
/** A sweep comes every minute, and what it sends runs within a minute more. */
const PATIENCE = { timeout: 150 };
const REQUESTS = ['TransactWriteItems', 'SendMessage', 'BatchWriteItem'];
/** What is saved by who does not survive the first request: it was sent, or it was not. */
const DEATHS: readonly Death[] = REQUESTS.flatMap((_, index) => [
  { request: index + 1, when: 'before' as const },
  { request: index + 1, when: 'behind' as const },
]);

interface Caller extends Life {
  readonly what: string;
  readonly id: string;
  readonly order: string;
  readonly isSaved: boolean;
}

/** An order is there and its task has run once, or neither. */
export async function outboxScenario(
  { report, drills: { app }, environment: { stateTable } }: DrillParts,
  { endpoint }: Pick<Emulator, 'endpoint'>,
): Promise<void> {
  const dynamodb = new DynamoDBClient({});
  // Others read them meanwhile and change them.
  const variables = { ...process.env };
  const call = async (what: string, death?: Death): Promise<Caller> => {
    const [order, id] = [what, randomUUID()];
    const life = await live([SCRIPT, stateTable, order, id], variables, endpoint, death);
    const Key = { pk: { S: 'orders' }, sk: { S: order } };
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: stateTable, Key, ConsistentRead: true }));
    return { ...life, what, id, order, isSaved: Item !== undefined };
  };
  await report.step('callers of the outbox, killed at each request: an order and its task, or neither', async () => {
    const survivor = await call('survives');
    equal(survivor.asked, REQUESTS, 'the requests of a caller that survives');
    const callers = [survivor];
    // One after another: the machine has other things to do.
    for (const death of DEATHS) callers.push(await call(`dies ${death.when} request ${death.request}`, death));
    equal(
      callers.map(({ signal }) => signal),
      [null, ...DEATHS.map(() => 'SIGKILL')],
      'how they ended',
    );
    equal(
      callers.filter(({ isSaved }) => !isSaved).map(({ what }) => what),
      ['dies before request 1'],
      'whose order is not there',
    );
    for (const { what, id, order, isSaved } of callers)
      if (isSaved) equal(await app.result(id).get(PATIENCE), order.repeat(2), what);
    // A sweep has passed by now: those that left their messages to it have run.
    for (const { what, id, isSaved } of callers) {
      const { attempts = [] } = (await app.history.task(id)) ?? {};
      equal(attempts.length, isSaved ? 1 : 0, `runs of the task of who ${what}`);
    }
    equal(await app.result(callers.find(({ isSaved }) => !isSaved)?.id ?? '').state(), 'PENDING');
    return `${callers.length} callers`;
  });
}
