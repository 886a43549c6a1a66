/** Each command by its real process, on a service that runs; and what takes seconds. */
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CALL_SCHEMA } from '../../lib/cli/commands/call.ts';
import { INSPECT_SCHEMAS } from '../../lib/cli/commands/inspect-schemas.ts';
import { LOCK_SCHEMA } from '../../lib/cli/commands/locks.ts';
import { PING_SCHEMA } from '../../lib/cli/commands/ping.ts';
import { RESULT_SCHEMA } from '../../lib/cli/commands/result.ts';
import { REVOKE_SCHEMA } from '../../lib/cli/commands/revoke.ts';
import { SCHEDULES_SCHEMAS } from '../../lib/cli/commands/schedules.ts';
import { type Answer, celeriacAt, celeriacProcess } from '../support/celeriac.ts';
import { expectSchema, shopApp } from '../support/shop-service.ts';

const shop = shopApp();
let cloud: LocalCloud;
let variables: Record<string, string>;
beforeAll(async () => {
  cloud = await LocalCloud.start(shop.app, { logger: { log: () => {} } });
  variables = cloud.variables('local');
});
afterAll(() => cloud.stop());

const celeriac = (...args: readonly string[]): Promise<Answer> => celeriacAt({ variables }, ...args);
const started = (...args: readonly string[]): Promise<Answer> => celeriacProcess({ variables }, ...args);

describe('each command as a process', () => {
  it('call, result, revoke: JSON on standard output, all else on standard error', async () => {
    const called = await started('call', 'orders.charge', 'ada', '-2', '--wait', '--json');
    expect(called).toMatchObject({ code: 0, complained: '' });
    const [task] = expectSchema(called, CALL_SCHEMA);
    expect(task).toMatchObject({ state: 'SUCCESS', result: { who: 'ada', cents: -2 } });
    const id = String(task?.['id']);
    expect(expectSchema(await started('result', id, '--json'), RESULT_SCHEMA)).toEqual([task]);
    expect(expectSchema(await started('revoke', id, '--json'), REVOKE_SCHEMA)).toEqual([{ id, state: 'SUCCESS' }]);
    const failed = await started('call', 'orders.fail', '--wait');
    expect([failed.code, failed.printed]).toEqual([1, expect.stringMatching(/^FAILURE {2}orders\.fail/)]);
    // Nobody sees colours in a pipe.
    expect(failed.printed + failed.complained).not.toContain('\u001B');
  });

  it.each(['queues', 'registered', 'scheduled', 'stats'])('inspect %s', async (what) => {
    const answer = await started('inspect', what, '--json');
    expect(answer).toMatchObject({ code: 0, complained: '' });
    expectSchema(answer, INSPECT_SCHEMAS[what]);
  });

  it('locks, schedules, ping', async () => {
    const lock = await shop.app.locks.acquire('import');
    expect(expectSchema(await started('locks', 'list', '--json'), LOCK_SCHEMA)).toHaveLength(1);
    const refused = await started('locks', 'free', 'import');
    expect([refused.code, refused.complained]).toEqual([2, expect.stringContaining('add --yes')]);
    expect(expectSchema(await started('locks', 'free', 'import', '--yes', '--json'), LOCK_SCHEMA)).toEqual([
      expect.objectContaining({ owner: lock?.owner }),
    ]);
    const put = await started('schedules', 'put', 'x', '--task', 'orders.fail', '--every', '9h', '--json');
    expectSchema(put, SCHEDULES_SCHEMAS['put']);
    expect((await started('schedules', 'dump')).printed).toContain('"orders.fail"');
    expect(expectSchema(await started('schedules', 'list', '--json'), SCHEDULES_SCHEMAS['list'])).toHaveLength(1);
    expectSchema(await started('ping', '--json'), PING_SCHEMA);
  });

  it('no service, and one that cannot be reached', async () => {
    expect(await celeriacProcess({}, 'inspect', 'queues')).toMatchObject({ code: 2, printed: '' });
    const gone = { ...variables, AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1', AWS_MAX_ATTEMPTS: '1' };
    expect(await celeriacProcess({ variables: gone }, 'call', 'orders.charge')).toMatchObject({ code: 3, printed: '' });
  });
});

describe('what takes seconds', () => {
  const lines = async (what: string, ...args: readonly string[]): Promise<Record<string, unknown>[]> => {
    const answer = await celeriac('inspect', what, ...args, '--json');
    expect(answer).toMatchObject({ code: 0 });
    return expectSchema(answer, INSPECT_SCHEMAS[what]);
  };

  it('active and parked: who runs under a concurrency, and who waits for it', async () => {
    const first = await celeriac('call', 'orders.ship', 'DE');
    await shop.shipping;
    const second = await celeriac('call', 'orders.ship', 'DE');
    await expect.poll(() => lines('parked', 'orders.ship', '--key', 'DE'), { timeout: 20_000 }).toHaveLength(1);
    expect(await lines('active', 'orders.ship', '--key', 'DE')).toEqual([
      expect.objectContaining({ id: first.printed, retries: 0 }),
    ]);
    const { printed, complained } = await celeriac('inspect', 'parked', 'orders.ship', '--key', 'DE');
    expect(printed).toMatch(new RegExp(`1  ${second.printed}  \\d+ m?s ago`));
    expect(complained).toBe('1 of 1 run, 1 wait.');
    expect(await lines('reserved', 'orders.ship', '--key', 'DE')).toEqual([]);
    shop.release();
    expect((await celeriac('result', second.printed, '--wait', '--timeout', '30s')).code).toBe(0);
    const none = await celeriac('inspect', 'parked', 'orders.ship');
    expect(none.complained).toContain('Nobody ever ran under it');
  });

  it('what runs goes on, unless it is terminated', async () => {
    const { printed: id } = await celeriac('call', 'orders.endless');
    await expect.poll(async () => (await celeriac('result', id)).printed, { timeout: 20_000 }).toContain('STARTED');
    const goesOn = await celeriac('revoke', id);
    expect(goesOn.complained).toContain('--terminate');
    await celeriac('revoke', id, '--terminate');
    const ended = await celeriac('result', id, '--wait', '--timeout', '30s', '--json');
    expect(expectSchema(ended, RESULT_SCHEMA)).toEqual([expect.objectContaining({ state: 'REVOKED' })]);
  });
});
