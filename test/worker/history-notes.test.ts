/** What a batch writes down of its ends: each field, in which items, once and again. */
import { createHash } from 'node:crypto';

import { ManualClock } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import {
  HISTORY_RETENTION_SECONDS,
  MAX_ENTRY_NAME_CHARACTERS,
  MAX_HISTORY_ENTRIES,
  MAX_HISTORY_ITEM_BYTES,
} from '../../lib/base/limits.ts';
import type { HistoryOption } from '../../lib/options/settings.ts';
import type { ConcludeOutcome, ConcludeRequest, TaskRecord } from '../../lib/ports/backend.ts';
import type { Delivery } from '../../lib/ports/delivery.ts';
import type { History } from '../../lib/ports/history.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { type HistoryEntry, unpackHistory } from '../../lib/wire/history-entry.ts';
import type { Message } from '../../lib/wire/message.ts';
import type { Committed } from '../../lib/worker/committed.ts';
import type { EndNotes } from '../../lib/worker/end-notes.ts';
import { notesOf } from '../../lib/worker/history-notes.ts';
import { envelope, ID } from '../support/one-delivery.ts';

const MINUTE = 60_000;
const NOW = Date.parse('2030-01-01T10:20:30Z');
const START_OF_MINUTE = NOW - 30_000;

type Put = Parameters<History['put']>[0][number];

interface Rig {
  readonly notes: EndNotes;
  readonly clock: ManualClock;
  readonly items: Put[];
  readonly late: Parameters<History['noteLate']>[0][];
  readonly lines: { readonly level: string; readonly text: string; readonly taskId: unknown }[];
  readonly entries: () => HistoryEntry[];
}

/** @param put what the store says to the items of each call */
function rig(kept: HistoryOption = 'all', put: (items: readonly Put[]) => Error | undefined = () => undefined): Rig {
  const clock = new ManualClock(NOW);
  const [items, late, lines]: [Put[], Rig['late'], Rig['lines']] = [[], [], []];
  const history: Pick<History, 'put' | 'noteLate'> = {
    put: async (some) => {
      const error = put(some);
      if (error !== undefined) throw error;
      items.push(...some);
      return Promise.resolve();
    },
    noteLate: async (minute) => {
      late.push(minute);
      return Promise.resolve();
    },
  };
  const logger = {
    log: (level: string, text: string, fields: object = {}): void =>
      void lines.push({ level, text, taskId: (fields as { taskId?: unknown }).taskId }),
  };
  const notes = notesOf(kept, { clock, logger, history: history as History }, 'request');
  const entries = (): HistoryEntry[] => items.flatMap(({ data }) => unpackHistory(data));
  return { notes, clock, items, late, lines, entries };
}

const messageOf = (fields: Partial<Message> = {}): Message => ({ ...decodeMessage(envelope()), ...fields });
const deliveryOf = (fields: Partial<Delivery> = {}): Delivery => ({
  messageId: 'm1',
  receipt: 'r1',
  body: '',
  queue: 'default',
  receiveCount: 1,
  ...fields,
});
const SUCCESS: Committed = { status: 'SUCCESS', meta: undefined, settlement: {}, ended: { atMs: NOW } };
const failure = (result: unknown): Committed => ({
  ...SUCCESS,
  status: 'FAILURE',
  meta: JSON.stringify({ status: 'FAILURE', result, traceback: null, children: [], date_done: null, task_id: ID }),
});

async function noted(message: Partial<Message>, committed: Committed, delivery: Partial<Delivery> = {}) {
  const { notes, entries, lines } = rig();
  await notes.note(messageOf(message), deliveryOf(delivery), committed);
  expect([await notes.write(), lines]).toEqual([[], []]);
  return entries()[0];
}

const PLAIN = { id: ID, attempt: 0, task: 'job', queue: 'default', state: 'SUCCESS', endedMs: NOW };

