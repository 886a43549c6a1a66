/** The calls that histories are made of, port by port. Few ids, owners and times, so that they meet. */
import fc from 'fast-check';
import { byBytes } from '../../lib/base/ids.ts';
import type { Backend } from '../../lib/ports/backend.ts';
import type { CeleryGroups } from '../../lib/ports/celery-groups.ts';
import type { Groups } from '../../lib/ports/groups.ts';
import type { Episode, Marks } from '../../lib/ports/marks.ts';
import type { Locks } from '../../lib/ports/locks.ts';
import type { Rates } from '../../lib/ports/rates.ts';
import type { DueEntry, Schedules } from '../../lib/ports/schedules.ts';
import type { Timer, Timers } from '../../lib/ports/timers.ts';
import { groupMemberId } from '../../lib/wire/group-ids.ts';
import { call, type Call } from './history.ts';

export type Calls<Port> = fc.Arbitrary<Call<Port>>;

export const NOW = 1_900_000_000_000;
export const nowMs = fc.integer({ min: 0, max: 12 }).map((step) => NOW + step * 10_000);
const id = fc.constantFrom('a', 'b', 'c');
const attempt = fc.integer({ min: 0, max: 2 });
const owner = fc.constantFrom('first', 'second');
const expiresAtSeconds = fc.constantFrom(NOW / 1000 + 45, NOW / 1000 + 86_400);
const meta = fc.constantFrom('{"status":"PENDING"}', '{"status":"SUCCESS","result":1}', '{"status":"FAILURE"}');
export const optional = <T>(value: fc.Arbitrary<T>, name: string): fc.Arbitrary<Record<string, T>> =>
  fc.option(value, { nil: undefined }).map((drawn) => (drawn === undefined ? {} : { [name]: drawn }));

const common = { id, attempt, owner, nowMs, expiresAtSeconds };

// ------------------------------------------------------------- backend

const claim = fc.record({ ...common, meta, keepMeta: fc.boolean(), leaseMs: nowMs.map((ms) => ms + 30_000) });
// A delivery commits one outcome, however often it asks.
const commit = fc.record({ id, attempt, owner }).map(({ id: task, attempt: number, owner: who }) => {
  const final = number === 2 || who === 'second';
  return {
    id: task,
    attempt: number,
    owner: who,
    nowMs: NOW + 5000,
    final,
    status: final ? 'SUCCESS' : 'RETRY',
    ...(number === 1 ? { ignored: true } : { meta: `{"status":"${final ? 'SUCCESS' : 'RETRY'}"}` }),
    ...(final ? {} : { settlement: '{"retry":{}}' }),
    expiresAtSeconds: NOW / 1000 + (number === 0 ? 45 : 86_400),
  };
});
const conclude = fc
  .tuple(
    fc.record({
      id,
      attempt,
      nowMs,
      expiresAtSeconds,
      meta,
      status: fc.constantFrom('FAILURE', 'REVOKED', 'REJECTED'),
    }),
    optional(fc.constant('{"deadLetter":{}}'), 'settlement'),
  )
  .map(([fields, settlement]) => ({ ...fields, ...settlement, name: 'task', queue: 'default' }));

function distinct<T extends { readonly id: string }>(values: readonly T[]): T[] {
  return values.filter(({ id }, index) => values.findIndex((other) => other.id === id) === index);
}

const prefixed = <T extends { readonly id: string }>(values: readonly T[], prefix: string): T[] =>
  values.map((value) => ({ ...value, id: `${prefix}${value.id}` }));

/** A batch has distinct ids, as the port asks. */
const batch = <T extends { readonly id: string }>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(each, { minLength: 1, maxLength: 3 }).map(distinct);

export const BACKEND_CALLS: Calls<Backend> = fc.oneof(
  {
    arbitrary: call('claim', batch(claim), (port: Backend, requests, prefix) =>
      port.claim(prefixed(requests, prefix).map((request) => ({ ...request, name: 'task', queue: 'default' }))),
    ),
    weight: 4,
  },
  {
    arbitrary: call('commit', batch(commit), (port: Backend, requests, prefix) =>
      port.commit(prefixed(requests, prefix)),
    ),
    weight: 4,
  },
  call('conclude', batch(conclude), (port: Backend, requests, prefix) => port.conclude(prefixed(requests, prefix))),
  call('release', fc.record({ id, attempt, owner }), (port: Backend, request, prefix) =>
    port.release({ ...request, id: `${prefix}${request.id}` }),
  ),
  call('noteSettled', fc.record({ id, attempt }), (port: Backend, request, prefix) =>
    port.noteSettled({ ...request, id: `${prefix}${request.id}` }),
  ),
  call(
    'update',
    fc.record({ id, attempt, owner, meta, status: fc.constant('PROGRESS') }),
    (port: Backend, request, prefix) => port.update({ ...request, id: `${prefix}${request.id}` }),
  ),
  call(
    'revoke',
    fc.record({ id, nowMs, meta, expiresAtSeconds, terminate: fc.boolean() }),
    (port: Backend, request, prefix) => port.revoke({ ...request, id: `${prefix}${request.id}` }),
  ),
  {
    arbitrary: call('get', nowMs, (port: Backend, ms, prefix) =>
      port.get(
        ['a', 'b', 'c', 'd'].map((each) => prefix + each),
        ms,
      ),
    ),
    weight: 3,
  },
  call('forget', id, (port: Backend, one, prefix) => port.forget([prefix + one])),
);

