/** `celeriac purge`, `stats` and `events` on a service that runs, and how a tail follows the history. */
import { Celeriac, Reject } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { EVENTS_SCHEMA, Tail } from '../../lib/cli/commands/events.ts';
import { PURGE_SCHEMA } from '../../lib/cli/commands/purge.ts';
import { STATS_SCHEMA } from '../../lib/cli/commands/stats.ts';
import { watching } from '../../lib/cli/watching.ts';
import { purgeQueues } from '../../lib/operate/purge.ts';
import type { TaskEnd } from '../../lib/history/end-view.ts';
import { type Answer, celeriacAt, type TerminalParts } from '../support/celeriac.ts';
import { expectSchema } from '../support/shop-service.ts';

const app = new Celeriac('shop', {
  queues: { default: {}, mail: { priorities: [0, 5] } },
  routes: { 'mail.*': 'mail' },
});
app.task('orders.charge', (cents: number) => cents);
app.task('orders.block', () => {
  throw new Reject('address is blocked');
});
app.task('mail.send', (to: string) => to);

let cloud: LocalCloud;
let variables: Record<string, string>;
beforeAll(async () => {
  cloud = await LocalCloud.start(app, { logger: { log: () => {} } });
  variables = cloud.variables('local');
});
afterAll(() => cloud.stop());
const celeriac = (...args: readonly string[]): Promise<Answer> => celeriacAt({ variables }, ...args);
const asked = (parts: TerminalParts, ...args: readonly string[]): Promise<Answer> =>
  celeriacAt({ variables, ...parts }, ...args);

describe('purge', () => {
  it('counts, asks for the name, and empties the queue and its lanes', async () => {
    for (const priority of ['0', '5', '9'])
      await celeriac('call', 'mail.send', 'ada', '--countdown', '10m', '--priority', priority);
    const counted = await celeriac('purge', 'mail', '--dry-run', '--json');
    expect(expectSchema(counted, PURGE_SCHEMA)).toEqual([
      { queue: 'mail', purged: false, ready: 0, inFlight: 0, delayed: 1 },
      { queue: 'mail-p5', purged: false, ready: 0, inFlight: 0, delayed: 2 },
    ]);
    const refused = await asked({ line: 'default' }, 'purge', 'mail');
    expect(refused).toMatchObject({
      code: 1,
      printed: '',
      complained: expect.stringContaining('Nothing was done.') as string,
    });
    expect(refused.complained).toContain(
      "Queue 'mail' and 1 lane of it: about 3 messages will be deleted for good; nothing brings their tasks back. Type its name to go on:",
    );
    expect(await asked({ line: 'mail' }, 'purge', 'mail')).toMatchObject({
      code: 0,
      printed: expect.stringMatching(/^mail-p5 +0 +0 +2 {2}yes$/m) as string,
    });
    const left = expectSchema(await celeriac('purge', 'mail', '--dry-run', '--json'), PURGE_SCHEMA);
    expect(left).toMatchObject([{ delayed: 0 }, { delayed: 0 }]);
  });

  it.each([
    [['purge', 'mial', '--yes'], "There is no queue 'mial'. Did you mean 'mail'?"],
    [['purge', 'mail-p5', '--yes'], "is a lane of 'mail', and goes with it: purge 'mail'"],
    [['purge', 'mail'], 'add --yes'],
  ])('%j is wrong use', async (args, message) => {
    expect(await celeriac(...args)).toMatchObject({ code: 2, complained: expect.stringContaining(message) as string });
  });

  it('tells which were purged less than a minute ago', async () => {
    const row = (queue: string) => ({ queue, ready: 0, inFlight: 0, delayed: 0 });
    const purges = {
      purge: (queue: string) => Promise.resolve(queue === 'mail' ? ('busy' as const) : ('purged' as const)),
    };
    const parts = {
      environment: cloud.environment,
      purges,
      depths: { count: () => Promise.resolve([]), retentionSeconds: () => Promise.resolve(undefined) },
    };
    expect(await purgeQueues([row('mail'), row('mail-p5')], parts)).toEqual(['mail']);
  });
});

