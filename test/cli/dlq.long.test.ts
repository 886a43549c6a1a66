/** `celeriac dlq` on a service that runs. */
import { Ajv } from 'ajv';
import { Celeriac, Reject } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { DLQ_SCHEMAS } from '../../lib/cli/commands/dlq-schemas.ts';
import { type Answer, celeriacAt, jsonOf } from '../support/celeriac.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const ajv = new Ajv({ strict: false, formats: { 'date-time': true } });
const app = new Celeriac('shop', { queues: { default: {}, mail: {} } });
let broken = true;
const charge = app.task('orders.charge', (order: string, amount: number) => {
  if (broken) throw new Reject(`order ${amount} is blocked`);
  return `${order} ${amount}`;
});

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await LocalCloud.start(app, { logger: { log: () => {} } });
});
afterAll(() => cloud.stop());

const celeriac = (...args: readonly string[]): Promise<Answer> =>
  celeriacAt({ variables: cloud.variables('local') }, ...args);

function checked(answer: Answer, what: keyof typeof DLQ_SCHEMAS): Record<string, unknown>[] {
  const lines = jsonOf(answer);
  for (const line of lines)
    expect(ajv.validate(DLQ_SCHEMAS[what], line), JSON.stringify([line, ajv.errors])).toBe(true);
  return lines;
}

it('lists by group, shows one, tells what a redrive would do, asks, redrives, and drops', async () => {
  const results = [await charge.delay('o-1', 1), await charge.delay('o-2', 2)] as const;
  for (const result of results) await result.get({ propagate: false, interval: 0.05 });
  const queue = ['--queue', 'default'];
  const [group, ...more] = checked(await celeriac('dlq', 'list', ...queue, '--json'), 'list');
  expect([group, more]).toEqual([
    expect.objectContaining({ queue: 'default', task: 'orders.charge', count: 2, errorType: 'Reject' }),
    [],
  ]);
  const [first] = results;
  const shown = await celeriac('dlq', 'show', first.id.slice(0, 12));
  expect([shown.code, shown.printed]).toEqual([0, expect.stringContaining('args        ["o-1",1]')]);
  checked(await celeriac('dlq', 'show', first.id, '--json'), 'show');

  broken = false;
  const one = [...queue, '--id', first.id];
  const dry = checked(await celeriac('dlq', 'redrive', ...one, '--dry-run', '--json'), 'redrive');
  expect(dry).toEqual([expect.objectContaining({ matched: 1, sent: 1 })]);
  const unasked = await celeriac('dlq', 'redrive', ...one);
  expect([unasked.code, unasked.complained]).toEqual([2, expect.stringContaining('1 letter (1 of orders.charge)')]);
  const changed = ['--args', '["o-1", 9]', '--rate', '10/s', '--yes', '--json'];
  const redriven = await celeriac('dlq', 'redrive', ...one, ...changed);
  expect([redriven.code, checked(redriven, 'redrive')]).toEqual([
    0,
    [expect.objectContaining({ matched: 1, sent: 1, failed: 0, complete: true })],
  ]);
  expect(await app.result(first.id).get({ timeout: PATIENCE_SECONDS, interval: 0.05 })).toBe('o-1 9');

  const dropped = await celeriac('dlq', 'drop', ...queue, '--group', String(group?.['fingerprint']), '--yes');
  expect([dropped.code, dropped.printed]).toEqual([0, '1 deleted, 0 failed']);
  const empty = await celeriac('dlq', 'list', ...queue, '--letters', '--json');
  expect([empty.code, checked(empty, 'letters')]).toEqual([0, []]);
});
