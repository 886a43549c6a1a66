/** Each command by its real process, on one service that runs: its exit code, and its JSON held by its schema. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { crontab } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SCHEMAS } from '../../lib/cli/schemas.ts';
import { type Answer, celeriacProcess, PROCESS_VARIABLES, SOURCE } from '../support/celeriac.ts';
import { COMMON_COMMANDS } from '../support/process-commands.ts';
import { expectSchema, shopApp } from '../support/shop-service.ts';
import { PATIENCE_MS, PATIENCE_SECONDS } from '../support/patience.ts';

const shop = shopApp();
shop.app.beat({
  yearly: { task: 'orders.fail', schedule: crontab({ minute: 0, hour: 0, dayOfMonth: 1, monthOfYear: 1 }) },
});
let cloud: LocalCloud;
let variables: Record<string, string>;
mkdirSync('.vitest', { recursive: true });
const folder = mkdtempSync('.vitest/commands-');
beforeAll(async () => {
  cloud = await LocalCloud.start(shop.app, { logger: { log: () => {} } });
  variables = cloud.variables('local');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await cloud.stop();
});

const started = new Set<string>();

/** The command that the arguments name, with its subcommand where it has any. */
function nameOf([first = '', second = '']: readonly string[]): string {
  const both = `${first} ${second}`;
  return COMMON_COMMANDS.includes(both) ? both : first;
}

async function celeriac(...args: readonly string[]): Promise<Answer> {
  started.add(nameOf(args));
  return celeriacProcess({ variables }, ...args);
}

/** Done, with nothing to say beside its lines, each of which is as its schema says. */
async function lines(...args: readonly string[]): Promise<Record<string, unknown>[]> {
  const answer = await celeriac(...args, '--json');
  expect([answer.code, answer.complained], args.join(' ')).toEqual([0, '']);
  return expectSchema(answer, SCHEMAS[nameOf(args)]);
}

describe('tasks', () => {
  it('call, result, revoke', async () => {
    const [task] = await lines('call', 'orders.charge', 'ada', '-2', '--wait');
    expect(task).toMatchObject({ state: 'SUCCESS', result: { who: 'ada', cents: -2 } });
    const id = String(task?.['id']);
    expect(await lines('result', id)).toEqual([task]);
    expect(await lines('revoke', id)).toEqual([{ id, state: 'SUCCESS' }]);
    const failed = await celeriac('call', 'orders.fail', '--wait');
    expect([failed.code, failed.printed]).toEqual([1, expect.stringMatching(/^FAILURE {2}orders\.fail/)]);
    // Nobody sees colours in a pipe.
    expect(failed.printed + failed.complained).not.toContain('\u001B');
  });

  it('revoke --terminate ends what runs, which goes on without it', async () => {
    const { printed } = await celeriac('call', 'orders.endless');
    const id = printed.trim();
    await expect.poll(() => shop.app.result(id).state()).toBe('STARTED');
    expect((await celeriac('revoke', id)).complained).toContain('--terminate');
    expect(await lines('revoke', id, '--terminate')).toEqual([{ id, state: 'STARTED' }]);
    const ended = await celeriac('result', id, '--wait', '--timeout', '60s', '--json');
    expect([ended.code, expectSchema(ended, SCHEMAS['result'])]).toEqual([
      1,
      [expect.objectContaining({ state: 'REVOKED' })],
    ]);
  });
});

