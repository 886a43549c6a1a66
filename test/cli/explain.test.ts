/** `celeriac explain` as people read it: each reason as text, and on a service that runs. */
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { EXPLAIN_SCHEMA } from '../../lib/cli/commands/explain.ts';
import { explanationText } from '../../lib/operate/explain/explanation-text.ts';
import type { Reason } from '../../lib/operate/explain/reasons.ts';
import { type Answer, celeriacAt } from '../support/celeriac.ts';
import { expectSchema, shopApp } from '../support/shop-service.ts';

const NOW_MS = Date.parse('2030-01-01T12:00:00Z');
const at = (seconds: number): Date => new Date(NOW_MS + seconds * 1000);
const slots = { of: 'concurrency', task: 'orders.ship', key: 'DE' } as const;
const held = Array.from({ length: 7 }, (_, index) => ({ id: `id-${index}`, until: at(31) }));

type Row = readonly [reason: Reason, head: string, lines?: readonly string[], hints?: readonly string[]];

const READ: readonly Row[] = [
  [{ kind: 'ended', state: 'SUCCESS', at: at(-4), started: at(-5) }, 'has succeeded 4 s ago', ['it ran for 1 s']],
  [
    { kind: 'ended', state: 'FAILURE', at: at(-4), error: 'TypeError: total is undefined' },
    'has failed 4 s ago',
    ['TypeError: total is undefined'],
  ],
  [{ kind: 'expired', at: at(-4) }, 'was not run: its expires had passed 4 s ago'],
  [{ kind: 'revoked', at: at(-4), ended: true, terminate: false }, 'was revoked 4 s ago'],
  [
    { kind: 'skipped', by: 'other', until: at(60) },
    'was left out, since another one ran',
    ['task other ran, and had its lock until in 1 min at the latest'],
  ],
  [
    { kind: 'dead-lettered', queue: 'mail', reason: 'blocked', error: 'Reject: blocked', deliveries: 2 },
    'was put aside',
    ['its message lies in the dead-letter queue of mail: blocked (Reject: blocked), after 2 deliveries'],
    ['Run it once more: celeriac dlq redrive --id c0de'],
  ],
  [
    { kind: 'running', since: at(-4), until: at(60), by: 'request/1', deliveries: 2 },
    'runs, since 4 s ago',
    ['in request/1, until in 1 min at the latest; delivery 2'],
    ['End it: celeriac revoke c0de --terminate'],
  ],
  [
    {
      kind: 'running',
      since: at(-4),
      until: at(60),
      by: 'request/1',
      deliveries: 1,
      part: 3,
      begun: at(-70),
      checkpoint: at(-2),
    },
    'runs, part 3, since 4 s ago',
    [
      'in request/1, until in 1 min at the latest',
      'its first part began 1 min 10 s ago; its last checkpoint was 2 s ago',
    ],
    ['End it: celeriac revoke c0de --terminate'],
  ],
  [{ kind: 'part', part: 3, begun: at(-70) }, 'goes on as part 3', ['its first part began 1 min 10 s ago']],
  [
    { kind: 'worker-lost', since: at(-70), until: at(-4), deliveries: 1 },
    'lost its worker, and comes again',
    ['its worker died, which had it since 1 min 10 s ago: its claim ended 4 s ago; delivery 1'],
  ],
  [
    { kind: 'retry', at: at(4), attempt: 1, error: 'SmtpDown: 421' },
    'waits for its next attempt, in 4 s',
    ['attempt 1 failed: SmtpDown: 421'],
  ],
  [
    { kind: 'slot', ...slots, limit: 7, held, place: 3, waiting: 7, more: false, since: at(-9), expires: at(99) },
    "is parked: 3rd of 7 in line for a slot of the concurrency of orders.ship, key 'DE'",
    [
      'held by id-0 until in 31 s, id-1 until in 31 s, id-2 until in 31 s, id-3 until in 31 s, id-4 until in 31 s and 2 more (limit 7)',
      'its message was sent 9 s ago, and expires in 1 min 39 s',
    ],
    ["See all: celeriac inspect parked orders.ship --key 'DE'", 'Free a slot: celeriac revoke id-0 --terminate'],
  ],
  [
    { kind: 'slot', ...slots, task: '*', key: '', held: [], place: 11, waiting: 10_000, more: true, since: at(-9) },
    'is parked: 11th of more than 10000 in line for a slot of the shared concurrency',
    ['held by nobody: it goes on within two minutes', 'its message was sent 9 s ago'],
  ],
  [
    { kind: 'granted', of: 'oneInstance', task: 'import', key: '', until: at(120) },
    'was given the one run of import, and is on its way to a worker',
    ['the slot is kept for it until in 2 min'],
  ],
  [{ kind: 'rate', at: at(41), late: 0 }, 'waits for its rate limit: it may start in 41 s'],
  [
    { kind: 'rate', at: at(41), late: 3 },
    'waits for its rate limit: it may start in 41 s',
    ['3 places of it passed while it waited in its queue: give it a queue of its own, or a longer grace'],
  ],
  [{ kind: 'delayed', until: at(7200) }, 'is not to start before in 2 h'],
  [
    { kind: 'debounced', until: at(10), since: at(-5) },
    'gathers calls, and runs in 10 s',
    ['the first call came 5 s ago'],
  ],
  [
    { kind: 'unique', key: 'import#all', until: 'finished' },
    'stands for its key',
    ['calls of key import#all are answered with it until it has finished'],
  ],
  [{ kind: 'redriven', attempt: 1 }, 'is to run once more', ['it was put aside, and sent back: attempt 2 runs']],
  [
    { kind: 'queued', queue: 'mail', since: at(-60), count: { queue: 'mail', ready: 3, inFlight: 1, delayed: 0 } },
    'waits in queue mail, since 1 min ago',
    ['queue mail: 3 ready, 1 in flight, 0 delayed'],
  ],
  [
    { kind: 'paused', queue: 'mail', by: 'ada', since: at(-7200), why: 'the relay is down' },
    'waits in queue mail, which is paused',
    ['queue mail is paused by ada 2 h ago: the relay is down'],
    ['Go on: celeriac resume mail'],
  ],
  [
    { kind: 'group', id: 'g', done: 3, failed: 1, size: 7 },
    'is a group: 3 of 7 ended, 1 of them failed',
    ['group g: 3 of 7 ended, 1 of them failed'],
  ],
  [
    {
      kind: 'unknown',
      queues: [
        { queue: 'mail', ready: 0, inFlight: 0, delayed: 1 },
        { queue: 'none', ready: 0, inFlight: 0, delayed: 0 },
      ],
    },
    'is not known here',
    [
      'nothing is stored of it: it lies in its queue and no worker has begun it, its result has expired, or its id is another one',
      'queue mail: 0 ready, 0 in flight, 1 delayed',
    ],
    ['Calls that are gathered are found with --task and --key. All queues: celeriac inspect queues'],
  ],
];