describe('stats and events', () => {
  it('count what ended, by task and by minute, and show each end', async () => {
    await celeriac('call', 'orders.charge', '12', '--wait');
    await celeriac('call', 'orders.block', '--task-id', 'blocked', '--wait');
    const events = async (...args: readonly string[]): Promise<Record<string, unknown>[]> =>
      expectSchema(await celeriac('events', '--since', '10m', '--no-follow', '--json', ...args), EVENTS_SCHEMA);
    await expect.poll(() => events()).toHaveLength(2);
    expect(await events('--state', 'REJECTED', 'FAILURE')).toMatchObject([
      { id: 'blocked', task: 'orders.block', state: 'REJECTED', deadLetter: 'address is blocked' },
    ]);
    const shown = await celeriac('events', '--since', '10m', '--no-follow', '--task', 'orders.block');
    expect(shown.printed).toMatch(
      /^\d\d:\d\d:\d\d {2}default {2}orders\.block {2}blocked {2}.*REJECTED {2}\d+ m?s {2}.*put aside: address is blocked$/,
    );
    const lines = expectSchema(await celeriac('stats', '--json'), STATS_SCHEMA);
    expect(lines.map(({ task, count }) => [task, count])).toEqual([
      ['orders.block', 1],
      ['orders.charge', 1],
      [null, 2],
    ]);
    const buckets = expectSchema(
      await celeriac('stats', '--buckets', '--json', '--task', 'orders.charge'),
      STATS_SCHEMA,
    );
    expect(buckets.reduce((sum, { count }) => sum + Number(count), 0)).toBe(1);
    const { printed } = await celeriac('stats');
    expect(printed).toMatch(
      /^TASK +ENDED +SUCCESS +FAILED +RETRIED +LOST +REVOKED +WAIT P50 +P95 +RUN P50 +P95 +P99$/m,
    );
    expect(printed).toMatch(/^orders\.block +1 +0 +1 +0 +0 +0 /m);
  });

  it('look again until somebody ends it', async () => {
    const over = new AbortController();
    const pauses: number[] = [];
    const clock = {
      nowMs: () => 0,
      sleep: (ms: number) => {
        pauses.push(ms);
        if (pauses.length === 3) over.abort();
        return Promise.resolve();
      },
      schedule: () => () => {},
    };
    const terminal = { clock, interrupted: () => over.signal };
    let looks = 0;
    await watching(true, 5, { terminal } as never, () => Promise.resolve(void (looks += 1)));
    expect([looks, pauses]).toEqual([3, [5000, 5000, 5000]]);
    await watching(false, 5, { terminal } as never, () => Promise.resolve(void (looks += 1)));
    expect(looks).toBe(4);
    expect(await celeriac('events', '--interval', '100ms')).toMatchObject({ code: 2 });
  });
});

describe('a tail', () => {
  const end = (id: string, endedMs: number, attempt = 0): TaskEnd => ({
    id,
    attempt,
    task: 'work',
    queue: 'default',
    state: 'SUCCESS',
    endedAt: new Date(endedMs),
    startedAt: null,
    waitSeconds: null,
    runSeconds: null,
    deliveries: 1,
    lostRuns: 0,
    repr: null,
    error: null,
    parentId: null,
    deadLetter: null,
    scheduleEntry: null,
  });
  /** What is stored, newest first, as `list()` gives it. */
  const over =
    (stored: readonly TaskEnd[], asks: (Date | undefined)[] = []) =>
    ({ from, limit = 50 }: { readonly from?: unknown; readonly limit?: number }) => {
      asks.push(from as Date);
      const entries = stored
        .filter(({ endedAt }) => !(from instanceof Date) || endedAt >= from)
        .toSorted((left, right) => right.endedAt.getTime() - left.endedAt.getTime());
      return Promise.resolve({ entries: entries.slice(0, limit), cursor: entries.length > limit ? 'more' : null });
    };
  const ids = (ends: readonly TaskEnd[]): string[] => ends.map(({ id, attempt }) => `${id}${attempt}`);

  it('shows each end once, the oldest first, also what is written down late', async () => {
    const tail = new Tail({}, 1_000_000);
    const before = end('before', 999_000);
    expect(ids(await tail.look(over([before]), 1_000_000))).toEqual([]);
    const [first, second] = [end('a', 1_001_000), end('b', 1_001_500)];
    expect(ids(await tail.look(over([before, second, first]), 1_002_000))).toEqual(['a0', 'b0']);
    const late = end('late', 1_000_500);
    expect(ids(await tail.look(over([before, first, second, late, end('a', 1_003_000, 1)]), 1_004_000))).toEqual([
      'late0',
      'a1',
    ]);
    expect(tail.missed).toBe(false);
  });

  it('begins where it was asked to, and asks for no more than the last minute after that', async () => {
    const asks: (Date | undefined)[] = [];
    const tail = new Tail({ from: new Date(1) }, 1_000_000);
    const stored = [end('old', 500_000)];
    expect(ids(await tail.look(over(stored, asks), 1_000_000))).toEqual(['old0']);
    expect(ids(await tail.look(over(stored, asks), 1_100_000))).toEqual([]);
    expect(asks).toEqual([new Date(1), new Date(940_000)]);
  });

  it('says that more has ended than a look shows', async () => {
    const tail = new Tail({ from: new Date(1) }, 1_000_000);
    const many = Array.from({ length: 1001 }, (_, index) => end(`id-${index}`, 900_000 + index));
    expect(await tail.look(over(many), 1_000_000)).toHaveLength(1000);
    expect(tail.missed).toBe(true);
  });
});
