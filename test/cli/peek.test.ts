/** `celeriac peek` on queues that lie still: what it shows, what it refuses, and that all stays where it is. */
import { Celeriac } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { countingIds, ManualClock } from 'celeriac/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PEEK_SCHEMA } from '../../lib/cli/commands/peek.ts';
import { MemoryBroker } from '../../lib/memory/index.ts';
import { LOST_QUEUE } from '../../lib/ports/delivery.ts';
import { peekQueue, placeToPeek } from '../../lib/operate/peek.ts';
import { type Answer, celeriacAt } from '../support/celeriac.ts';
import { expectSchema } from '../support/shop-service.ts';

const app = new Celeriac('shop', {
  queues: { default: {}, mail: { priorities: [0, 5], worker: 'process' }, orders: { fifo: true } },
  routes: { 'mail.*': 'mail' },
});
app.task('mail.send', (to: string) => to);

let cloud: LocalCloud;
let variables: Record<string, string>;
beforeAll(async () => {
  // Nobody takes what is looked at.
  cloud = await LocalCloud.start(app, { logger: { log: () => {} }, processes: false });
  variables = cloud.variables('local');
});
afterAll(() => cloud.stop());
const celeriac = (...args: readonly string[]): Promise<Answer> => celeriacAt({ variables }, ...args);
const peeked = async (...args: readonly string[]): Promise<Record<string, unknown>[]> =>
  expectSchema(await celeriac('peek', ...args, '--json'), PEEK_SCHEMA);

describe('peek', () => {
  it('shows what lies in a queue and in its lanes, which stays there, received once more', async () => {
    await celeriac('call', 'mail.send', 'ada', '--task-id', 'one');
    await celeriac('call', 'mail.send', 'eve', '--task-id', 'urgent', '--priority', '5');
    for (const receives of [1, 2])
      expect(await peeked('mail')).toEqual([
        expect.objectContaining({
          queue: 'mail',
          id: 'one',
          task: 'mail.send',
          args: "('ada',)",
          retries: 0,
          receives,
        }),
      ]);
    expect(await peeked('mail-p5', '--body')).toEqual([
      expect.objectContaining({ id: 'urgent', body: expect.stringMatching(/^[\w+/=]+$/) as string }),
    ]);
    const { printed, complained } = await celeriac('peek', 'mail');
    expect(printed).toMatch(/^ID +TASK +ATTEMPT +SENT +RECEIVED$/m);
    expect(printed).toMatch(/^one +mail\.send\('ada',\) +1 .* ago +3$/m);
    expect(complained).toContain('A sample of 1 message: each was received once more by this look.');
  });

  it('shows dead letters, by the name of the queue and by their own, and what cannot be read', async () => {
    const { broker } = await app.ports();
    const attributes = { reason: 'address is blocked', task_id: 'two' };
    await broker.send([{ queue: 'mail', deadLetter: true, body: 'no \u202E message', attributes }]);
    const own = (cloud.environment.deadLetterQueues['mail'] ?? '').split('/').at(-1) ?? '';
    for (const args of [['mail', '--dead'], ['mail-p5', '--dead'], [own], [own, '--dead']])
      expect(await peeked(...args)).toEqual([
        expect.objectContaining({ queue: 'mail', deadLetter: true, reason: 'address is blocked' }),
      ]);
    const { printed, complained } = await celeriac('peek', own, '--body');
    expect(printed).toMatch(/^– +The message .* address is blocked$/m);
    // What turns the direction of writing is shown as what it is.
    expect(printed).toContain('no \\u202e message');
    expect(complained).toContain('celeriac dlq list');
  });

  it('an empty queue is no proof, and says so', async () => {
    expect((await celeriac('peek', 'default')).complained).toContain('sees nothing of what is delayed or in flight');
  });

  it.each([
    [['mial'], "There is no queue 'mial'. Did you mean 'mail'?"],
    [['orders'], "Queue 'orders' is FIFO"],
    [['orders', '--dead'], 'celeriac dlq list --letters'],
    [['mail', '--limit', '11'], 'A look shows 1 to 10 messages, and not 11'],
    [['mail', '--limit', '0'], 'A look shows 1 to 10 messages'],
    [['__proto__'], "There is no queue '__proto__'"],
  ])('%j is wrong use', async (args, message) => {
    expect(await celeriac('peek', ...args)).toMatchObject({
      code: 2,
      printed: '',
      complained: expect.stringContaining(message) as string,
    });
  });
});

it('a look is a receive: the one after the last that the queue allows sends the message to the lost queue', async () => {
  const clock = new ManualClock(1_900_000_000_000);
  const queues = { mail: { fifo: false } };
  const broker = new MemoryBroker({ clock, ids: countingIds(), queues, maxReceiveCount: 3 });
  await broker.send([{ queue: 'mail', body: 'x' }]);
  const place = placeToPeek('mail', { queues: { mail: 'http://host/0/shop-mail' }, deadLetterQueues: {} });
  const look = async (): Promise<readonly number[]> =>
    (await peekQueue(place, { peeks: broker.peeks, limit: 10 })).messages.map(({ receives }) => receives);
  expect([await look(), await look(), await look(), await look()]).toEqual([[1], [2], [3], []]);
  expect([broker.depth('mail').visible, broker.depth(LOST_QUEUE).visible]).toEqual([0, 1]);
});

it('a queue whose dead-letter queue nobody tells of has none to look into', () => {
  const environment = { queues: { mail: 'http://host/0/shop-mail' }, deadLetterQueues: {} };
  expect(placeToPeek('shop-mail', environment)).toEqual({ queue: 'mail', deadLetter: false });
  expect(() => placeToPeek('mail', environment, true)).toThrow('has no dead-letter queue that is known here');
});
