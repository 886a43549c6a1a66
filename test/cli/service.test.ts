/** `celeriac` on a service that runs: calls, results and queues, each line of `--json` held by its schema. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { crontab } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { CALL_SCHEMA } from '../../lib/cli/commands/call.ts';
import { INSPECT_SCHEMAS } from '../../lib/cli/commands/inspect-schemas.ts';
import { LOCK_SCHEMA } from '../../lib/cli/commands/locks.ts';
import { PAUSE_SCHEMA, RESUME_SCHEMA } from '../../lib/cli/commands/pause.ts';
import { PING_SCHEMA } from '../../lib/cli/commands/ping.ts';
import { RESULT_SCHEMA } from '../../lib/cli/commands/result.ts';
import { REVOKE_SCHEMA } from '../../lib/cli/commands/revoke.ts';
import { SCHEDULES_SCHEMAS } from '../../lib/cli/commands/schedules.ts';
import { openService } from '../../lib/cli/find-service.ts';
import { monitoredService } from '../../lib/cli/monitored-service.ts';
import { type Answer, celeriacAt, jsonOf, terminalWith } from '../support/celeriac.ts';
import { expectSchema, shopApp } from '../support/shop-service.ts';

const { app } = shopApp();
app.beat({ yearly: { task: 'orders.fail', schedule: crontab('0 0 1 1 *') } });

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
    expect(printed).toMatch(/\n {4}at .*shop-service\.ts/);
  });

  it('a task that does not end in time is told of, with exit code 1', async () => {
    const { code, complained } = await celeriac(
      'call',
      'orders.charge',
      'x',
      '1',
      '--countdown',
      '100s',
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
    expect(expectSchema(answer, INSPECT_SCHEMAS['queues'])).toContainEqual({
      queue: 'mail',
      ready: 0,
      inFlight: 0,
      delayed: 1,
      dead: 1,
      parked: 0,
      state: 'running',
    });
    const { printed } = await celeriac('inspect', 'queues');
    expect(printed.split('\n')[0]).toMatch(
      /^QUEUE {3,}READY {2}IN FLIGHT {2}DELAYED {2}PARKED {2}DEAD {2}OLDEST {2}STATE$/,
    );
    expect(printed).toMatch(/^mail +0 +0 +1 +0 +1 +– {2}running$/m);
  });
});

describe('inspect', () => {
  const lines = async (what: string, ...args: readonly string[]): Promise<Record<string, unknown>[]> => {
    const answer = await celeriac('inspect', what, ...args, '--json');
    expect(answer).toMatchObject({ code: 0 });
    return expectSchema(answer, INSPECT_SCHEMAS[what]);
  };

  it('registered: tasks and their queues', async () => {
    expect(await lines('registered')).toContainEqual({ name: 'mail.block', queue: 'mail' });
  });

  it('scheduled: what waits in the table, the next one first; the limit says that there are more', async () => {
    await celeriac('call', 'orders.charge', 'late', '1', '--eta', '2100-01-01T00:00:00Z', '--task-id', 'late');
    await celeriac('call', 'orders.charge', 'soon', '2', '--countdown', '2h', '--task-id', 'soon');
    expect(await lines('scheduled')).toEqual([
      expect.objectContaining({ id: 'soon', name: 'orders.charge', args: "('soon', 2)", queue: 'default', retries: 0 }),
      expect.objectContaining({ id: 'late', due: '2100-01-01T00:00:00.000Z' }),
    ]);
    const { printed, complained } = await celeriac('inspect', 'scheduled', '--limit', '1');
    expect(printed).toMatch(/^soon +orders\.charge\('soon', 2\) +default +in 1 h 59 min$/m);
    expect([printed.includes('late'), complained]).toEqual([false, 'There are more: --limit 10']);
    expect((await celeriac('inspect', 'scheduled', '--utc')).printed).toContain('2100-01-01T00:00:00.000Z');
  });

  it('stats: what it is made of', async () => {
    expect(await lines('stats')).toEqual([expect.objectContaining({ app: 'shop', queues: 2, foundBy: 'environment' })]);
  });
});

describe('revoke', () => {
  it('what waits is revoked; what has ended stays', async () => {
    const waiting = await celeriac('call', 'orders.charge', 'x', '1', '--countdown', '100s');
    const ended = await celeriac('call', 'orders.charge', 'x', '1', '--wait', '--json');
    const id = String(jsonOf(ended)[0]?.['id']);
    const answer = await celeriac('revoke', waiting.printed, id, '--json');
    expect([answer.code, expectSchema(answer, REVOKE_SCHEMA)]).toEqual([
      0,
      [
        { id: waiting.printed, state: 'REVOKED' },
        { id, state: 'SUCCESS' },
      ],
    ]);
    expect((await celeriac('result', waiting.printed)).code).toBe(1);
  });
});

describe('pause and resume', () => {
  it("a paused queue's worker does not run, and goes on when it is resumed", async () => {
    const answer = await celeriac('pause', 'mail', '--why', 'the relay is down', '--by', 'ada', '--yes', '--json');
    expect([answer.code, expectSchema(answer, PAUSE_SCHEMA)]).toEqual([
      0,
      [expect.objectContaining({ queue: 'mail', by: 'ada', why: 'the relay is down', eventSource: 'none' })],
    ]);
    // There is no CloudWatch here, which tells how old messages are.
    expect(jsonOf(answer)[0]).toMatchObject({ keptSeconds: 345_600 });
    // The pump looks once a second.
    await expect.poll(() => pausedNow('mail')).toBe(true);
    const { printed } = await celeriac('inspect', 'queues');
    expect(printed).toMatch(/^mail .*paused by ada \d.* ago: the relay is down$/m);
    const again = await celeriac('pause', 'mail', '--by', 'bob', '--yes');
    expect(again.printed).toBe("Queue 'mail' is paused by ada: the relay is down.");
    const resumed = await celeriac('resume', 'mail', '--json');
    expect([resumed.code, expectSchema(resumed, RESUME_SCHEMA)]).toEqual([
      0,
      [expect.objectContaining({ queue: 'mail', by: 'ada' })],
    ]);
    await expect.poll(() => pausedNow('mail')).toBe(false);
    expect(await celeriac('resume', 'mail')).toMatchObject({
      code: 1,
      complained: expect.stringContaining('not paused') as string,
    });
  });

  it.each([
    [['pause', 'mial', '--yes'], "There is no queue 'mial'. Did you mean 'mail'?"],
    [['pause', 'mail'], 'add --yes'],
  ])('%j is wrong use', async (args, message) => {
    expect(await celeriac(...args)).toMatchObject({ code: 2, complained: expect.stringContaining(message) as string });
  });

  /** Whether a task stays where it is for a while: workers here poll all the time. */
  async function pausedNow(queue: string): Promise<boolean> {
    const { printed: id } = await celeriac('call', 'mail.block', '--queue', queue);
    const ended = await celeriac('result', id, '--wait', '--timeout', '0.7');
    return ended.complained.includes('has not ended');
  }
});