describe('an end that is noted', () => {
  it.each<[string, Partial<Message>, Committed, Partial<Delivery>, Partial<HistoryEntry>]>([
    ['that tells nothing more', {}, SUCCESS, {}, {}],
    ['without times, now', {}, { ...SUCCESS, ended: undefined }, {}, {}],
    [
      'without an end, when it began',
      {},
      { ...SUCCESS, ended: { startedMs: NOW - 7 } },
      {},
      { endedMs: NOW - 7, startedMs: NOW - 7 },
    ],
    ['of the attempt that ended', { retries: 1 }, { ...SUCCESS, ended: { attempt: 2, atMs: NOW } }, {}, { attempt: 2 }],
    ['of its message', { retries: 3 }, SUCCESS, {}, { attempt: 3 }],
    ['that ran', {}, { ...SUCCESS, ended: { atMs: NOW, startedMs: NOW - 9 } }, {}, { startedMs: NOW - 9 }],
    ['that ran no time', {}, { ...SUCCESS, ended: { atMs: NOW, startedMs: NOW } }, {}, { startedMs: NOW }],
    [
      'that began after its end, by a clock that went back',
      {},
      { ...SUCCESS, ended: { atMs: NOW, startedMs: NOW + 1 } },
      {},
      {},
    ],
    [
      'that was due when it was sent',
      { etaMs: NOW - 30 },
      { ...SUCCESS, ended: { atMs: NOW, startedMs: NOW - 9 } },
      { sentMs: NOW - 20 },
      { startedMs: NOW - 9, dueMs: NOW - 20 },
    ],
    [
      'that was due after it was sent',
      { etaMs: NOW - 15 },
      { ...SUCCESS, ended: { atMs: NOW, startedMs: NOW - 9 } },
      { sentMs: NOW - 20 },
      { startedMs: NOW - 9, dueMs: NOW - 15 },
    ],
    [
      'that was not due before it began',
      {},
      { ...SUCCESS, ended: { atMs: NOW, startedMs: NOW - 9 } },
      { sentMs: NOW - 3 },
      { startedMs: NOW - 9, dueMs: NOW - 9 },
    ],
    ['that did not run was not due', {}, SUCCESS, { sentMs: NOW - 20 }, {}],
    ['delivered once', {}, { ...SUCCESS, ended: { atMs: NOW, deliveries: 1 } }, {}, {}],
    ['delivered twice', {}, { ...SUCCESS, ended: { atMs: NOW, deliveries: 2 } }, {}, { deliveries: 2 }],
    [
      'delivered once more, given back in between',
      {},
      { ...SUCCESS, ended: { atMs: NOW, deliveries: 2, lost: 0 } },
      {},
      { deliveries: 2 },
    ],
    [
      'under which a worker died',
      {},
      { ...SUCCESS, ended: { atMs: NOW, deliveries: 3, lost: 1 } },
      {},
      { deliveries: 3, lost: 1 },
    ],
    ['written before', {}, { ...SUCCESS, again: true }, {}, { again: true }],
    ['with arguments', { argsrepr: "('x',)" }, SUCCESS, {}, { repr: "('x',)" }],
    ['with keywords', { argsrepr: '(1,)', kwargsrepr: "{'y': 2}" }, SUCCESS, {}, { repr: "(1,) {'y': 2}" }],
    ['with none', { argsrepr: '', kwargsrepr: '{}' }, SUCCESS, {}, {}],
    ['with an empty list of them', { argsrepr: '()', kwargsrepr: '{}' }, SUCCESS, {}, {}],
    ['with long ones', { argsrepr: 'x'.repeat(81) }, SUCCESS, {}, { repr: `${'x'.repeat(79)}…` }],
    ['with as long ones as may be', { argsrepr: 'x'.repeat(80) }, SUCCESS, {}, { repr: 'x'.repeat(80) }],
    ['cut within a pair', { argsrepr: `${'x'.repeat(78)}😀y` }, SUCCESS, {}, { repr: `${'x'.repeat(78)}�…` }],
    ['of a parent', { parentId: 'p' }, SUCCESS, {}, { parentId: 'p' }],
    ['of a tick', { celeriac: { beat: { entry: 'nightly' } } }, SUCCESS, {}, { entry: 'nightly' }],
    [
      'of a tick of a long name',
      { celeriac: { beat: { entry: 'n'.repeat(MAX_ENTRY_NAME_CHARACTERS + 1) } } },
      SUCCESS,
      {},
      { entry: `${'n'.repeat(MAX_ENTRY_NAME_CHARACTERS - 1)}…` },
    ],
    ['of what is no tick', { celeriac: { beat: { entry: 7 } } }, SUCCESS, {}, {}],
    ['of a retry', { retries: 1, celeriac: { retried: NOW - 5 } }, SUCCESS, {}, { attempt: 1, previousMs: NOW - 5 }],
    ['of no retry, whoever says so', { celeriac: { retried: NOW - 5 } }, SUCCESS, {}, {}],
    ['of a retry at no number', { retries: 1, celeriac: { retried: '5' as never } }, SUCCESS, {}, { attempt: 1 }],
    ['of a retry at no whole number', { retries: 1, celeriac: { retried: 0.5 } }, SUCCESS, {}, { attempt: 1 }],
    [
      'in a retry, when that was decided',
      {},
      { ...SUCCESS, status: 'RETRY', settlement: { retry: { dueMs: NOW + 9, overrides: {}, atMs: NOW - 4 } } },
      {},
      { state: 'RETRY', endedMs: NOW - 4 },
    ],
    [
      'in a retry of which that is not known',
      {},
      { ...SUCCESS, status: 'RETRY', settlement: { retry: { dueMs: NOW + 9, overrides: {} } } },
      {},
      { state: 'RETRY' },
    ],
    [
      'after a retry that was decided and could not be sent',
      {},
      { ...failure(null), settlement: { retry: { dueMs: NOW + 9, overrides: {}, atMs: NOW - 4 } } },
      {},
      { state: 'FAILURE' },
    ],
    [
      'in a dead letter',
      {},
      { ...failure(null), settlement: { deadLetter: { reason: 'r'.repeat(161), error: 'e', deliveries: 1 } } },
      {},
      { state: 'FAILURE', deadLetter: `${'r'.repeat(159)}…` },
    ],
    [
      'with an error',
      {},
      failure({ exc_type: 'TypeError', exc_message: ['no', 'such'] }),
      {},
      { state: 'FAILURE', error: 'TypeError: no, such' },
    ],
    [
      'with an error of one text',
      {},
      failure({ exc_type: 'TypeError', exc_message: 'no' }),
      {},
      { state: 'FAILURE', error: 'TypeError: no' },
    ],
    [
      'with an error that says nothing',
      {},
      failure({ exc_type: 'TypeError', exc_message: [] }),
      {},
      { state: 'FAILURE', error: 'TypeError' },
    ],
    [
      'with an error of no text',
      {},
      failure({ exc_type: 'TypeError', exc_message: 7 }),
      {},
      { state: 'FAILURE', error: 'TypeError' },
    ],
    [
      'with a long error',
      {},
      failure({ exc_type: 'E', exc_message: ['x'.repeat(200)] }),
      {},
      { state: 'FAILURE', error: `E: ${'x'.repeat(156)}…` },
    ],
    ['with an error of no type', {}, failure({ exc_message: ['x'] }), {}, { state: 'FAILURE' }],
    ['with no error', {}, failure(null), {}, { state: 'FAILURE' }],
    ['with a text for an error', {}, failure('x'), {}, { state: 'FAILURE' }],
    // Some hundred kilobytes, perhaps.
    ['with a result, which is not read', {}, { ...SUCCESS, meta: 'no JSON' }, {}, {}],
  ])('%s', async (_what, message, committed, delivery, expected) => {
    expect(await noted(message, committed, delivery)).toEqual({ ...PLAIN, ...expected });
  });

  it('of which the document cannot be read is left out, and told', async () => {
    const { notes, entries, lines } = rig();
    await notes.note(messageOf(), deliveryOf(), { ...failure(null), meta: 'no JSON' });
    await notes.note(messageOf({ id: 'next' }), deliveryOf(), SUCCESS);
    expect(await notes.write()).toEqual([]);
    expect(entries().map(({ id }) => id)).toEqual(['next']);
    expect(lines).toMatchObject([{ level: 'error', taskId: ID }]);
  });

  it.each<[HistoryOption, string, number, boolean]>([
    ['all', 'SUCCESS', 0, true],
    ['failures', 'SUCCESS', 0, false],
    ['failures', 'FAILURE', 0, true],
    ['failures', 'RETRY', 0, true],
    ['all', 'SUCCESS', HISTORY_RETENTION_SECONDS * 1000 - 1, true],
    ['all', 'SUCCESS', HISTORY_RETENTION_SECONDS * 1000, false],
  ])('of %s that are kept: %s %i ms ago -> %s', async (kept, status, agoMs, isKept) => {
    const { notes, entries } = rig(kept);
    await notes.note(messageOf(), deliveryOf(), { ...SUCCESS, status, ended: { atMs: NOW - agoMs } });
    await notes.write();
    expect(entries()).toHaveLength(isKept ? 1 : 0);
  });
});

