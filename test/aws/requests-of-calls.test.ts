/**
 * What each call of a store asks of DynamoDB, word by word, and what it answers: tables outlive versions, and every condition
 * here keeps a promise. After a change that is meant: `npm test -- test/aws/requests-of-calls -u`, and read what has changed.
 */
import type { OutgoingMessage } from 'celeriac';
import { expect, it } from 'vitest';

import type { Connected } from '../../lib/aws/connect.ts';
import type { Episode } from '../../lib/ports/marks.ts';
import type { Parked, SlotsWrite } from '../../lib/ports/slots.ts';
import type { Timer } from '../../lib/ports/timers.ts';
import { adapters, NOW } from '../support/fake-services/adapters.ts';
import { RESULTS_TABLE, STATE_TABLE } from '../support/fake-services/services.ts';

const TTL = NOW / 1000 + 86_400;
const MESSAGE: OutgoingMessage = { queue: 'plain', body: 'b' };

/** Attributes as they are read best: their values alone, where those say of what kind they are. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64').slice(0, 24)}`;
  return value;
}

const shown = (value: unknown): string => JSON.stringify(value, plain) ?? 'undefined';

function tableNamed(name: unknown): string {
  return name === RESULTS_TABLE ? 'results' : name === STATE_TABLE ? 'state' : String(name);
}

function requestText(command: object): string {
  const { TableName, RequestItems, Statements, ...rest } = (command as { input: Record<string, unknown> }).input;
  const name = command.constructor.name.replace(/Command$/, '');
  if (RequestItems !== undefined) {
    const [[table, asked] = ['', undefined]] = Object.entries(RequestItems as object);
    return `${name} ${tableNamed(table)} ${shown(asked)}`;
  }
  if (Statements !== undefined)
    return [name, ...(Statements as object[]).map((each) => `    ${shown(each)}`)].join('\n');
  return `${name} ${tableNamed(TableName)} ${shown(rest)}`;
}

type Step = readonly [what: string, call: (ports: Connected) => Promise<unknown>];

const lock = (more: object = {}) => ({ key: 'k', owner: 'me', nowMs: NOW, untilMs: NOW + 60_500, ...more });
const mark = (key: string, more: object = {}) => ({ key, id: `of ${key}`, nowMs: NOW, expiresMs: NOW + 900, ...more });
const episode = (id: string, more: Partial<Episode> = {}): Episode => ({
  id,
  firstMs: NOW,
  dueMs: NOW + 9500,
  message: MESSAGE,
  sealed: false,
  ...more,
});
const KEY = 'slots#work#k';
const HELD = { leaseMs: NOW + 30_000, by: 'worker' };
const slots = (more: Partial<SlotsWrite>): SlotsWrite => ({ key: KEY, expiresAtSeconds: TTL, when: {}, ...more });
const parked = (holder: string, more: Partial<Parked> = {}): Parked => ({
  sinceMs: NOW,
  holder,
  token: 't',
  grants: 2,
  wake: { kind: 'send', message: MESSAGE },
  ...more,
});
const member = (index: number, more: object = {}) => ({
  groupId: 'g',
  index,
  size: 3,
  failed: false,
  expiresAtSeconds: TTL,
  ...more,
});
const claim = (id: string, more: object = {}) => ({
  id,
  attempt: 0,
  owner: 'me',
  nowMs: NOW,
  leaseMs: NOW + 60_000,
  name: 'task',
  queue: 'plain',
  meta: '{"status":"STARTED"}',
  expiresAtSeconds: TTL,
  ...more,
});
const end = (id: string, status: string, more: object = {}) => ({
  ...claim(id),
  status,
  final: status !== 'RETRY',
  ...more,
});
const conclusion = (id: string, more: object = {}) => ({ ...claim(id), status: 'FAILURE', ...more });
const timer = (id: string, more: Partial<Timer> = {}): Timer => ({
  id,
  attempt: 1,
  dueMs: NOW + 5,
  message: MESSAGE,
  ...more,
});
const entry = (name: string, revision: number, nextDueMs: number | null) => ({
  name,
  revision,
  nextDueMs,
  document: '{}',
});
const bytes = new Uint8Array([1, 2, 3]);

const STORES: Readonly<Record<string, readonly Step[]>> = {
  locks: [
    ['one that nobody has', ({ locks }) => locks.acquire(lock())],
    ['once more, by its owner, with a word', ({ locks }) => locks.acquire(lock({ info: 'why' }))],
    ['by another', ({ locks }) => locks.acquire(lock({ owner: 'you' }))],
    ['renewed', ({ locks }) => locks.renew(lock({ untilMs: NOW + 90_000 }))],
    ['renewed by another', ({ locks }) => locks.renew(lock({ owner: 'you' }))],
    ['all that are held', ({ locks }) => locks.held(NOW, 10)],
    ['two seconds after its end', ({ locks }) => locks.held(NOW + 92_000, 10)],
    ['later', ({ locks }) => locks.held(NOW + 92_001, 10)],
    ['given back', ({ locks }) => locks.release(lock())],
    ['given back again', ({ locks }) => locks.release(lock())],
    ['given back by another', ({ locks }) => locks.release(lock({ owner: 'you' }))],
    ['freed, where nobody has it', ({ locks }) => locks.free('k', undefined)],
    ['taken by another', ({ locks }) => locks.acquire(lock({ owner: 'you' }))],
    ['freed with another token', ({ locks }) => locks.free('k', 1)],
    ['freed with its token', ({ locks }) => locks.free('k', NOW + 2)],
    ['taken once more', ({ locks }) => locks.acquire(lock())],
    ['freed, whoever has it', ({ locks }) => locks.free('k', undefined)],
  ],
  pauses: [
    ['none', ({ pauses }) => pauses.list()],
    ['one', ({ pauses }) => pauses.put({ queue: 'mail', sinceMs: NOW, by: 'me' })],
    ['the same, of another', ({ pauses }) => pauses.put({ queue: 'mail', sinceMs: NOW + 1, by: 'you', why: 'x' })],
    [
      'one that says more',
      ({ pauses }) => pauses.put({ queue: 'plain', sinceMs: NOW, by: 'me', why: 'y', eventSources: ['e'] }),
    ],
    ['both', ({ pauses }) => pauses.list()],
    ['taken away', ({ pauses }) => pauses.remove('plain')],
    ['taken away again', ({ pauses }) => pauses.remove('plain')],
  ],
  rates: [
    ['an empty line', ({ rates }) => rates.reserve({ key: 'k', count: 2, paceMicros: 1500, nowMs: NOW })],
    [
      'a line in which somebody stands',
      ({ rates }) => rates.reserve({ key: 'k', count: 1, paceMicros: 1500, nowMs: NOW }),
    ],
    [
      'a look at it under another limit',
      ({ rates }) => rates.reserve({ key: 'k', count: 0, paceMicros: 3000, nowMs: NOW }),
    ],
    ['a place after that', ({ rates }) => rates.reserve({ key: 'k', count: 1, paceMicros: 3000, nowMs: NOW })],
    [
      'long after all have gone',
      ({ rates }) => rates.reserve({ key: 'k', count: 1, paceMicros: 3000, nowMs: NOW + 9000 }),
    ],
    ['a slot that nobody has kept', ({ rates }) => rates.kept('a', 1)],
    [
      'kept',
      ({ rates }) =>
        rates.keep({ id: 'a', attempt: 1, slot: { slotMicros: 5, paceMicros: 6, lates: 7 }, expiresAtSeconds: TTL }),
    ],
    [
      'kept once more',
      ({ rates }) =>
        rates.keep({ id: 'a', attempt: 1, slot: { slotMicros: 8, paceMicros: 6, lates: 0 }, expiresAtSeconds: TTL }),
    ],
    [
      'kept instead',
      ({ rates }) =>
        rates.keep({
          id: 'a',
          attempt: 1,
          slot: { slotMicros: 9, paceMicros: 6, lates: 1 },
          instead: { slotMicros: 5, paceMicros: 6, lates: 7 },
          expiresAtSeconds: TTL,
        }),
    ],
    ['as it is kept', ({ rates }) => rates.kept('a', 1)],
    ['a limit', ({ rates }) => rates.setLimit('task', '5/m')],
    ['all limits', ({ rates }) => rates.limits()],
    ['none any more', ({ rates }) => rates.setLimit('task', undefined)],
  ],
  slots: [
    ['nobody', ({ slots: store }) => store.read(KEY)],
    ['nothing to begin with', ({ slots: store }) => store.write(slots({ remove: ['a#0'] }))],
    [
      'the first',
      ({ slots: store }) =>
        store.write(
          slots({ put: new Map([['a#0', HELD]]), limit: 2, when: { absent: ['a#0'], atMost: 1, line: null } }),
        ),
    ],
    [
      'a line, and who looks',
      ({ slots: store }) => store.write(slots({ line: 'l', checkMs: NOW + 5, when: { checkMs: null, atLeast: 1 } })),
    ],
    ['as it stands', ({ slots: store }) => store.read(KEY)],
    [
      'under all conditions',
      ({ slots: store }) =>
        store.write(
          slots({
            put: new Map([['b#0', HELD]]),
            remove: ['a#0'],
            line: null,
            checkMs: null,
            when: {
              same: new Map([['a#0', HELD]]),
              present: ['a#0'],
              absent: ['b#0'],
              atMost: 1,
              atLeast: 1,
              line: 'l',
              checkMs: NOW + 5,
            },
          }),
        ),
    ],
    [
      'refused',
      ({ slots: store }) => store.write(slots({ put: new Map([['c#0', HELD]]), when: { present: ['a#0'] } })),
    ],
    [
      'parked',
      ({ slots: store }) =>
        store.park(KEY, [
          parked('x#0'),
          parked('y#0', { expiresMs: NOW + 7, wake: { kind: 'show', queue: 'q', receipt: 'r' } }),
        ]),
    ],
    ['the line', ({ slots: store }) => store.line(KEY, 10)],
    ['of nobody', ({ slots: store }) => store.line(KEY, 0)],
    ['how many', ({ slots: store }) => store.count(KEY)],
    [
      'how many before one, and no more than are asked for',
      ({ slots: store }) => store.count(KEY, { before: { sinceMs: NOW, holder: 'y#0' }, most: 5 }),
    ],
    ['where a task waits', ({ slots: store }) => store.lastPlace('y')],
    ['where nobody waits', ({ slots: store }) => store.lastPlace('z')],
    ['one of it', ({ slots: store }) => store.parked(KEY, parked('y#0'))],
    ['one who is not there', ({ slots: store }) => store.parked(KEY, parked('z#0'))],
    ['leaves with another token', ({ slots: store }) => store.unpark(KEY, parked('x#0'), 'u')],
    ['leaves with its token', ({ slots: store }) => store.unpark(KEY, parked('x#0'), 't')],
    ['leaves', ({ slots: store }) => store.unpark(KEY, parked('y#0'))],
  ],
  marks: [
    ['one', ({ marks }) => marks.take([mark('a')])],
    ['none', ({ marks }) => marks.take([])],
    [
      'several, one of them taken',
      ({ marks }) => marks.take([mark('b'), mark('a', { id: 'x' }), mark('c', { instead: 'y' })]),
    ],
    ['instead of who has it', ({ marks }) => marks.take([mark('a', { id: 'x', instead: 'of a' })])],
    ['one is sent', ({ marks }) => marks.noteSent([mark('b')])],
    ['several are', ({ marks }) => marks.noteSent([mark('b'), mark('c')])],
    ['sent by another', ({ marks }) => marks.noteSent([mark('a')])],
    ['as it is marked', ({ marks }) => marks.take([mark('b', { id: 'z' })])],
    ['cleared if it was not sent', ({ marks }) => marks.clear([mark('b')], true)],
    ['cleared', ({ marks }) => marks.clear([mark('b')])],
    ['no episode', ({ marks }) => marks.episode('e')],
    ['opened', ({ marks }) => marks.open('e', episode('1'))],
    ['opened by another', ({ marks }) => marks.open('e', episode('2'))],
    ['opened instead of one that goes on', ({ marks }) => marks.open('e', episode('2'), '1')],
    ['joined', ({ marks }) => marks.join({ key: 'e', id: '1', dueMs: NOW + 12_000, message: MESSAGE })],
    ['its token', ({ marks }) => marks.noteToken({ key: 'e', id: '1' }, NOW + 7)],
    ['sealed too early', ({ marks }) => marks.seal({ key: 'e', id: '1' }, NOW + 11_999)],
    ['sealed', ({ marks }) => marks.seal({ key: 'e', id: '1' }, NOW + 12_000)],
    ['sealed once more', ({ marks }) => marks.seal({ key: 'e', id: '1' }, NOW)],
    ['joined too late', ({ marks }) => marks.join({ key: 'e', id: '1', dueMs: NOW, message: MESSAGE })],
    ['sealed by another', ({ marks }) => marks.seal({ key: 'e', id: '3' }, NOW)],
    ['as it stands', ({ marks }) => marks.episode('e')],
    ['opened instead of one that has ended', ({ marks }) => marks.open('e', episode('2'), '1')],
    ['closed by another', ({ marks }) => marks.close({ key: 'e', id: '1' })],
    ['closed', ({ marks }) => marks.close({ key: 'e', id: '2' })],
  ],
  groups: [
    ['one of three', ({ groups }) => groups.mark([member(0)])],
    [
      'two more, one of them failed',
      ({ groups }) =>
        groups.mark([member(1, { failed: true, memberId: 'own' }), member(2, { expiresAtSeconds: TTL + 5 })]),
    ],
    [
      'of a hundred, the last of each part',
      ({ groups }) => groups.mark([member(63, { size: 100, groupId: 'h' }), member(99, { size: 100, groupId: 'h' })]),
    ],
    ['counted', ({ groups }) => groups.count('g')],
    [
      'defined',
      ({ groups }) =>
        groups.define({ groupId: 'g', size: 3, createdMs: NOW, definition: '{"a":1}', expiresAtSeconds: TTL }),
    ],
    ['as it is defined', ({ groups }) => groups.definition('g', NOW)],
    ['expired', ({ groups }) => groups.definition('g', TTL * 1000)],
    ['forgotten', ({ groups }) => groups.forget('g')],
    ['unknown', ({ groups }) => groups.definition('g', NOW)],
  ],
  celeryGroups: [
    [
      'a chord',
      ({ celeryGroups }) =>
        celeryGroups.define({ groupId: 'g', memberIds: ['a', 'b'], chord: true, nowMs: NOW, expiresAtSeconds: TTL }),
    ],
    [
      'a group',
      ({ celeryGroups }) =>
        celeryGroups.define({ groupId: 'h', memberIds: ['c'], chord: false, nowMs: NOW, expiresAtSeconds: TTL }),
    ],
    ['its members', ({ celeryGroups }) => celeryGroups.members('g', NOW)],
    ['expired', ({ celeryGroups }) => celeryGroups.members('g', TTL * 1000)],
    ['one is done', ({ celeryGroups }) => celeryGroups.count({ groupId: 'g', index: 1, expiresAtSeconds: TTL })],
    ['the same', ({ celeryGroups }) => celeryGroups.count({ groupId: 'g', index: 1, expiresAtSeconds: TTL })],
    [
      'of a group that nobody counts',
      ({ celeryGroups }) => celeryGroups.count({ groupId: 'h', index: 0, expiresAtSeconds: TTL }),
    ],
    ['closed', ({ celeryGroups }) => celeryGroups.close('g')],
    ['counted since', ({ celeryGroups }) => celeryGroups.count({ groupId: 'g', index: 0, expiresAtSeconds: TTL })],
    ['a chord is not forgotten', ({ celeryGroups }) => celeryGroups.forget('g')],
    ['a group is', ({ celeryGroups }) => celeryGroups.forget('h')],
  ],
  history: [
    [
      'two items',
      ({ history }) =>
        history.put(
          [0, 1].map((n) => ({ shard: 3, firstMs: NOW + n, name: `n${n}`, data: bytes, expiresAtSeconds: TTL })),
        ),
    ],
    ['read, the latest first', ({ history }) => history.page({ shard: 3, fromMs: NOW, untilMs: NOW + 2 })],
    ['the end is not of it', ({ history }) => history.page({ shard: 3, fromMs: NOW, untilMs: NOW + 1 })],
    [
      'goes on',
      ({ history }) =>
        history.page({
          shard: 3,
          fromMs: NOW,
          untilMs: NOW + 2,
          after: { pk: { S: `history#${NOW - (NOW % 3_600_000)}#3` }, sk: { S: `${NOW + 1}#n1` } },
        }),
    ],
    ['a late minute', ({ history }) => history.noteLate({ startMs: NOW, token: 't', expiresAtSeconds: TTL })],
    ['how far it is', ({ history }) => history.rollState(1)],
    ['cleared with another token', ({ history }) => history.clearLate({ startMs: NOW, token: 'u' })],
    ['rolled up', ({ history }) => history.rolled(NOW)],
    ['rolled up by one that is behind', ({ history }) => history.rolled(NOW - 1)],
    ['how far it is now', ({ history }) => history.rollState(1)],
    ['cleared', ({ history }) => history.clearLate({ startMs: NOW, token: 't' })],
    [
      'a bucket',
      ({ history }) => history.putBucket({ every: 'hour', startMs: NOW, count: 5, data: bytes, expiresAtSeconds: TTL }),
    ],
    [
      'with less in it',
      ({ history }) => history.putBucket({ every: 'hour', startMs: NOW, count: 4, data: bytes, expiresAtSeconds: TTL }),
    ],
    ['buckets', ({ history }) => history.buckets({ every: 'hour', fromMs: NOW, untilMs: NOW + 1, limit: 5 })],
    ['of no time', ({ history }) => history.buckets({ every: 'hour', fromMs: NOW, untilMs: NOW, limit: 5 })],
  ],
  timers: [
    ['two, one of them twice', ({ timers }) => timers.put([timer('a'), timer('a'), timer('b', { sequence: 's' })])],
    [
      'those that are due, which go',
      async ({ timers }) => {
        const found: unknown[] = [];
        await timers.eachDue({ untilMs: NOW + 5, limit: 10 }, async (page, part) => {
          found.push(part, ...page);
          await timers.remove(page);
        });
        return found;
      },
    ],
    ['taken away unseen', ({ timers }) => timers.remove([timer('c'), timer('c')])],
  ],
  schedules: [
    ['one', ({ schedules }) => schedules.write([entry('a', 1, NOW)])],
    ['two', ({ schedules }) => schedules.write([entry('b', 1, null), entry('c', 1, NOW + 9)])],
    [
      'two again, one of another revision',
      ({ schedules }) => schedules.write([entry('b', 2, NOW), entry('c', 3, null)]),
    ],
    ['read', ({ schedules }) => schedules.read(['a', 'b', 'a', 'x'])],
    ['listed', ({ schedules }) => schedules.list('a', 1)],
    [
      'due',
      async ({ schedules }) => {
        const found: unknown[] = [];
        await schedules.eachDue(NOW, 10, (page) => {
          found.push(...page);
          return Promise.resolve(page.slice(0, 1));
        });
        return found;
      },
    ],
    ['deleted in another revision', ({ schedules }) => schedules.remove('a', 2)],
    ['deleted', ({ schedules }) => schedules.remove('a', 1)],
  ],
  backend: [
    ['claimed', ({ backend }) => backend.claim([claim('a')])],
    ['claimed by another', ({ backend }) => backend.claim([claim('a', { owner: 'you' })])],
    ['claimed together', ({ backend }) => backend.claim([claim('b'), claim('c')])],
    ['claimed, its document kept', ({ backend }) => backend.claim([claim('d', { keepMeta: true })])],
    ['a state', ({ backend }) => backend.update({ ...claim('a'), status: 'PROGRESS' })],
    ['given back', ({ backend }) => backend.release(claim('d'))],
    ['taken over', ({ backend }) => backend.claim([claim('d', { owner: 'you', nowMs: NOW + 1 })])],
    ['committed', ({ backend }) => backend.commit([end('a', 'SUCCESS', { settlement: '{}' })])],
    [
      'committed together',
      ({ backend }) => backend.commit([end('b', 'RETRY'), end('c', 'SUCCESS', { ignored: true, meta: undefined })]),
    ],
    ['committed by who has it no more', ({ backend }) => backend.commit([end('d', 'SUCCESS')])],
    ['the next attempt', ({ backend }) => backend.claim([claim('b', { attempt: 1 })])],
    ['an older one', ({ backend }) => backend.claim([claim('b')])],
    ['concluded', ({ backend }) => backend.conclude([conclusion('e', { settlement: '{}' }), conclusion('a')])],
    ['concluded while it runs', ({ backend }) => backend.conclude([conclusion('d', { attempt: 0 })])],
    ['revoked', ({ backend }) => backend.revoke({ ...claim('f'), meta: '{}' })],
    ['revoked while it runs', ({ backend }) => backend.revoke({ ...claim('d'), meta: '{}', terminate: true })],
    ['revoked after its end', ({ backend }) => backend.revoke({ ...claim('a'), meta: '{}' })],
    ['who is to end', ({ backend }) => backend.terminated(['d', 'a', 'x'])],
    ['told that it is', ({ backend }) => backend.update({ ...claim('d', { owner: 'you' }), status: 'PROGRESS' })],
    ['settled', ({ backend }) => backend.noteSettled({ id: 'a', attempt: 0 })],
    ['read', ({ backend }) => backend.get(['a', 'x', 'b'], NOW)],
    ['forgotten', ({ backend }) => backend.forget(['a'])],
  ],
};

it.each(Object.entries(STORES))('%s', async (store, steps) => {
  const { ports, sent } = adapters();
  const text: string[] = [];
  for (const [what, call] of steps) {
    sent.splice(0);
    const answer = await call(ports);
    text.push(`# ${what}`, ...sent.map(requestText), `-> ${shown(answer)}`, '');
  }
  await expect(text.join('\n')).toMatchFileSnapshot(`./requests-of-calls/${store}.txt`);
});
