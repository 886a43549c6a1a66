/** What Python writes as JSON and no other JSON has: such arguments reach the run whatever way their message takes. */
import type { OutgoingMessage } from 'celeriac';
import { expect, it } from 'vitest';

import { newWorld } from '../support/worlds.ts';

const ARGUMENTS = '[[NaN, {"most": Infinity, "least": -Infinity}], {}, {}]';
const VALUES = [Number.NaN, { most: Infinity, least: -Infinity }];

function message(task: string, headers: object = {}): OutgoingMessage {
  return {
    queue: 'default',
    body: JSON.stringify({
      body: ARGUMENTS,
      'content-encoding': 'utf-8',
      'content-type': 'application/json',
      headers: { lang: 'py', task, id: 'py', root_id: 'py', ...headers },
      properties: { correlation_id: 'py', delivery_info: { routing_key: 'default' } },
    }),
  };
}

const START_MS = Date.UTC(2030, 0, 1);
const inSeconds = (seconds: number): { eta: string } => ({ eta: new Date(START_MS + seconds * 1000).toISOString() });

it.each<[string, string, object, number]>([
  ['at once', 'plain', {}, 1],
  ['a retry', 'retried', {}, 2],
  ['a retry that a timer holds', 'retried.late', {}, 2],
  ['an ETA', 'plain', inSeconds(60), 1],
  ['an ETA that a timer holds', 'plain', inSeconds(5000), 1],
  ['a task that is not known yet', 'known.late', {}, 1],
  ['a rate, of which the slot is later', 'limited', {}, 1],
  ['a place in a line', 'alone', {}, 1],
])('%s', async (_what, task, headers, times) => {
  const given: unknown[][] = [];
  const note = (...args: unknown[]): void => void given.push(args);
  const { app, world } = newWorld((of) => {
    of.task('plain', note);
    for (const [name, countdown] of [
      ['retried', 5],
      ['retried.late', 5000],
    ] as const)
      of.task(name, { bind: true }, (self, ...args: unknown[]) => {
        note(...args);
        if (self.request.retries === 0) throw self.retry({ countdown });
      });
    of.task('limited', { rateLimit: '1/m' }, note);
    of.task('alone', { concurrency: { limit: 1, key: () => 'one' } }, async (...args: unknown[]) => {
      note(...args);
      await world.clock.sleep(2000);
    });
    return of;
  });
  if (task === 'limited' || task === 'alone') {
    // Another one is before it.
    await world.broker.send([message(task, { id: 'before', root_id: 'before' })]);
    await world.advance('1s');
    given.length = 0;
  }
  await world.broker.send([message(task, headers)]);
  await world.advance('1s');
  if (task === 'known.late') app.task('known.late', note);
  await world.advance('3h');
  expect(given).toEqual(Array.from({ length: times }, () => VALUES));
  expect(await app.result('py').state()).toBe('SUCCESS');
});