describe('what a service is doing', () => {
  it('inspect queues, registered, stats, scheduled; ping', async () => {
    await celeriac('call', 'orders.charge', 'ada', '1', '--countdown', '2h', '--task-id', 'later');
    const [queues, registered, stats, scheduled, pongs] = await Promise.all([
      lines('inspect', 'queues'),
      lines('inspect', 'registered'),
      lines('inspect', 'stats'),
      lines('inspect', 'scheduled'),
      lines('ping'),
    ]);
    expect(queues.map(({ queue, state }) => [queue, state])).toEqual([
      ['default', 'running'],
      ['mail', 'running'],
    ]);
    expect(registered).toContainEqual({ name: 'mail.block', queue: 'mail' });
    expect(stats).toEqual([expect.objectContaining({ app: 'shop', queues: 2 })]);
    expect(scheduled).toEqual([expect.objectContaining({ id: 'later', name: 'orders.charge' })]);
    expect(pongs.map(({ what, ok }) => [what, ok])).toEqual([
      ['queues', true],
      ['results', true],
      ['state', true],
    ]);
  });

  it('explain, stats, events, purge', async () => {
    const [task] = await lines('call', 'orders.charge', 'bob', '7', '--wait');
    const id = String(task?.['id']);
    expect(await lines('explain', id)).toEqual([expect.objectContaining({ id })]);
    // The history is written with the end of its batch.
    await expect
      .poll(() => lines('events', '--since', '10m', '--no-follow'))
      .toContainEqual(expect.objectContaining({ id, task: 'orders.charge' }));
    expect((await lines('stats')).length).toBeGreaterThan(0);
    expect(await lines('purge', 'mail', '--dry-run')).toHaveLength(1);
  });

  it('inspect active, reserved, parked: who runs under a concurrency, and who waits for it', async () => {
    const ship = ['orders.ship', '--key', 'DE'] as const;
    const first = await celeriac('call', 'orders.ship', 'DE');
    await shop.shipping;
    const second = await celeriac('call', 'orders.ship', 'DE');
    await expect.poll(() => lines('inspect', 'parked', ...ship)).toHaveLength(1);
    const [active, reserved, shown, none] = await Promise.all([
      lines('inspect', 'active', ...ship),
      lines('inspect', 'reserved', ...ship),
      celeriac('inspect', 'parked', ...ship),
      celeriac('inspect', 'parked', 'orders.ship'),
    ]);
    const all = await Promise.all(['active', 'parked'].map((what) => lines('inspect', what)));
    expect(all).toEqual([
      [expect.objectContaining({ id: first.printed.trim(), task: 'orders.ship', key: 'DE' })],
      [
        expect.objectContaining({
          id: second.printed.trim(),
          task: 'orders.ship',
          key: 'DE',
          queue: 'default',
          place: 1,
        }),
      ],
    ]);
    expect(active).toEqual([expect.objectContaining({ id: first.printed.trim(), retries: 0 })]);
    expect(reserved).toEqual([]);
    expect(shown.printed).toMatch(new RegExp(`1  ${second.printed.trim()}  \\d+ m?s ago`));
    expect(shown.complained).toContain('1 of 1 run, 1 wait.');
    expect(none.complained).toContain('Nobody ever ran under it');
    expect(await lines('explain', second.printed.trim())).toMatchObject([
      { task: 'orders.ship', reasons: [{ kind: 'slot', key: 'DE', limit: 1, place: 1 }] },
    ]);
    const { printed, complained } = await celeriac('explain', first.printed.trim());
    expect([printed, complained]).toEqual([
      expect.stringMatching(/^orders\.ship .* runs, since /),
      expect.stringContaining('--terminate'),
    ]);
    shop.release();
    expect((await celeriac('result', second.printed.trim(), '--wait', '--timeout', '60s')).code).toBe(0);
  });
});

describe('what ended', () => {
  it('stats and events', async () => {
    const id = String((await lines('call', 'orders.charge', 'eve', '1', '--wait'))[0]?.['id']);
    await expect
      .poll(() => lines('events', '--since', '10m', '--no-follow', '--task', 'orders.charge'))
      .toContainEqual(expect.objectContaining({ id, state: 'SUCCESS' }));
    expect(await lines('stats')).toContainEqual(expect.objectContaining({ task: 'orders.charge' }));
  });
});

