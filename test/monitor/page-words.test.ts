/** Pure parts of the page: words, states, addresses, the timeline, text that is hostile. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { plainText, safeText } from '../../lib/monitor/page/pure/hostile-text.ts';
import { callCommand, parseArgs, parseKwargs } from '../../lib/monitor/page/pure/json-fields.ts';
import { keyAction } from '../../lib/monitor/page/pure/keys.ts';
import { paceText, reportText } from '../../lib/monitor/page/pure/letters.ts';
import { seriesOf, trendText, wholeOf } from '../../lib/monitor/page/pure/series.ts';
import { shownState, STATE_CHOICES, stateView } from '../../lib/monitor/page/pure/states.ts';
import {
  filtersIn,
  isFiltered,
  isTaskId,
  NO_FILTERS,
  RANGES,
  searchOf,
  tasksQuery,
  typedFilters,
  typedText,
} from '../../lib/monitor/page/pure/task-filters.ts';
import { ordinal, sentenceOf, stackLines } from '../../lib/monitor/page/pure/task-words.ts';
import { axisSteps, sharesText, type ShownAttempt, timelineOf } from '../../lib/monitor/page/pure/timeline.ts';
import {
  clockTime,
  count,
  counted,
  duration,
  exactUtc,
  fromNow,
  listed,
  planned,
  share,
  shortId,
} from '../../lib/monitor/page/pure/words.ts';

const NOON = Date.UTC(2026, 10, 22, 12, 0, 0);
const iso = (ms: number): string => new Date(ms).toISOString();

describe('words', () => {
  it.each([
    [null, '–'],
    [Number.NaN, '–'],
    [0, '0 s'],
    [0.0004, '0.4 ms'],
    [0.12, '120 ms'],
    [0.9996, '1 s'],
    [4.1, '4.1 s'],
    [9.96, '10 s'],
    [38.2, '38 s'],
    [59.6, '1 min'],
    [209, '3 min 29 s'],
    [660, '11 min'],
    [5040, '1 h 24 min'],
    [338_400, '3 d 22 h'],
    [5e6, '57 d'],
  ])('a duration of %s s is %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
  it('durations never come as an amount of their own next unit', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (seconds) => {
        const text = duration(seconds);
        expect(text).not.toMatch(/\b(?:1,000 ms|60 s|60 min|24 h)\b/);
        expect(text).toMatch(/^[\d,.]+ (?:ms|s|min|h|d)(?: \d+ (?:s|min|h))?$/);
      }),
    );
  });
  it.each([
    [0, 'now'],
    [42_000, '42 s ago'],
    [-14_000, 'in 14 s'],
    [119_000, '1 min ago'],
    [-7_200_000, 'in 2 h'],
    [864_000_000, '10 d ago'],
  ])('%s ms from now is %s', (ms, text) => {
    expect(fromNow(NOON - ms, NOON)).toBe(text);
  });
  it('numbers, shares, lists', () => {
    expect([count(48_201), count(null), counted(1, 'task'), counted(1200, 'task')]).toEqual([
      '48,201',
      '–',
      '1 task',
      '1,200 tasks',
    ]);
    expect([share(0.124), share(0.0005), share(0.0039), share(1), share(0.000_01)]).toEqual([
      '12.4 %',
      '0.05 %',
      '0.39 %',
      '100 %',
      'under 0.01 %',
    ]);
    expect([listed(['a', 'b']), listed(['a', 'b', 'c', 'd', 'e'])]).toEqual(['a, b', 'a, b, c and 2 more']);
    expect(shortId('c41d9a70-52e8-4b0c-9f7e-0a6be1c2d913')).toBe('c41d9a70');
  });
  it('times: with their day where it is another, in the zone that is asked for', () => {
    expect(clockTime(iso(NOON), NOON, 'UTC')).toBe('12:00:00');
    expect(clockTime(iso(NOON - 86_400_000), NOON, 'UTC')).toBe('Sat 21 Nov 12:00:00');
    expect(planned(iso(Date.UTC(2027, 7, 13, 0, 0)), NOON, 'Europe/Berlin')).toBe('Fri 13 Aug 2027 02:00');
    expect(exactUtc(iso(NOON + 114))).toBe('2026-11-22 12:00:00.114 UTC');
    expect([exactUtc('never'), clockTime('never', NOON)]).toEqual(['never', '–']);
  });
});

describe('states', () => {
  it.each([
    ['SUCCESS', 'Succeeded', 'ok'],
    ['RETRY', 'Retrying', 'warn'],
    ['DEAD', 'Dead letter', 'dead'],
    ['BOILING', 'BOILING', 'idle'],
    ['constructor', 'constructor', 'idle'],
  ])('%s is %s', (state, word, tone) => {
    expect(stateView(state)).toMatchObject({ word, tone });
  });
  it('what is put aside is a dead letter', () => {
    expect([shownState('REJECTED', 'blocked'), shownState('REJECTED', null)]).toEqual(['DEAD', 'REJECTED']);
  });
});

describe('filters in the address', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const filters = fc.record({
    state: fc.constantFrom(...STATE_CHOICES.map(({ key }) => key)),
    task: text,
    queue: text,
    text,
    since: fc.constantFrom(...RANGES),
  });
  it('come back as they were', () => {
    fc.assert(
      fc.property(filters, (given) => {
        expect(filtersIn(searchOf(given))).toEqual(given);
      }),
    );
  });
  it('of anything are filters', () => {
    fc.assert(
      fc.property(fc.string(), (search) => {
        const found = filtersIn(search);
        expect(filtersIn(searchOf(found))).toEqual(found);
      }),
      { numRuns: 50 },
    );
  });
  it('what is typed comes back, words apart by one space', () => {
    const word = fc.stringMatching(/^[a-z.]{1,8}$/);
    const typed = fc.record({ task: fc.option(word, { nil: '' }), queue: fc.option(word, { nil: '' }), text: word });
    fc.assert(
      fc.property(typed, (given) => {
        expect(typedFilters(typedText(given))).toEqual(given);
      }),
    );
  });
  it('say what the API is asked', () => {
    expect(searchOf(NO_FILTERS)).toBe('');
    expect(isFiltered({ ...NO_FILTERS, since: '1h' })).toBe(false);
    expect(tasksQuery({ ...NO_FILTERS, state: 'failed', task: 'a&b' }, 'c')).toBe(
      'from=1d&state=FAILURE&task=a%26b&cursor=c',
    );
    expect([isTaskId(' C41D9A70-52e8-4b0c-9f7e-0a6be1c2d913'), isTaskId('c41d')]).toEqual([true, false]);
  });
});

describe('hostile text', () => {
  const DANGEROUS = new RegExp(`[${String.fromCodePoint(0)}\u200B\u202E\uFFFD]`);
  const hostile = fc.string({
    unit: fc.constantFrom('a', 'b<', '\u202E', '\u0000', '\uD800', '😀', '\u200B', 'ä', '\n'),
  });
  it('keeps no character that changes how others are shown, and loses none of the others', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const { pieces, left } = safeText(text, 10_000);
        const shown = pieces.map((piece) => ('text' in piece ? piece.text : '')).join('');
        expect(shown).not.toMatch(DANGEROUS);
        expect(shown.isWellFormed()).toBe(true);
        expect(left).toBe(0);
        expect(shown).toBe(text.toWellFormed().replaceAll(new RegExp(DANGEROUS, 'g'), ''));
      }),
    );
  });
  it('is cut, never through a pair', () => {
    fc.assert(
      fc.property(hostile, fc.nat(12), (text, most) => {
        const { pieces, left } = safeText(text.toWellFormed(), most);
        const shown = pieces.map((piece) => ('text' in piece ? piece.text : '')).join('');
        expect(shown.isWellFormed() && shown.length <= most).toBe(true);
        expect(left === 0).toBe(text.length <= most || pieces.length === text.length);
      }),
    );
  });
  it('a megabyte of it makes few elements', () => {
    const { pieces, left } = safeText('\u202E'.repeat(1_000_000), 1_000_000);
    expect(pieces.length).toBeLessThanOrEqual(200);
    expect(left).toBe(999_800);
    expect(plainText('a\u202Eb')).toBe('a[U+202E]b');
  });
});

describe('the timeline', () => {
  const attempt = (
    number: number,
    startMs: number,
    endMs: number,
    waitSeconds: number,
    state: string,
  ): ShownAttempt => ({
    attempt: number,
    state,
    startedAt: iso(startMs),
    endedAt: iso(endMs),
    waitSeconds,
  });
  it('names the gaps', () => {
    const line = timelineOf(
      [attempt(0, NOON + 2000, NOON + 5000, 2, 'RETRY'), attempt(1, NOON + 10_000, NOON + 12_000, 1, 'SUCCESS')],
      null,
      NOON,
    );
    expect(
      line?.lanes.map(({ segments }) => segments.map(({ kind, startMs, endMs }) => [kind, (endMs - startMs) / 1000])),
    ).toEqual([
      [
        ['queued', 2],
        ['fail', 3],
      ],
      [
        ['retry', 4],
        ['queued', 1],
        ['run', 2],
      ],
    ]);
    expect(line === undefined ? '' : sharesText(line)).toBe('12 s: 42 % running, 33 % waiting to retry, 25 % queued');
  });
  it('what runs goes on until now', () => {
    const line = timelineOf([], iso(NOON - 4000), NOON);
    expect(line?.lanes).toMatchObject([{ attempt: 1, tookSeconds: 4 }]);
    expect(timelineOf([], null, NOON)).toBeUndefined();
  });
  it('segments of a lane follow each other, inside the axis, whatever clocks say', () => {
    const times = fc.record({
      start: fc.nat(100_000),
      run: fc.integer({ min: -50, max: 10_000 }),
      wait: fc.option(fc.integer({ min: -5, max: 100 }), { nil: null }),
      state: fc.constantFrom('SUCCESS', 'FAILURE', 'RETRY'),
    });
    fc.assert(
      fc.property(fc.array(times, { minLength: 1, maxLength: 6 }), (all) => {
        const attempts = all.map(({ start, run, wait, state }, index) => ({
          ...attempt(index, NOON + start, NOON + start + run, 0, state),
          waitSeconds: wait,
        }));
        const line = timelineOf(attempts, null, NOON);
        if (line === undefined) throw new Error('no line');
        for (const { segments } of line.lanes)
          for (const [index, { startMs, endMs }] of segments.entries()) {
            expect(endMs).toBeGreaterThanOrEqual(startMs);
            expect(startMs).toBeGreaterThanOrEqual(segments[index - 1]?.endMs ?? line.startMs);
            expect(endMs).toBeLessThanOrEqual(line.endMs);
          }
        const steps = axisSteps(line);
        expect(steps.length).toBeLessThanOrEqual(7);
        expect(steps.at(-1)).toBeLessThanOrEqual(line.endMs - line.startMs);
      }),
    );
  });
});

describe('one task in words', () => {
  const story = { attempts: [], deadLetter: null, deliveries: 1 };
  const task = { state: 'PENDING', isKnown: true, started: null, error: null, revoked: null, story };
  it.each([
    [{ isKnown: false, story: null }, 'idle', 'Nothing is stored of this task.'],
    [{ state: 'SUCCESS' }, 'ok', 'It succeeded.'],
    [{ state: 'STARTED', started: iso(NOON - 4100) }, 'run', 'It runs, for 4.1 s so far.'],
    [
      { state: 'FAILURE', error: { type: 'TypeError', message: 'no' } },
      'bad',
      'It failed after 1 attempt. TypeError: no',
    ],
    [{ state: 'REJECTED', story: { ...story, deadLetter: 'blocked' } }, 'bad', 'It gave up after 1 attempt.'],
    [{ state: 'BOILING' }, 'idle', 'Its state is BOILING.'],
  ])('%j', (change, tone, text) => {
    expect(sentenceOf({ ...task, ...change }, NOON)).toMatchObject({ tone, text });
  });
  it('ordinals and stacks', () => {
    expect([1, 2, 3, 4, 11, 22].map(ordinal)).toEqual(['1st', '2nd', '3rd', '4th', '11th', '22nd']);
    expect(
      stackLines('TypeError: no\n    at charge (src/orders.ts:88:11)\n    at run (node:internal/x:1:2)').map(
        ({ kind }) => kind,
      ),
    ).toEqual(['message', 'own', 'library']);
  });
});

describe('keys', () => {
  const plain = { isModified: false, isTyping: false };
  it('go places after g, and nowhere while somebody types', () => {
    expect(keyAction({ key: 'g', ...plain }, false)).toEqual({ do: 'await' });
    expect(keyAction({ key: 't', ...plain }, true)).toEqual({ do: 'go', to: '/tasks' });
    expect(keyAction({ key: 'j', ...plain }, false)).toEqual({ do: 'down' });
    expect(keyAction({ key: 'j', ...plain, isTyping: true }, false)).toBeUndefined();
    expect(keyAction({ key: 'r', ...plain, isModified: true }, false)).toBeUndefined();
    expect(keyAction({ key: 'constructor', ...plain }, true)).toBeUndefined();
  });
});

describe('forms', () => {
  it('take JSON, and say what is allowed', () => {
    expect([parseArgs('["a", 1]'), parseArgs(' '), parseKwargs('{"a": 1}')]).toEqual([
      { value: ['a', 1] },
      { value: [] },
      { value: { a: 1 } },
    ]);
    expect(parseArgs('{}')).toHaveProperty('error');
    expect(parseKwargs('[1]')).toHaveProperty('error');
    expect(parseKwargs('null')).toHaveProperty('error');
    expect(parseArgs('[')).toHaveProperty('error');
  });
  it('a command keeps hostile values one word', () => {
    expect(callCommand('orders.charge', [], {})).toBe('npx celeriac call orders.charge');
    expect(callCommand('a;b', ["it's $(rm)"], { k: 1 })).toBe(
      String.raw`npx celeriac call 'a;b' --args '["it'\''s $(rm)"]' --kwargs '{"k":1}'`,
    );
  });
  it('reports of letters leave out nothing that happened', () => {
    const none = { sent: 0, settled: 0, superseded: 0, dropped: 0, expired: 0, running: 0, failed: 0, complete: true };
    expect(reportText(none)).toBe('No letter was found.');
    expect(reportText({ ...none, sent: 2, expired: 1, complete: false })).toBe(
      '2 sent back, 1 left: their time is over. There are more.',
    );
    expect([paceText(5, 43), paceText(1, 600)]).toEqual(['5 a second (9 s in all)', '1 a second (10 min in all)']);
  });
});

describe('plots', () => {
  const bucket = (start: string, count: number): Parameters<typeof seriesOf>[0]['buckets'][number] => ({
    start,
    count,
    states: { SUCCESS: count },
    lostRuns: 0,
    waitSeconds: null,
    runSeconds: null,
  });
  const buckets = [bucket('2026-05-04T10:00:00.000Z', 60), bucket('2026-05-04T10:01:00.000Z', 2)];

  it.each([
    ['minute', '2026-05-04T10:01:02.000Z', true],
    ['minute', '2026-05-04T10:02:00.000Z', false],
    ['hour', '2026-05-04T10:30:00.000Z', true],
  ] as const)('a %s that is not over at %s is counted so far', (every, until, isOpen) => {
    const { isLastOpen, succeeded } = seriesOf({ buckets, every, until });
    expect([isLastOpen, succeeded]).toEqual([isOpen, [60, 2]]);
    // A line does not fall to what it is so far.
    expect(wholeOf(succeeded, isLastOpen)).toEqual(isOpen ? [60, null] : [60, 2]);
    expect(trendText('Succeeded', wholeOf(succeeded, isLastOpen), String)).toContain(isOpen ? '60 at the end' : '2 at');
  });

  it('nothing is not open', () => {
    expect(seriesOf({ buckets: [], every: 'minute', until: '2026-05-04T10:01:02.000Z' }).isLastOpen).toBe(false);
  });
});