// -------------------------------------------------------------- timers

const timer = fc.record({ id, attempt, dueMs: nowMs, body: fc.constantFrom('{}', '{"x":1}'), delayed: fc.boolean() });
const timersOf = (drawn: readonly { id: string; attempt: number; dueMs: number; body: string }[], prefix: string) =>
  drawn.map(({ id: each, attempt: number, dueMs, body }) => ({
    id: prefix + each,
    attempt: number,
    dueMs,
    message: { queue: 'default', body },
  }));

/** All timers are in one store: only those of the history count. */
export const TIMER_CALLS: Calls<Timers> = fc.oneof(
  call('put', fc.array(timer, { minLength: 1, maxLength: 4 }), (port: Timers, drawn, prefix) =>
    port.put(timersOf(drawn, prefix)),
  ),
  call('remove', fc.array(timer, { minLength: 1, maxLength: 3 }), (port: Timers, drawn, prefix) =>
    port.remove(timersOf(drawn, prefix)),
  ),
  call('due', nowMs, async (port: Timers, ms, prefix) => {
    const found: (readonly [number, Timer])[] = [];
    await port.eachDue({ untilMs: ms, limit: 3 }, (page, part) => {
      found.push(...page.map((each) => [part, each] as const));
      return Promise.resolve();
    });
    // Parts are shown side by side: only within one there is an order.
    const own = found.filter(([, each]) => each.id.startsWith(prefix));
    return own.toSorted(([left], [right]) => left - right);
  }),
);

// ----------------------------------------------------------- schedules

const entry = fc.record({
  name: fc.constantFrom('x', 'y', 'y#z', 'ÿ', '~'),
  revision: fc.integer({ min: 1, max: 4 }),
  nextDueMs: fc.option(nowMs),
  // Each write has a document of its own: the same one again is taken for a write whose answer was lost.
  document: fc.nat().map((number) => JSON.stringify({ number })),
});

export const SCHEDULE_CALLS: Calls<Schedules> = fc.oneof(
  {
    arbitrary: call('write', entry, (port: Schedules, item, prefix) =>
      port.write(['', ' too'].map((more) => ({ ...item, name: prefix + item.name + more }))),
    ),
    weight: 3,
  },
  call(
    'remove',
    fc.record({ name: fc.constantFrom('x', 'y#z'), revision: fc.integer({ min: 1, max: 4 }) }),
    (port: Schedules, { name, revision }, prefix) => port.remove(prefix + name, revision),
  ),
  call('read', fc.constant(null), (port: Schedules, _none, prefix) =>
    port.read(['x', 'y', 'y#z', 'ÿ', '~', 'unknown'].map((name) => prefix + name)),
  ),
  call('list', fc.integer({ min: 1, max: 4 }), (port: Schedules, limit, prefix) =>
    port.list(prefix, limit).then((items) => items.filter(({ name }) => name.startsWith(prefix))),
  ),
  call(
    'eachDue',
    fc.record({ ms: nowMs, limit: fc.constantFrom(1, 2, 1000), done: fc.constantFrom('none', 'x', 'y', 'y#z') }),
    async (port: Schedules, { ms, limit, done }, prefix) => {
      const found: DueEntry[] = [];
      await port.eachDue(ms, limit, (due) => {
        found.push(...due.filter(({ name }) => name.startsWith(prefix)));
        return Promise.resolve(due.filter(({ name }) => name === prefix + done));
      });
      return found.toSorted((left, right) => left.dueMs - right.dueMs || byBytes(left.name, right.name));
    },
  ),
);

// -------------------------------------------------------------- groups

