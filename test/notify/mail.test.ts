/** What mails say, and what hostile texts cannot make of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { MAX_DIGEST_KINDS, MAX_MAIL_BYTES, SNS_MAX_SUBJECT_CHARACTERS } from '../../lib/base/limits.ts';
import {
  countFailures,
  type FailureCount,
  mergeCounts,
  packFailures,
  unpackFailures,
} from '../../lib/notify/counts.ts';
import { digestMail, failureMail } from '../../lib/notify/mail.ts';
import type { Failure, Mail } from '../../lib/ports/notices.ts';
import type { HistoryEntry } from '../../lib/wire/history-entry.ts';

const PLACE = { app: 'shop', windowSeconds: 900 };
const ENDED = Date.parse('2030-01-01T10:20:30.999Z');
const FAILURE: Failure = {
  key: '0123abcd',
  task: 'orders.charge',
  id: '3f7b',
  queue: 'mail',
  state: 'FAILURE',
  retries: 3,
  error: 'TypeError: no card',
  endedMs: ENDED,
};

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.stringMatching(/^[\r\n\t\0\u202e\u2028\u200b\ud800a-z: ]{0,80}$/),
  fc.constantFrom('x\r\nBcc: all@example.org', '\u202egpj.exe', '\u2066', 'a'.repeat(100_000), '\ud800', '\u0085', ' '),
);

/** @throws where it would not be taken, or does more than stand there */
function checkMail({ subject, text }: Mail): void {
  expect(subject).toMatch(/^[\x21-\x7e][\x20-\x7e]*$/);
  expect(subject.length).toBeLessThanOrEqual(SNS_MAX_SUBJECT_CHARACTERS);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_MAIL_BYTES);
  expect(text.isWellFormed()).toBe(true);
  expect(text).not.toMatch(/(?![\t\n])[\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}\p{Zl}\p{Zp}]/u);
}

describe('a mail about one failure', () => {
  it('has what Celery tells, and more', () => {
    const { subject, text } = failureMail(
      {
        ...FAILURE,
        repr: "('o-1',)",
        worker: 'request-1',
        startedMs: ENDED - 2000,
        deliveries: 2,
        deadLetter: 'worker lost',
        stack: 'TypeError: no card\n    at charge (shop.ts:7:3)',
      },
      { ...PLACE, monitorUrl: 'https://tasks.example.org' },
    );
    expect(subject).toBe('[shop] Error: Task orders.charge (3f7b): TypeError: no card');
    expect(text).toBe(`Task orders.charge with id 3f7b raised exception:
  TypeError: no card

Task:        orders.charge
Id:          3f7b
Queue:       mail
Worker:      request-1
Arguments:   ('o-1',)
State:       FAILURE
Retries:     3
Deliveries:  2
Started:     2030-01-01 10:20:28 UTC
Ended:       2030-01-01 10:20:30 UTC
Dead letter: worker lost

The stack:

  TypeError: no card
      at charge (shop.ts:7:3)

https://tasks.example.org/tasks/3f7b

What fails the same way within 15 minutes is counted, and told in one mail.
`);
  });

  it('tells what did not run', () => {
    expect(failureMail(FAILURE, PLACE).text).toMatch(/^Started: +it did not run$/m);
    expect(failureMail({ ...FAILURE, state: 'REJECTED' }, PLACE)).toMatchObject({
      subject: '[shop] Rejected: Task orders.charge (3f7b): TypeError: no card',
      text: expect.stringMatching(/^Task orders.charge with id 3f7b was rejected:\n/) as string,
    });
  });

  it('is one line of ASCII and bounded plain text, whatever tasks and senders wrote', () => {
    const texts = { task: hostile, id: hostile, queue: hostile, error: hostile };
    const optional = { repr: hostile, stack: hostile, deadLetter: hostile, worker: hostile };
    fc.assert(
      fc.property(fc.record(texts), fc.record(optional, { requiredKeys: [] }), (given, more) => {
        checkMail(failureMail({ ...FAILURE, ...given, ...more }, { ...PLACE, monitorUrl: 'https://m.example.org/' }));
      }),
      { numRuns: 60 },
    );
  });

  it('cannot be given a second header, a fact or a line by a name', () => {
    const { subject, text } = failureMail(
      {
        ...FAILURE,
        task: 'a\r\nBcc: b',
        queue: 'q\nState: SUCCESS',
        error: 'E: x\nState: SUCCESS',
        stack: 'E: x\nState: SUCCESS',
      },
      PLACE,
    );
    expect(subject).toBe('[shop] Error: Task a Bcc: b (3f7b): E: x State: SUCCESS');
    expect(text.split('\n').filter((line) => line.startsWith('State:'))).toEqual(['State:   FAILURE']);
    expect(text.split('\n').filter((line) => line.startsWith('Bcc'))).toEqual([]);
  });
});

