/** `celeriac` on a service that runs: calls, results and queues, each line of `--json` held by its schema. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv } from 'ajv';
import { Celeriac, Reject } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { JsonSchema } from '../../lib/cli/command.ts';
import { CALL_SCHEMA } from '../../lib/cli/commands/call.ts';
import { INSPECT_SCHEMAS } from '../../lib/cli/commands/inspect.ts';
import { RESULT_SCHEMA } from '../../lib/cli/commands/result.ts';
import { type Answer, celeriacAt, jsonOf } from '../support/celeriac.ts';

const ajv = new Ajv({ strict: false, formats: { 'date-time': true } });

function expectSchema(answer: Answer, schema: JsonSchema): Record<string, unknown>[] {
  const lines = jsonOf(answer);
  for (const line of lines) expect(ajv.validate(schema, line), JSON.stringify([line, ajv.errors])).toBe(true);
  return lines;
}

const app = new Celeriac('shop', { queues: { default: {}, mail: {} }, routes: { 'mail.*': 'mail' } });
app.task('orders.charge', (who: string, cents: number) => ({ who, cents }));
app.task('orders.fail', () => {
  throw new TypeError('total is undefined');
});
app.task('mail.block', () => {
  throw new Reject('address is blocked');
});
app.task('orders.once', { unique: { key: 'all', until: 'finished' } }, (): number => 1);

let cloud: LocalCloud;
let variables: Record<string, string>;
const folders: string[] = [];
beforeAll(async () => {
  cloud = await LocalCloud.start(app, { logger: { log: () => {} } });
  variables = cloud.variables('local');
});
afterAll(async () => {
  await cloud.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const celeriac = (...args: readonly string[]): Promise<Answer> => celeriacAt({ variables }, ...args);

describe('call and result', () => {
  it('a call waits for its result, which is shown', async () => {
    const { code, printed, complained } = await celeriac('call', 'orders.charge', 'ada', '1200', '--wait');
    expect([code, complained]).toEqual([0, expect.stringContaining('sent, waiting')]);
    expect(printed).toMatch(/^SUCCESS {2}orders\.charge {2}.*took \d+ m?s/);
    expect(printed).toContain('"cents": 1200');
  });

  it('a call says its id alone, which result takes', async () => {
    const sent = await celeriac('call', 'orders.charge', '--args', '["bob", 5]');
    expect(sent.code).toBe(0);
    const ended = await celeriac('result', sent.printed, '--wait', '--timeout', '20s', '--json');
    expect(expectSchema(ended, RESULT_SCHEMA)).toEqual([
      expect.objectContaining({
        id: sent.printed,
        state: 'SUCCESS',
        result: { who: 'bob', cents: 5 },
        queue: 'default',
      }),
    ]);
  });

  it('a failure has exit code 1, its error and its stack', async () => {
    const answer = await celeriac('call', 'orders.fail', '--wait', '--json');
    const [line] = expectSchema(answer, CALL_SCHEMA);
    expect([answer.code, line]).toEqual([
      1,
      expect.objectContaining({ state: 'FAILURE', error: { type: 'TypeError', message: 'total is undefined' } }),
    ]);
    const { code, printed } = await celeriac('result', String(line?.['id']));
    expect([code, printed]).toEqual([
      1,
      expect.stringContaining('FAILURE  orders.fail  TypeError: total is undefined'),
    ]);
    expect(printed).toMatch(/\n {4}at .*service\.test\.ts/);
  });

  it('a task that does not end in time is told of, with exit code 1', async () => {
    const { code, complained } = await celeriac(
      'call',
      'orders.charge',
      'x',
      '1',
      '--countdown',
      '1h',
      '--wait',
      '--timeout',
      '0.2',
    );
    expect([code, complained]).toEqual([
      1,
      expect.stringContaining('has not ended within 0.2 s; its state is PENDING'),
    ]);
  });

  it('an id of which nothing is known', async () => {
    const { code, printed, complained } = await celeriac('result', 'nothing');
    expect([code, printed, complained]).toEqual([0, 'PENDING', expect.stringContaining('Nothing is stored of it')]);
  });

  it.each([
    [
      ['call', 'orders.chrage'],
      "No worker of 'shop' knows a task named 'orders.chrage'. Did you mean 'orders.charge'?",
    ],
    [['call', 'orders.once'], "Task 'orders.once' is unique, throttled or debounced"],
    [['call', 'orders.charge', 'x', '--args', '[]'], 'Arguments are given twice'],
    [['call', 'orders.charge', '--kwargs', '[]'], 'Give JSON: an object.'],
    [['call', 'orders.charge', '--countdown', 'soon'], 'Give seconds, or text'],
    [['call', 'orders.charge', '--queue', 'mial'], 'mial'],
    [['call'], "missing required argument 'name'"],
  ])('%j is wrong use', async (args, message) => {
    const { code, complained, printed } = await celeriac(...args);
    expect([code, printed, complained]).toEqual([2, '', expect.stringContaining(message)]);
  });
});

describe('inspect queues', () => {
  it('counts what is ready, delayed and dead', async () => {
    await celeriac('call', 'mail.block', '--wait');
    await celeriac('call', 'mail.block', '--countdown', '10m');
    const answer = await celeriac('inspect', 'queues', '--json');
    expect(answer.code).toBe(0);
    expect(expectSchema(answer, INSPECT_SCHEMAS['queues'] ?? {})).toContainEqual({
      queue: 'mail',
      ready: 0,
      inFlight: 0,
      delayed: 1,
      dead: 1,
      state: 'running',
    });
    const { printed } = await celeriac('inspect', 'queues');
    expect(printed.split('\n')[0]).toMatch(/^QUEUE {3,}READY {2}IN FLIGHT {2}DELAYED {2}DEAD {2}STATE$/);
    expect(printed).toMatch(/^mail +0 +0 +1 +1 {2}running$/m);
  });
});

describe('which service', () => {
  it('none that is told of: say which', async () => {
    const { code, complained } = await celeriacAt({}, 'inspect', 'queues');
    expect([code, complained]).toEqual([2, expect.stringContaining('Which service?')]);
  });

  it('celeriac dev in this folder comes before the environment', async () => {
    const folder = dev(Object.entries(variables));
    const { code, printed } = await celeriacAt(
      { folder, variables: { CELERIAC_SERVICE_SHOP: '{}' } },
      'inspect',
      'queues',
    );
    expect([code, printed]).toEqual([0, expect.stringContaining('default')]);
  });

  it('one that is gone: not reachable, with the address that was asked', async () => {
    const gone = { ...variables, AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1', AWS_MAX_ATTEMPTS: '1' };
    const { code, complained } = await celeriacAt({ variables: gone }, 'inspect', 'queues');
    expect([code, complained]).toEqual([3, expect.stringContaining('http://127.0.0.1:1 failed')]);
  });
});

function dev(entries: readonly (readonly [string, string])[]): string {
  mkdirSync('.vitest', { recursive: true });
  const folder = mkdtempSync('.vitest/dev-');
  folders.push(folder);
  mkdirSync(join(folder, '.celeriac'));
  writeFileSync(join(folder, '.celeriac', 'env'), entries.map(([name, value]) => `${name}='${value}'\n`).join(''));
  return folder;
}