const SIZES: Readonly<Record<string, number>> = { one: 1, few: 5, parts: 130 };
const groupName = fc.constantFrom(...Object.keys(SIZES));
const mark = fc.tuple(groupName, fc.nat(1000), fc.boolean(), fc.boolean()).map(([name, place, failed, renamed]) => ({
  name,
  size: SIZES[name] ?? 1,
  index: place % (SIZES[name] ?? 1),
  failed,
  renamed,
}));

export const GROUP_CALLS: Calls<Groups> = fc.oneof(
  {
    arbitrary: call('mark', fc.array(mark, { minLength: 1, maxLength: 12 }), (port: Groups, marks, prefix) =>
      port.mark(
        marks.map(({ name, size, index, failed, renamed }) => ({
          groupId: prefix + name,
          size,
          index,
          failed,
          ...(renamed ? { memberId: `${groupMemberId(prefix + name, index)}x` } : {}),
          expiresAtSeconds: NOW / 1000,
        })),
      ),
    ),
    weight: 4,
  },
  call('mark all', fc.tuple(groupName, fc.boolean()), (port: Groups, [name, failed], prefix) =>
    port.mark(
      Array.from({ length: SIZES[name] ?? 1 }, (_, index) => ({
        groupId: prefix + name,
        size: SIZES[name] ?? 1,
        index,
        failed: failed && index === 0,
        expiresAtSeconds: NOW / 1000,
      })),
    ),
  ),
  call('count', groupName, (port: Groups, name, prefix) => port.count(prefix + name)),
  call(
    'define',
    fc.record({ name: groupName, length: fc.constantFrom(10, 5000), expiresAtSeconds }),
    (port: Groups, { name, length, expiresAtSeconds: expires }, prefix) =>
      port.define({
        groupId: prefix + name,
        size: 1,
        createdMs: NOW,
        definition: 'x'.repeat(length),
        expiresAtSeconds: expires,
      }),
  ),
  call('definition', fc.tuple(groupName, nowMs), (port: Groups, [name, ms], prefix) =>
    port.definition(prefix + name, ms),
  ),
  call('forget', groupName, (port: Groups, name, prefix) => port.forget(prefix + name)),
);

export const CELERY_GROUP_CALLS: Calls<CeleryGroups> = fc.oneof(
  call(
    'define',
    fc.record({ name: groupName, chord: fc.boolean(), expiresAtSeconds, nowMs }),
    (port: CeleryGroups, { name, ...fields }, prefix) =>
      port.define({ groupId: prefix + name, memberIds: ['m0', 'm1'], ...fields }),
  ),
  call('members', fc.tuple(groupName, nowMs), (port: CeleryGroups, [name, ms], prefix) =>
    port.members(prefix + name, ms),
  ),
  call('count', fc.tuple(groupName, fc.nat(2)), (port: CeleryGroups, [name, index], prefix) =>
    port.count({ groupId: prefix + name, index, expiresAtSeconds: NOW / 1000 + 86_400 }),
  ),
  call('close', groupName, (port: CeleryGroups, name, prefix) => port.close(prefix + name)),
  call('forget', groupName, (port: CeleryGroups, name, prefix) => port.forget(prefix + name)),
);

const slot = fc.record({
  slotMicros: fc.integer({ min: 1, max: 3 }).map((at) => (NOW + at) * 1000),
  paceMicros: fc.constantFrom(1_000_000, 142_858),
  lates: fc.nat(2),
});

export const RATE_CALLS: Calls<Rates> = fc.oneof(
  {
    arbitrary: call(
      'reserve',
      fc.record({ name: id, count: fc.nat(12), paceMicros: fc.constantFrom(1_000_000, 142_858, 60_000_000), nowMs }),
      (port: Rates, { name, ...request }, prefix) => port.reserve({ key: prefix + name, ...request }),
    ),
    weight: 4,
  },
  call('keep', fc.record({ name: id, attempt, slot, instead: slot }), (port: Rates, { name, ...request }, prefix) =>
    port.keep({ id: prefix + name, ...request, expiresAtSeconds: NOW / 1000 + 86_400 }),
  ),
  call('keep first', fc.record({ name: id, attempt, slot }), (port: Rates, { name, ...request }, prefix) =>
    port.keep({ id: prefix + name, ...request, expiresAtSeconds: NOW / 1000 + 86_400 }),
  ),
  call(
    'setLimit',
    fc.tuple(id, fc.constantFrom('10/m', '0', undefined)),
    async (port: Rates, [name, limit], prefix) => {
      await port.setLimit(prefix + name, limit);
      const limits = await port.limits();
      return ['a', 'b', 'c', 'd'].map((each) => limits.get(prefix + each));
    },
  ),
  call('kept', fc.tuple(id, attempt), (port: Rates, [name, number], prefix) => port.kept(prefix + name, number)),
);