const REQUEST: ConcludeRequest = {
  id: ID,
  attempt: 1,
  nowMs: NOW,
  status: 'REVOKED',
  name: 'job',
  queue: 'mail',
  meta: JSON.stringify({ status: 'REVOKED', result: { exc_type: 'TaskRevokedError', exc_message: ['expired'] } }),
  expiresAtSeconds: 0,
};
const record = (fields: Partial<TaskRecord>): ConcludeOutcome => ({
  kind: 'finished',
  record: { id: ID, status: 'SUCCESS', attempt: 3, committed: 3, owner: 'o', ...fields },
});
const CONCLUDED = {
  id: ID,
  attempt: 1,
  task: 'job',
  queue: 'mail',
  state: 'REVOKED',
  endedMs: NOW,
  error: 'TaskRevokedError: expired',
};

describe('what was concluded', () => {
  it.each<[string, ConcludeOutcome, Message | undefined, object | undefined]>([
    ['here', { kind: 'concluded' }, undefined, CONCLUDED],
    ['here, of a message', { kind: 'concluded' }, messageOf({ parentId: 'p' }), { ...CONCLUDED, parentId: 'p' }],
    [
      'before',
      record({ finishedMs: NOW - 5 }),
      undefined,
      { id: ID, attempt: 3, task: 'job', queue: 'mail', state: 'SUCCESS', endedMs: NOW - 5, again: true },
    ],
    ['before, and waits for its retry', record({ status: 'RETRY' }), undefined, undefined],
    ['elsewhere', { kind: 'busy', leaseMs: 5, record: { id: ID, status: 'STARTED' } }, undefined, undefined],
    [
      'by a later attempt',
      { kind: 'older', record: { id: ID, status: 'STARTED', finishedMs: 5 } },
      undefined,
      undefined,
    ],
  ])('%s', async (_what, outcome, message, expected) => {
    const { notes, entries, items } = rig();
    await notes.noteConcluded(REQUEST, outcome, deliveryOf(), message);
    await notes.write();
    expect(entries()).toEqual(expected === undefined ? [] : [expected]);
    const at = rig();
    await at.notes.storeConcluded([REQUEST], [outcome], 'parent');
    const { parentId: _of, ...rest } = (expected ?? {}) as Partial<HistoryEntry>;
    expect(at.entries()).toEqual(expected === undefined ? [] : [{ ...rest, parentId: 'parent' }]);
    expect(items).toEqual(
      expected === undefined
        ? []
        : [
            expect.objectContaining({
              name: 'request',
              expiresAtSeconds: START_OF_MINUTE / 1000 + HISTORY_RETENTION_SECONDS,
            }),
          ],
    );
  });

  it('is stored as far as it is kept and can be read, each with its own outcome', async () => {
    const { notes, entries, lines } = rig('failures');
    const broken = { ...REQUEST, id: 'broken', meta: 'no JSON' };
    const requests = [{ ...REQUEST, id: 'busy' }, broken, { ...REQUEST, id: 'ok', status: 'SUCCESS' }, REQUEST];
    const busy: ConcludeOutcome = { kind: 'busy', leaseMs: 5, record: { id: 'busy', status: 'STARTED' } };
    const concluded = { kind: 'concluded' } as const;
    await notes.storeConcluded(requests, [busy, concluded, concluded, concluded], 'parent');
    expect(entries().map(({ id }) => id)).toEqual([ID]);
    expect(lines).toMatchObject([{ level: 'error', taskId: 'broken' }]);
  });

  it('is stored at once, or thrown where that may pass', async () => {
    const passing = rig('all', () => Object.assign(new Error('not now'), { retryable: true }));
    await expect(passing.notes.storeConcluded([REQUEST], [{ kind: 'concluded' }], 'p')).rejects.toThrow('not now');
    const refused = rig('all', () => new Error('never'));
    await refused.notes.storeConcluded([REQUEST], [{ kind: 'concluded' }], 'p');
    expect([passing.lines, refused.lines]).toMatchObject([[{ level: 'warn' }], [{ level: 'error' }]]);
  });
});

