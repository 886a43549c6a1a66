/** Whoever may store timers may store any item among them: none of it sends more than a task, holds up others or comes again for ever. */
import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { Celeriac, silentLogger } from 'celeriac';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../lib/aws/connect.ts';
import { peekDeadLetters, SqsPoller } from '../../lib/aws/poller.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import { type Servers, startServers } from '../support/servers.ts';
import { dueTimers } from '../support/due-timers.ts';

const app = new Celeriac('forged', {
  history: 'off',
  queues: { default: {}, mail: {} },
  timerShards: 2,
  logger: silentLogger,
});
const note = app.task('note', (name: string) => name);
let servers: Servers;
let environment: Environment;

beforeAll(async () => {
  servers = await startServers();
  environment = await servers.provision(app);
  app.use({ ...connect(environment, { clock: systemClock, random: systemRandom }, servers), logger: silentLogger });
});
afterAll(() => servers.stop());

const dueMs = systemClock.nowMs() - 86_400_000;
const timer = (id: string, message: string, more: object = {}): object => ({
  pk: { S: 'timer#0' },
  sk: { S: `${dueMs}#${id}#0` },
  task_id: { S: id },
  attempt: { N: '0' },
  due: { N: String(dueMs) },
  message: { S: message },
  ...more,
});
const toDefault = (body: string): string => JSON.stringify({ queue: 'default', body });

const FORGED: Readonly<Record<string, object>> = {
  'no JSON': timer('a', '{'),
  'no object': timer('b', 'null'),
  'no body': timer('c', '{"queue":"default"}'),
  'a body that is no text': timer('d', '{"queue":"default","body":{"length":1}}'),
  'a queue that is none': timer('e', '{"queue":["default"],"body":"e"}'),
  'a dead letter': timer(
    'f',
    JSON.stringify({ queue: 'mail', body: 'f', deadLetter: true, attributes: { reason: 'forged' } }),
  ),
  'a name of every object': timer('g', JSON.stringify({ queue: 'constructor', body: 'g' })),
  'another id than its key says': timer('h', toDefault('h'), { task_id: { S: 'other' } }),
  'another time than its key says': timer('i', toDefault('i'), { due: { N: '5' } }),
  'another attempt than its key says': timer('j', toDefault('j'), { attempt: { N: '3' } }),
  'a key that is none': timer('k', toDefault('k'), { sk: { S: '0' } }),
  'a sequence': timer('l', toDefault('l'), { sequence: { S: 'x' } }),
  'a body that SQS does not take': timer('n', toDefault('\u0001')),
  'neither JSON nor anything that SQS takes': timer('p', '\u0001{'),
  'no message': timer('q', ''),
  'a body without text': timer('r', toDefault('')),
  'a group that SQS does not take': timer('o', JSON.stringify({ queue: 'default', body: 'o', groupId: ' ' })),
  'nothing but its key': { pk: { S: 'timer#1' }, sk: { S: '1' } },
  'a time that no date has': timer('m', toDefault('m'), { due: { N: '9e125' } }),
};

async function left(): Promise<unknown[]> {
  const { Items = [] } = await servers.dynamodb.send(new ScanCommand({ TableName: environment.stateTable }));
  return Items.map(({ sk }) => sk?.S);
}

async function bodiesOf(queue: string): Promise<string[]> {
  const poller = new SqsPoller(servers.sqs, queue, environment.queues[queue] ?? '');
  const bodies: string[] = [];
  for (;;) {
    const deliveries = await poller.receive(0, new AbortController().signal);
    if (deliveries.length === 0) return bodies;
    await poller.delete(deliveries.map(({ receipt }) => receipt));
    bodies.push(...deliveries.map(({ body }) => body));
  }
}

it.each(Object.entries(FORGED))('%s', async (_what, item) => {
  await servers.dynamodb.send(new PutItemCommand({ TableName: environment.stateTable, Item: item as never }));
  const { timers } = await app.ports();
  const real = await note.applyAsync(['real'], { countdown: 4000 });
  const due = await dueTimers(timers, systemClock.nowMs() + 5_000_000);
  const stored = due.find(({ id }) => id === real.id);
  await timers.remove(stored === undefined ? [] : [stored]);
  await timers.put(stored === undefined ? [] : [{ ...stored, dueMs: dueMs + 1 }]);
  await app.sweep();
  expect(await left()).toEqual([]);
  const [sent, mailed] = [await bodiesOf('default'), await bodiesOf('mail')];
  // Behind whatever it was, the task was sent; and it itself once at most.
  expect(sent.filter((body) => body === stored?.message.body)).toHaveLength(1);
  expect(sent.length + mailed.length).toBeLessThanOrEqual(2);
  expect(await peekDeadLetters(servers.sqs, environment.deadLetterQueues['mail'] ?? '')).toEqual([]);
});