const entry = (fields: Partial<HistoryEntry>): HistoryEntry => ({
  id: 'id',
  attempt: 0,
  task: 'orders.charge',
  queue: 'mail',
  state: 'FAILURE',
  endedMs: ENDED,
  error: 'TypeError: no card',
  kind: 'k',
  ...fields,
});
const RANGE = { fromMs: ENDED - 60_000, untilMs: ENDED + 840_000 };

describe('a digest', () => {
  it('counts kinds, the most frequent first, and leaves out what was told', () => {
    const counts = countFailures([
      entry({ kind: 'a', id: 'one' }),
      entry({ kind: 'b', id: 'two', error: 'Error: b' }),
      entry({ kind: 'b', id: 'three', error: 'Error: b', endedMs: ENDED + 1000 }),
      entry({ kind: 'c', id: 'four', task: 'c' }),
      { ...entry({}), kind: undefined } as never,
    ]);
    const mail = digestMail({ ...RANGE, counts, toldAtOnce: new Map([['c', 1]]) }, PLACE);
    expect(mail).toEqual({
      subject: '[shop] 3 errors in 15 minutes: Task orders.charge',
      text: `From 2030-01-01 10:19:30 UTC to 2030-01-01 10:34:30 UTC 3 tasks failed, 2 kinds of failures:

2 times: orders.charge: Error: b
  first 2030-01-01 10:20:30 UTC, last 2030-01-01 10:20:31 UTC, queue mail
  the last: three

1 time: orders.charge: TypeError: no card
  first 2030-01-01 10:20:30 UTC, last 2030-01-01 10:20:30 UTC, queue mail
  the last: one
`,
    });
    expect(digestMail({ ...RANGE, counts: new Map(), toldAtOnce: new Map() }, PLACE)).toBeUndefined();
  });

  it('names twenty kinds, and says how many more there are', () => {
    const counts = countFailures(
      Array.from({ length: MAX_DIGEST_KINDS + 3 }, (_, index) => entry({ kind: `${index}` })),
    );
    const mail = digestMail({ ...RANGE, counts, toldAtOnce: new Map() }, PLACE);
    expect(mail?.text).toMatch(/And 3 failures of 3 other kinds\.\n$/);
  });

  it('is taken by every server, whatever stands in it', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ task: hostile, id: hostile, error: hostile, queue: hostile })), (all) => {
        const counts = countFailures(all.map((fields, index) => entry({ ...fields, kind: `${index}` })));
        const mail = digestMail({ ...RANGE, counts, toldAtOnce: new Map() }, { ...PLACE, monitorUrl: 'https://m' });
        if (mail !== undefined) checkMail(mail);
      }),
      { numRuns: 40 },
    );
  });
});

describe('counts', () => {
  it('merge in any order, and survive packing, the rarest together where there are too many', () => {
    const many = countFailures(
      Array.from({ length: 1000 }, (_, index) =>
        entry({ kind: `${index % 300}`, id: `${index}`, endedMs: ENDED + index }),
      ),
    );
    const halves = [new Map([...many].slice(0, 150)), new Map([...many].slice(150))];
    expect(mergeCounts(halves)).toEqual(many);
    expect(mergeCounts(halves.toReversed())).toEqual(many);
    const { count, data } = packFailures(many);
    const unpacked = unpackFailures(data);
    expect([count, unpacked.size]).toEqual([1000, 201]);
    const sum = (counts: Iterable<FailureCount>): number => [...counts].reduce((all, each) => all + each.count, 0);
    expect(sum(unpacked.values())).toBe(1000);
    expect(unpacked.get('0')).toEqual(many.get('0'));
  });
});