describe('as text', () => {
  it.each(READ.map((row) => [row] as const))('%j', ([reason, head, lines = [], hints = []]) => {
    const told = { id: 'c0de', state: 'PENDING', task: 'orders.ship', reasons: [reason] };
    expect(explanationText(told, { nowMs: NOW_MS, utc: false })).toEqual({
      head: `orders.ship c0de ${head}.`,
      lines,
      hints,
    });
  });

  it('what its message tells stands below; times are exact where that is asked for', () => {
    const reasons: readonly Reason[] = [
      { kind: 'delayed', until: at(0) },
      { kind: 'revoked', at: at(1), ended: false, terminate: true },
    ];
    const told = { id: 'c0de', state: 'PENDING', retries: 2, args: '(1,)', parentId: '7f3a', origin: 'api', reasons };
    expect(explanationText(told, { nowMs: NOW_MS, utc: true })).toEqual({
      head: 'task c0de is not to start before 2030-01-01T12:00:00.000Z.',
      lines: [
        'it was revoked 2030-01-01T12:00:01.000Z: it is told to end',
        'sent by api, by task 7f3a, attempt 3, arguments (1,)',
      ],
      hints: [],
    });
  });
});

describe('celeriac explain', () => {
  const shop = shopApp();
  let cloud: LocalCloud;
  let variables: Record<string, string>;
  beforeAll(async () => {
    cloud = await LocalCloud.start(shop.app, { logger: { log: () => {} } });
    variables = cloud.variables('local');
  });
  afterAll(() => cloud.stop());
  const celeriac = (...args: readonly string[]): Promise<Answer> => celeriacAt({ variables }, ...args);

  const told = async (id: string): Promise<Record<string, unknown>> => {
    const answer = await celeriac('explain', id, '--json');
    expect(answer).toMatchObject({ code: 0, complained: '' });
    const [line = {}] = expectSchema(answer, EXPLAIN_SCHEMA);
    return line;
  };

  it('it has ended, is due later, was put aside, is not known', async () => {
    const ended = await celeriac('call', 'orders.charge', 'ada', '1', '--wait', '--json');
    const id = /"id":"([^"]+)"/.exec(ended.printed)?.[1] ?? '';
    expect(await told(id)).toMatchObject({ task: 'orders.charge', reasons: [{ kind: 'ended', state: 'SUCCESS' }] });
    await celeriac('call', 'orders.charge', 'x', '1', '--countdown', '2h', '--task-id', 'late');
    expect(await told('late')).toMatchObject({ queue: 'default', args: "('x', 1)", reasons: [{ kind: 'delayed' }] });
    await celeriac('call', 'mail.block', '--task-id', 'blocked', '--wait');
    const blocked = await celeriac('explain', 'blocked');
    expect(blocked).toMatchObject({ code: 0, complained: 'Run it once more: celeriac dlq redrive --id blocked' });
    expect(blocked.printed).toMatch(
      /^mail\.block blocked was rejected .* ago\.\n {2}TaskRejectedError: address is blocked\n/,
    );
    const { printed } = await celeriac('explain', 'nobody');
    expect(printed).toMatch(/^task nobody is not known here\.\n {2}nothing is stored of it/);
  });

  it('it waits for a slot behind one that runs', async () => {
    const first = await celeriac('call', 'orders.ship', 'DE');
    await shop.shipping;
    await celeriac('call', 'orders.ship', 'DE', '--task-id', 'second');
    await expect
      .poll(() => told('second'))
      .toMatchObject({
        task: 'orders.ship',
        reasons: [{ kind: 'slot', key: 'DE', limit: 1, place: 1, waiting: 1, held: [{ id: first.printed }] }],
      });
    expect(await told(first.printed)).toMatchObject({ state: 'STARTED', reasons: [{ kind: 'running' }] });
    shop.release();
    expect((await celeriac('result', 'second', '--wait', '--timeout', '30s')).code).toBe(0);
    expect(await told('second')).toMatchObject({ reasons: [{ kind: 'ended', state: 'SUCCESS' }] });
  });
});