const markId = fc.constantFrom('a', 'b', 'c');
const ownMark = fc.record({ name: id, id: markId });
const message = fc.record({ queue: fc.constant('default'), body: fc.constantFrom('one', 'two') });
const episode: fc.Arbitrary<Episode> = fc.record({
  id: markId,
  firstMs: nowMs,
  dueMs: nowMs,
  message,
  sealed: fc.constant(false),
});

export const MARK_CALLS: Calls<Marks> = fc.oneof(
  {
    arbitrary: call(
      'take',
      fc.uniqueArray(fc.record({ name: id, id: markId, nowMs, forMs: fc.nat(3), instead: fc.option(markId) }), {
        minLength: 1,
        maxLength: 4,
        selector: ({ name }) => name,
      }),
      (port: Marks, requests, prefix) =>
        port.take(
          requests.map(({ name, forMs, instead, ...request }) => ({
            key: prefix + name,
            ...request,
            expiresMs: request.nowMs + forMs,
            ...(instead === null ? {} : { instead }),
          })),
        ),
    ),
    weight: 4,
  },
  call('note sent', fc.uniqueArray(ownMark, { selector: ({ name }) => name }), (port: Marks, marks, prefix) =>
    port.noteSent(marks.map(({ name, ...mark }) => ({ key: prefix + name, ...mark }))),
  ),
  call('clear', fc.tuple(ownMark, fc.boolean()), (port: Marks, [{ name, ...mark }, unsent], prefix) =>
    port.clear([{ key: prefix + name, ...mark }], unsent),
  ),
  call('episode', id, (port: Marks, name, prefix) => port.episode(prefix + name)),
  {
    arbitrary: call('open', fc.tuple(id, episode, fc.option(markId)), (port: Marks, [name, own, instead], prefix) =>
      port.open(prefix + name, own, ...(instead === null ? [] : [instead])),
    ),
    weight: 2,
  },
  call(
    'join',
    fc.record({ name: id, id: markId, dueMs: nowMs, message }),
    (port: Marks, { name, ...request }, prefix) => port.join({ key: prefix + name, ...request }),
  ),
  call('note token', fc.tuple(ownMark, nowMs), (port: Marks, [{ name, ...mark }, tokenMs], prefix) =>
    port.noteToken({ key: prefix + name, ...mark }, tokenMs),
  ),
  {
    arbitrary: call('seal', fc.tuple(ownMark, nowMs), (port: Marks, [{ name, ...mark }, at], prefix) =>
      port.seal({ key: prefix + name, ...mark }, at),
    ),
    weight: 2,
  },
  call('close', ownMark, (port: Marks, { name, ...mark }, prefix) => port.close({ key: prefix + name, ...mark })),
);

const lockUntil = fc.integer({ min: -1, max: 3 }).map((step) => NOW + step * 30_000);
const info = optional(fc.constantFrom('one', 'two'), 'info');

export const LOCK_CALLS: Calls<Locks> = fc.oneof(
  {
    arbitrary: call(
      'acquire',
      fc.tuple(fc.record({ name: id, owner, nowMs, untilMs: lockUntil }), info),
      async (port: Locks, [{ name, ...request }, note], prefix) => {
        const holding = await port.acquire({ key: prefix + name, ...request, ...note });
        return holding === undefined ? undefined : { ...holding, key: name };
      },
    ),
    weight: 4,
  },
  call(
    'renew',
    fc.record({ name: id, owner, nowMs, untilMs: lockUntil }),
    (port: Locks, { name, ...request }, prefix) => port.renew({ key: prefix + name, ...request }),
  ),
  call('release', fc.record({ name: id, owner }), (port: Locks, { name, owner: who }, prefix) =>
    port.release({ key: prefix + name, owner: who }),
  ),
  call(
    'free',
    fc.record({ name: id, token: fc.constantFrom(undefined, NOW + 1, NOW + 2, NOW + 10_001) }),
    async (port: Locks, { name, token }, prefix) => {
      const freed = await port.free(prefix + name, token);
      return freed === undefined ? undefined : { ...freed, key: name };
    },
  ),
  call('held', nowMs, async (port: Locks, ms, prefix) => {
    const held = (await port.held(ms, 10_000)).filter(({ key }) => key.startsWith(prefix));
    return held
      .map((holding) => ({ ...holding, key: holding.key.slice(prefix.length) }))
      .toSorted((left, right) => (left.key < right.key ? -1 : 1));
  }),
);