describe('locks', () => {
  it('are listed, and freed where somebody says yes', async () => {
    const lock = await app.locks.acquire('import', { info: 'nightly import' });
    const list = await celeriac('locks', 'list', '--json');
    expect(expectSchema(list, LOCK_SCHEMA)).toEqual([
      expect.objectContaining({ key: 'import', token: lock?.token, info: 'nightly import' }),
    ]);
    expect(await celeriac('locks', 'free', 'import')).toMatchObject({ code: 2 });
    expect(await celeriacAt({ variables, answer: false }, 'locks', 'free', 'import')).toMatchObject({
      code: 1,
      complained: expect.stringContaining('Nothing was done.') as string,
    });
    expect(await celeriac('locks', 'free', 'import', '--token', '999', '--yes')).toMatchObject({ code: 1 });
    const freed = await celeriacAt({ variables, answer: true }, 'locks', 'free', 'import', '--json');
    expect([freed.code, expectSchema(freed, LOCK_SCHEMA)]).toEqual([0, [expect.objectContaining({ key: 'import' })]]);
    await expect(lock?.renew()).rejects.toThrow('was freed');
    expect((await celeriac('locks', 'list')).complained).toBe('Nobody has a lock.');
  });
});

describe('schedules', () => {
  afterEach(async () => {
    for (const { name, source } of await app.schedules.list())
      if (source === 'stored') await app.schedules.delete(name);
  });

  const entries = (answer: Answer, what: string): Record<string, unknown>[] => {
    expect([answer.code, answer.complained]).toEqual([0, '']);
    return expectSchema(answer, SCHEDULES_SCHEMAS[what]);
  };

  it('an entry is put, shown, disabled, run and deleted', async () => {
    const put = await celeriac(
      'schedules',
      'put',
      'nightly',
      '--task=orders.charge',
      '--args=["ada", 5]',
      '--crontab=0 3 * * *',
      '--timezone=Europe/Berlin',
      '--json',
    );
    expect(entries(put, 'put')).toEqual([
      expect.objectContaining({ name: 'nightly', enabled: true, scheduleText: 'crontab 0 3 * * * Europe/Berlin' }),
    ]);
    expect(entries(await celeriac('schedules', 'disable', 'nightly', '--json'), 'disable')).toEqual([
      expect.objectContaining({ enabled: false }),
    ]);
    expect((await celeriac('schedules', 'list')).printed).toMatch(
      /^nightly +orders\.charge +crontab 0 3 \* \* \* Europe\/Berlin +– +– +sweep, stored, disabled$/m,
    );
    entries(await celeriac('schedules', 'enable', 'nightly', '--json'), 'enable');
    expect(entries(await celeriac('schedules', 'show', 'nightly', '--json'), 'show')).toEqual([
      expect.objectContaining({ nextTicks: [expect.any(String), expect.any(String), expect.any(String)] }),
    ]);
    const [sent] = entries(await celeriac('schedules', 'run', 'nightly', '--json'), 'run');
    const ended = await celeriac('result', String(sent?.['id']), '--wait', '--timeout', '20s', '--json');
    expect(jsonOf(ended)).toEqual([expect.objectContaining({ result: { who: 'ada', cents: 5 } })]);
    expect(await celeriac('schedules', 'delete', 'nightly')).toMatchObject({ code: 2 });
    entries(await celeriac('schedules', 'delete', 'nightly', '--yes', '--json'), 'delete');
    expect(await celeriac('schedules', 'show', 'nightly')).toMatchObject({ code: 1, printed: '' });
  });

  it('what put would store is told in words, with its next ticks, and not stored', async () => {
    const args = ['nightly', '--task=orders.charge', '--crontab=30 3 * * fri', '--timezone=Europe/Berlin'] as const;
    const answer = await celeriac('schedules', 'check', ...args, '--utc');
    expect([answer.code, answer.complained]).toEqual([0, '']);
    const [words, ...ticks] = answer.printed.split('\n');
    expect(words).toBe('At 03:30, only on Friday (Europe/Berlin)');
    expect(ticks).toHaveLength(3);
    const [entry] = entries(await celeriac('schedules', 'check', ...args, '--json'), 'check');
    const days = ((entry?.['nextTicks'] ?? []) as string[]).map((tick) => new Date(tick).getUTCDay());
    expect(days).toEqual([5, 5, 5]);
    const over = await celeriac('schedules', 'check', ...args, '--expires=2020-01-01T00:00:00Z');
    expect([over.code, over.complained]).toEqual([0, 'It is not due any more.']);
    expect(await app.schedules.get('nightly')).toBeUndefined();
  });

  it('an entry is renamed, with its counts; not to a name that is taken', async () => {
    for (const name of ['old', 'taken']) await celeriac('schedules', 'put', name, '--task=mail.block', '--every=9h');
    expect(await celeriac('schedules', 'rename', 'old', 'taken')).toMatchObject({ code: 1, printed: '' });
    const renamed = entries(await celeriac('schedules', 'rename', 'old', 'new', '--json'), 'rename');
    expect(renamed).toEqual([expect.objectContaining({ name: 'new', enabled: true })]);
    expect(await celeriac('schedules', 'rename', 'old', 'newer')).toMatchObject({
      code: 1,
      complained: expect.stringContaining("There is no entry 'old'") as string,
    });
    expect(await app.schedules.get('old')).toBeUndefined();
  });

  it('a declared entry that was disabled follows its code again; a stored one has none', async () => {
    // The sweep of the cloud's start has told the store of it.
    await expect.poll(async () => (await celeriac('schedules', 'show', 'yearly')).code).toBe(0);
    const [off] = entries(await celeriac('schedules', 'disable', 'yearly', '--json'), 'disable');
    expect([off?.['enabled'], off?.['choice']]).toEqual([false, false]);
    expect((await celeriac('schedules', 'list')).printed).toMatch(/^yearly .* by hand$/m);
    const [on] = entries(await celeriac('schedules', 'follow-code', 'yearly', '--json'), 'follow-code');
    expect([on?.['enabled'], on?.['choice']]).toEqual([true, null]);
    await celeriac('schedules', 'put', 'stored', '--task=mail.block', '--every=9h');
    expect(await celeriac('schedules', 'follow-code', 'stored')).toMatchObject({ code: 2, printed: '' });
  });

  it('an entry runs with other arguments', async () => {
    await celeriac('schedules', 'put', 'charge', '--task=orders.charge', '--args=["ada", 5]', '--every=9h');
    const sent = await celeriac('schedules', 'run', 'charge', '--args=["bob", 6]');
    expect((await celeriac('result', sent.printed, '--wait', '--timeout=20s')).printed).toContain('"bob"');
    // The monitor has it among the runs of the entry.
    const service = await openService({}, terminalWith({ variables }));
    const { audit } = monitoredService(service);
    expect(await audit.list({ limit: 1, nowMs: Date.now() })).toMatchObject([
      { action: 'schedule.run', on: ['charge', sent.printed], outcome: 'done' },
    ]);
    service.close();
  });

  it('what is dumped can be loaded: entries that exist are kept, or replaced', async () => {
    await celeriac('schedules', 'put', 'beat', '--task', 'mail.block', '--every', '2h');
    const { printed: fixture } = await celeriac('schedules', 'dump');
    await celeriac('schedules', 'put', 'beat', '--task', 'mail.block', '--every', '3h');
    const load = (...args: readonly string[]): Promise<Answer> =>
      celeriacAt({ variables, input: fixture }, 'schedules', 'load', '-', ...args, '--json');
    expect(entries(await load(), 'load')).toEqual([{ stored: [], kept: ['beat'] }]);
    expect(entries(await load('--replace', '--yes'), 'load')).toEqual([{ stored: ['beat'], kept: [] }]);
    expect((await celeriac('schedules', 'list')).printed).toMatch(/^beat +mail\.block +every 2 h/m);
    expect(await celeriac('schedules', 'load', 'nowhere.json')).toMatchObject({ code: 2 });
  });

  it.each([
    [['put', 'x', '--task', 'orders.chrage', '--every', '1h'], "Did you mean 'orders.charge'"],
    [['put', 'x', '--task', 'orders.charge'], 'Give one of --crontab, --every, --at and --solar'],
    [['put', 'x', '--task', 'orders.charge', '--crontab', '61 * * * *'], '61'],
    [['put', 'x', '--task', 'orders.charge', '--solar', 'noon,1,2'], 'noon'],
  ])('%j is wrong use', async (args, message) => {
    expect(await celeriac('schedules', ...args)).toMatchObject({
      code: 2,
      printed: '',
      complained: expect.stringContaining(message) as string,
    });
  });
});

describe('ping', () => {
  it('queues and tables answer', async () => {
    const answer = await celeriac('ping', '--json');
    expect([answer.code, expectSchema(answer, PING_SCHEMA).map(({ what, ok }) => [what, ok])]).toEqual([
      0,
      [
        ['queues', true],
        ['results', true],
        ['state', true],
      ],
    ]);
  });

  it('one that does not', async () => {
    const gone = { ...variables, AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1', AWS_MAX_ATTEMPTS: '1' };
    const { code, printed } = await celeriacAt({ variables: gone }, 'ping');
    expect([code, printed]).toEqual([3, expect.stringMatching(/^queues .*failed/m)]);
    expect(printed).toMatch(/^state +shop-state +pong in/m);
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
    for (const args of [
      ['inspect', 'queues'],
      ['call', 'orders.charge'],
    ]) {
      const { code, complained } = await celeriacAt({ variables: gone }, ...args);
      expect([code, complained]).toEqual([3, expect.stringContaining('http://127.0.0.1:1 failed')]);
    }
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
