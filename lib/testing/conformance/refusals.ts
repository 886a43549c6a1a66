/** What the services refuse: every adapter refuses it too, so that a world shows what AWS does. */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { SQS_MAX_DELAY_SECONDS } from '../../base/limits.ts';
import type { Backend } from '../../ports/backend.ts';
import type { Groups } from '../../ports/groups.ts';
import type { Schedules } from '../../ports/schedules.ts';
import type { Timer, Timers } from '../../ports/timers.ts';
import type { OutgoingMessage } from '../../ports/broker.ts';
import type { BrokerUnderTest } from './broker-under-test.ts';
import type { ConformanceCase } from './case.ts';

const NOW = 1_900_000_000_000;
const TTL = NOW / 1000 + 86_400;
/** Beyond the longest partition key, and so beyond the longest sort key. */
const LONG = 'x'.repeat(2100);
const HALF = 'half \uD83D of a pair';
const LARGE = 'x'.repeat(420_000);

export function brokerRefusals(make: () => BrokerUnderTest): ConformanceCase[] {
  const attributes = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`name_${index}`, 'value']));
  return [
    {
      name: 'refuses for good what SQS refuses, and sends what stands beside it',
      async run() {
        const under = make();
        const plain = (item: Partial<OutgoingMessage>): OutgoingMessage => ({
          queue: under.standard,
          body: 'body',
          ...item,
        });
        const ordered = (item: Partial<OutgoingMessage>): OutgoingMessage => ({
          queue: under.fifo,
          body: 'body',
          groupId: 'group',
          deduplicationId: 'once',
          ...item,
        });
        const refused: readonly [string, OutgoingMessage][] = [
          ['no body', plain({ body: '' })],
          ['a control character', plain({ body: 'bell \u0007' })],
          ['half of a surrogate pair', plain({ body: HALF })],
          ['a character that is none', plain({ body: '\uFFFF' })],
          ['a negative delay', plain({ delaySeconds: -1 })],
          ['a long delay', plain({ delaySeconds: SQS_MAX_DELAY_SECONDS + 1 })],
          ['a part of a second', plain({ delaySeconds: 1.5 })],
          ['a group with a space', plain({ groupId: 'tenant 1' })],
          ['a group with an umlaut', plain({ groupId: 'm\u00fcller' })],
          ['an empty group', plain({ groupId: '' })],
          ['a long group', plain({ groupId: 'g'.repeat(129) })],
          ['eleven attributes', plain({ attributes: attributes(11) })],
          ['an empty attribute', plain({ attributes: { reason: '' } })],
          ['a control character in an attribute', plain({ attributes: { reason: '\u0000' } })],
          ['an attribute with a space', plain({ attributes: { 'the reason': 'x' } })],
          ["an attribute with AWS's prefix", plain({ attributes: { 'AWS.reason': 'x' } })],
          ['a delay on a FIFO queue', ordered({ delaySeconds: 1 })],
          ['a deduplication id with a space', ordered({ deduplicationId: 'a b' })],
          ['a long deduplication id', ordered({ deduplicationId: 'd'.repeat(129) })],
          ['a FIFO group with a space', ordered({ groupId: 'a b' })],
        ];
        for (const [what, item] of refused) {
          const [outcome] = await under.broker.send([item]);
          ok(outcome !== undefined && !outcome.ok && !outcome.retryable, what);
        }
        const beside = await under.broker.send([
          plain({ body: 'good', groupId: '!~tenant', attributes: attributes(10) }),
          ...refused.map(([, item]) => item),
          ordered({
            body: 'tab\t line\n \uFFFD \uE000',
            groupId: 'g'.repeat(128),
            deduplicationId: 'd'.repeat(128),
          }),
        ]);
        deepEqual(
          beside.map((outcome) => outcome.ok),
          [true, ...refused.map(() => false), true],
        );
        deepEqual(
          (await under.receive(under.standard)).map(({ body }) => body),
          ['good'],
        );
        deepEqual(
          (await under.receive(under.fifo)).map(({ body }) => body),
          ['tab\t line\n \uFFFD \uE000'],
        );
      },
    },
    {
      name: 'a longer invisibility than SQS knows is the longest, and a negative one none',
      async run() {
        const under = make();
        await under.broker.send([{ queue: under.standard, body: 'again' }]);
        const [first] = await under.receive(under.standard);
        await under.broker.changeVisibility(under.standard, first?.receipt ?? '', 1_000_000);
        deepEqual(await under.receive(under.standard), []);
        await under.broker.changeVisibility(under.standard, first?.receipt ?? '', -5);
        equal((await under.receive(under.standard))[0]?.body, 'again');
      },
    },
  ];
}