describe('the items of a batch', () => {
  const at = (atMs: number, fields: Partial<Message> = {}): [Message, Committed] => [
    messageOf({ id: `at ${atMs}`, ...fields }),
    { ...SUCCESS, ended: { atMs } },
  ];

  it('are one a minute, the first end first, and each by a name of its own', async () => {
    const { notes, items } = rig();
    for (const atMs of [NOW, NOW - 10, NOW - MINUTE, START_OF_MINUTE, START_OF_MINUTE - 1]) {
      const [message, committed] = at(atMs);
      await notes.note(message, deliveryOf(), committed);
    }
    await notes.write();
    const [shard] = items.map((item) => item.shard);
    expect(
      items.map(({ firstMs, name, data, ...rest }) => [
        firstMs,
        name,
        unpackHistory(data).map(({ endedMs }) => endedMs),
        rest,
      ]),
    ).toEqual([
      [
        START_OF_MINUTE,
        'request',
        [START_OF_MINUTE, NOW - 10, NOW],
        { shard, expiresAtSeconds: START_OF_MINUTE / 1000 + HISTORY_RETENTION_SECONDS },
      ],
      [
        NOW - MINUTE,
        'request#1',
        [NOW - MINUTE, START_OF_MINUTE - 1],
        { shard, expiresAtSeconds: START_OF_MINUTE / 1000 - 60 + HISTORY_RETENTION_SECONDS },
      ],
    ]);
    // Nothing of it a second time.
    await notes.write();
    expect(items).toHaveLength(2);
  });

  it.each([
    [MAX_HISTORY_ENTRIES, [MAX_HISTORY_ENTRIES]],
    [MAX_HISTORY_ENTRIES + 1, [251, 250]],
  ])('of %i ends: %j', async (count, expected) => {
    const { notes, items } = rig();
    for (let index = 0; index < count; index += 1) {
      const [message, committed] = at(START_OF_MINUTE + index);
      await notes.note(message, deliveryOf(), committed);
    }
    await notes.write();
    expect(items.map(({ data }) => unpackHistory(data).length)).toEqual(expected);
  });

  it('fit an item, whatever senders choose, and one end is never split', async () => {
    // Hard to pack: as long in bytes as in characters, nearly.
    const noise = createHash('shake256', { outputLength: 225_000 }).update('noise').digest('base64');
    const { notes, items } = rig();
    for (const index of [0, 1, 2])
      await notes.note(messageOf({ id: `${index}${noise.slice(index * 9)}` }), deliveryOf(), SUCCESS);
    await notes.note(messageOf({ id: 'small' }), deliveryOf(), SUCCESS);
    await notes.write();
    expect(items.map(({ data }) => unpackHistory(data).length)).toEqual([1, 1, 2]);
    for (const { data } of items) expect(data.byteLength).toBeLessThanOrEqual(MAX_HISTORY_ITEM_BYTES);
  });

  it('come again with their messages where they were not stored for now, and no others', async () => {
    const early = (items: readonly Put[]): boolean => items.some(({ firstMs }) => firstMs < START_OF_MINUTE);
    const { notes, entries, lines } = rig('all', (items) =>
      early(items) ? Object.assign(new Error('not now'), { retryable: true }) : undefined,
    );
    for (const [messageId, atMs] of [
      ['kept', NOW],
      ['lost', NOW - MINUTE],
      ['lost too', NOW - MINUTE + 1],
    ] as const) {
      const [message, committed] = at(atMs);
      await notes.note(message, deliveryOf({ messageId }), committed);
    }
    expect(await notes.write()).toEqual(['lost', 'lost too']);
    expect(entries().map(({ endedMs }) => endedMs)).toEqual([NOW]);
    expect(lines).toMatchObject([{ level: 'warn' }]);
  });

  it('that are refused for good go with their messages, and are told', async () => {
    const { notes, lines } = rig('all', () => new Error('never'));
    await notes.note(messageOf(), deliveryOf(), SUCCESS);
    expect(await notes.write()).toEqual([]);
    expect(lines).toMatchObject([{ level: 'error' }]);
  });

  it.each([
    [40_000, false],
    [40_001, true],
  ])('that are stored %i ms after their minute are noted as late: %s', async (lateMs, isLate) => {
    const { notes, clock, late } = rig();
    await notes.note(messageOf(), deliveryOf(), SUCCESS);
    clock.moveTo(START_OF_MINUTE + MINUTE + lateMs);
    await notes.write();
    const startMs = START_OF_MINUTE;
    const token = `request/${START_OF_MINUTE + MINUTE + lateMs}`;
    expect(late).toEqual(
      isLate ? [{ startMs, token, expiresAtSeconds: startMs / 1000 + HISTORY_RETENTION_SECONDS }] : [],
    );
  });
});