describe('what is changed', () => {
  it('purge', async () => {
    await celeriac('call', 'mail.block', '--countdown', '10m');
    expect((await celeriac('purge', 'mail')).code).toBe(2);
    const [purged, ...others] = await lines('purge', 'mail', '--yes');
    expect([purged, others]).toEqual([expect.objectContaining({ queue: 'mail', purged: true }), []]);
    expect(Number(purged?.['delayed'])).toBeGreaterThan(0);
    expect(await lines('purge', 'mail', '--dry-run')).toMatchObject([{ purged: false, delayed: 0 }]);
  });

  it('pause and resume', async () => {
    const [paused] = await lines('pause', 'mail', '--why', 'the relay is down', '--by', 'ada', '--yes');
    expect(paused).toMatchObject({ queue: 'mail', by: 'ada', why: 'the relay is down' });
    expect(await lines('inspect', 'queues')).toContainEqual(
      expect.objectContaining({ queue: 'mail', state: 'paused', paused: expect.objectContaining({ by: 'ada' }) }),
    );
    expect(await lines('resume', 'mail')).toEqual([expect.objectContaining({ queue: 'mail', by: 'ada' })]);
    expect((await celeriac('resume', 'mail')).code).toBe(1);
  });

  it('locks list and free', async () => {
    const lock = await shop.app.locks.acquire('import');
    expect(await lines('locks', 'list')).toHaveLength(1);
    const refused = await celeriac('locks', 'free', 'import');
    expect([refused.code, refused.complained]).toEqual([2, expect.stringContaining('add --yes')]);
    expect(await lines('locks', 'free', 'import', '--yes')).toEqual([expect.objectContaining({ owner: lock?.owner })]);
  });

  it('schedules: check, put, rename, list, show, disable, enable, follow-code, run, dump, load, delete', async () => {
    const wanted = ['--task', 'orders.charge', '--args', '["x", 1]', '--every', '9h'] as const;
    const [checked] = await lines('schedules', 'check', 'w', ...wanted);
    expect(checked?.['nextTicks']).toHaveLength(3);
    await lines('schedules', 'put', 'w', ...wanted);
    const renamed = await lines('schedules', 'rename', 'w', 'x');
    const stored = async (): Promise<unknown[]> =>
      (await lines('schedules', 'list')).filter(({ source }) => source === 'stored');
    expect(await stored()).toEqual(renamed);
    expect(await lines('schedules', 'show', 'x')).toEqual([expect.objectContaining({ name: 'x' })]);
    expect(await lines('schedules', 'disable', 'yearly')).toEqual([expect.objectContaining({ choice: false })]);
    expect(await lines('schedules', 'follow-code', 'yearly')).toEqual([
      expect.objectContaining({ choice: null, enabled: true }),
    ]);
    expect(await lines('schedules', 'disable', 'x')).toEqual([expect.objectContaining({ enabled: false })]);
    expect(await lines('schedules', 'enable', 'x')).toEqual([expect.objectContaining({ enabled: true })]);
    for (const [who, ...args] of [['x'], ['y', '--args', '["y", 1]']] as const) {
      const [sent] = await lines('schedules', 'run', 'x', ...args);
      const result = shop.app.result(String(sent?.['id']));
      expect(await result.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).toEqual({ who, cents: 1 });
    }
    const dumped = await celeriac('schedules', 'dump');
    expect(dumped.printed).toContain('"orders.charge"');
    const fixture = join(folder, 'fixture.json');
    writeFileSync(fixture, dumped.printed);
    expect(await lines('schedules', 'load', fixture)).toEqual([{ stored: [], kept: ['x'] }]);
    expect(await lines('schedules', 'delete', 'x', '--yes')).toEqual([{ name: 'x', deleted: true }]);
    expect(await stored()).toEqual([]);
  });

  it('dlq: list, show, redrive, drop', async () => {
    const [one, other] = [await shop.app.send('mail.block', []), await shop.app.send('mail.block', [])];
    for (const { id } of [one, other])
      await shop.app.result(id).get({ propagate: false, timeout: PATIENCE_SECONDS, interval: 0.1 });
    const mail = ['--queue', 'mail'] as const;
    expect(await lines('dlq', 'list', ...mail)).toEqual([expect.objectContaining({ task: 'mail.block', count: 2 })]);
    expect(await lines('dlq', 'show', one.id)).toEqual([expect.objectContaining({ id: one.id, args: [] })]);
    expect(await lines('peek', 'mail', '--dead', '--limit', '1')).toEqual([
      expect.objectContaining({ queue: 'mail', deadLetter: true, reason: 'address is blocked' }),
    ]);
    expect(await lines('peek', 'default')).toEqual([]);
    const redriven = await lines('dlq', 'redrive', ...mail, '--id', one.id, '--yes');
    expect(redriven).toEqual([expect.objectContaining({ matched: 1, sent: 1, complete: true })]);
    // It is rejected again, as its next attempt.
    await expect
      .poll(() => lines('dlq', 'show', one.id), { timeout: PATIENCE_MS, interval: 500 })
      .toEqual([expect.objectContaining({ retries: 1 })]);
    expect(await lines('dlq', 'drop', ...mail, '--yes')).toEqual([expect.objectContaining({ matched: 2, dropped: 2 })]);
  });
});

it('monitor: serves its page until it is told to end', async () => {
  started.add('monitor');
  const env = { ...PROCESS_VARIABLES, ...variables };
  const child = spawn(process.execPath, [...SOURCE, 'monitor', '--port', '0', '--json'], { env });
  const ended = once(child, 'exit');
  try {
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const { url, address } = JSON.parse(line) as { readonly url: string; readonly address: string };
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+/);
    const token = new URL(address).searchParams.get('token') ?? '';
    const asked = (headers: Record<string, string>): Promise<Response> =>
      fetch(new URL('/api/locks', url), { headers });
    expect((await asked({ authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await asked({})).status).toBe(401);
  } finally {
    child.kill('SIGINT');
  }
  expect(await ended).toEqual([0, null]);
});

it('no service, and one that cannot be reached', async () => {
  expect(await celeriacProcess({}, 'inspect', 'queues')).toMatchObject({ code: 2, printed: '' });
  const gone = { ...variables, AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1', AWS_MAX_ATTEMPTS: '1' };
  expect(await celeriacProcess({ variables: gone }, 'call', 'orders.charge')).toMatchObject({ code: 3, printed: '' });
});

it('every command that is to be started here was', () => {
  expect([...started].toSorted()).toEqual(COMMON_COMMANDS.toSorted());
});