export function backendRefusals(backend: Backend): ConformanceCase[] {
  const base = { attempt: 0, nowMs: NOW, name: 'task', queue: 'default', meta: '{}', expiresAtSeconds: TTL };
  const claim = (id: string, more: object = {}): Promise<unknown> =>
    backend.claim([{ ...base, id, owner: 'first', leaseMs: NOW + 60_000, ...more }]);
  const conclude = (id: string, meta: string): Promise<unknown> =>
    backend.conclude([{ ...base, id, status: 'FAILURE', meta }]);
  return [
    ...(
      [
        ['a key of more than 2 KB', LONG],
        ['a key with half of a surrogate pair', HALF],
      ] as const
    ).map(([what, id]) => ({
      name: `refuses ${what}`,
      async run() {
        await rejects(claim(id));
        await rejects(conclude(id, '{}'));
        await rejects(backend.get([id], NOW));
        await rejects(backend.revoke({ id, nowMs: NOW, meta: '{}', expiresAtSeconds: TTL }));
      },
    })),
    {
      name: 'refuses an item of more than 400 KB, and keeps what there was',
      async run() {
        const [id, other] = ['refusal-large', 'refusal-large-other'];
        await rejects(conclude(other, LARGE));
        deepEqual(await backend.get([other], NOW), [undefined]);
        await claim(id);
        const ours = { id, attempt: 0, owner: 'first' };
        await rejects(backend.update({ ...ours, status: 'PROGRESS', meta: LARGE }));
        const commit = { ...ours, nowMs: NOW, status: 'SUCCESS', final: true, expiresAtSeconds: TTL };
        await rejects(backend.commit([{ ...commit, meta: LARGE }]));
        await rejects(backend.commit([{ ...commit, meta: '{}', settlement: LARGE }]));
        const [record] = await backend.get([id], NOW);
        deepEqual([record?.status, record?.committed, record?.meta], ['STARTED', undefined, '{}']);
      },
    },
  ];
}

export function timersRefusals(timers: Timers): ConformanceCase[] {
  const put = (id: string, dueMs: number, body: string): Promise<unknown> =>
    timers.put([{ id, attempt: 0, dueMs, message: { queue: 'default', body } }]);
  return [
    {
      name: 'refuses long keys, half pairs, large items, and times of fourteen digits',
      async run() {
        const base = NOW + 50_000;
        await rejects(put(LONG.slice(0, 1024), base, 'body'));
        await rejects(put(HALF, base, 'body'));
        await rejects(put('refused-large', base, LARGE));
        await rejects(put('refused-late', 10_000_000_000_000, 'body'));
        const found: Timer[] = [];
        await timers.eachDue({ untilMs: 99_999_999_999_999, limit: 100 }, (page) => {
          found.push(...page);
          return Promise.resolve();
        });
        deepEqual(
          found.filter(({ dueMs }) => dueMs >= base),
          [],
        );
      },
    },
  ];
}

export function groupsRefusals(groups: Groups): ConformanceCase[] {
  return [
    {
      name: 'refuses long keys and half pairs',
      async run() {
        for (const groupId of [LONG, HALF]) {
          await rejects(groups.mark([{ groupId, size: 2, index: 0, failed: false, expiresAtSeconds: TTL }]));
          await rejects(groups.define({ groupId, size: 1, createdMs: NOW, definition: '{}', expiresAtSeconds: TTL }));
          await rejects(groups.count(groupId));
        }
      },
    },
  ];
}

export function schedulesRefusals(schedules: Schedules): ConformanceCase[] {
  return [
    {
      name: 'refuses long names, half pairs, large entries, and times of fourteen digits',
      async run() {
        const entry = { name: 'refused', revision: 1, nextDueMs: null, document: '{}' };
        await rejects(schedules.write([{ ...entry, name: LONG.slice(0, 1025) }]));
        await rejects(schedules.write([{ ...entry, name: HALF }]));
        await rejects(schedules.write([{ ...entry, document: LARGE }]));
        await rejects(schedules.write([{ ...entry, nextDueMs: 10_000_000_000_000 }]));
        deepEqual(await schedules.read(['refused']), [undefined]);
      },
    },
  ];
}
