/** Fields of messages that reach keys, documents, log lines and error texts: bounded on the way in and on the way out. */
import { deflateSync } from 'node:zlib';

import { Celeriac, clocked, InvalidMessage, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { LATEST_DUE_MS } from '../../lib/base/limits.ts';
import { isDeduplicationId, isGroupId } from '../../lib/base/sqs-text.ts';
import { prepare } from '../../lib/producer/publish.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const LONG = 'x'.repeat(400_000);
const HALF = 'half \uD83D of a pair';

interface Parts {
  readonly headers?: Record<string, unknown>;
  readonly body?: unknown;
  readonly text?: string;
  readonly deflated?: boolean;
}

function wire({ headers = {}, body = [[1], {}, {}], text, deflated = false }: Parts): string {
  const inner = Buffer.from(text ?? JSON.stringify(body));
  return JSON.stringify({
    body: (deflated ? deflateSync(inner) : inner).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { task: 'note', id: ID, ...headers, ...(deflated ? { compression: 'zlib' } : {}) },
    properties: { delivery_info: { exchange: '', routing_key: 'default' } },
  });
}

const step = (options: Record<string, unknown>, task = 'note'): unknown => ({
  task,
  args: [],
  kwargs: {},
  options,
  subtask_type: null,
  immutable: false,
});
const groupWith = (member: unknown): unknown => ({
  ...(step({}, 'celery.group') as object),
  kwargs: { tasks: [member] },
  subtask_type: 'group',
});

describe('refused with a reason of a few words', () => {
  it.each<[what: string, parts: Parts, reason: RegExp]>([
    ...(['id', 'root_id', 'parent_id', 'group', 'task'] as const).flatMap((field): [string, Parts, RegExp][] => [
      [`a long ${field}`, { headers: { [field]: LONG } }, new RegExp(`^${field} is text of 400000 characters;`)],
      [
        `half a surrogate pair in ${field}`,
        { headers: { [field]: HALF } },
        new RegExp(`^${field} is text of 16 characters; .*surrogate`),
      ],
    ]),
    ['retries that cannot be counted up', { headers: { retries: Number.MAX_SAFE_INTEGER } }, /^retries is/],
    ['an eta of the year 2287', { headers: { eta: '2287-01-01T00:00:00+00:00' } }, /^eta is .*2286-11-20/],
    ['a typed eta of the year 9999', { headers: { eta: '9999-12-31T00:00:00+00:00' } }, /^eta is/],
    [
      'a link with a long id',
      { body: [[], {}, { callbacks: [step({ task_id: LONG })] }] },
      /^embed.callbacks\[0\].options.task_id/,
    ],
    [
      'a link of a link',
      { body: [[], {}, { errbacks: [step({ link: [step({ group_id: HALF })] })] }] },
      /^embed.errbacks\[0\].options.group_id/,
    ],
    [
      'a member of a later step',
      { body: [[], {}, { chain: [groupWith(step({ parent_id: LONG }))] }] },
      /^embed.chain\[0\].options.parent_id/,
    ],
    [
      'a long queue of a step',
      { body: [[], {}, { chain: [step({ queue: LONG })] }] },
      /^embed.chain\[0\].options.queue/,
    ],
    ['a long task of a step', { body: [[], {}, { chord: step({}, LONG) }] }, /^embed.chord.task/],
    [
      'a million empty objects',
      { text: `[[${'{},'.repeat(1_000_000)}1],{},{}]`, deflated: true },
      /more than 400000 values/,
    ],
    ['a million numbers', { text: `[[${'1,'.repeat(1_000_000)}1],{},{}]`, deflated: true }, /more than 400000 values/],
    ['a million NaN', { text: `[[${'NaN,'.repeat(1_000_000)}1],{},{}]`, deflated: true }, /more than 400000 values/],
    [
      'an integer of a million digits',
      { text: `[[${'9'.repeat(1_000_000)}],{},{}]`, deflated: true },
      /integer of 1000000 characters/,
    ],
    ['text that is no JSON', { text: LONG }, /is no JSON/],
    ['a long content type', { headers: { compression: LONG } }, /^compression is/],
  ])('%s', (_what, parts, reason) => {
    let error: unknown;
    try {
      decodeMessage(wire(parts));
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(InvalidMessage);
    const { message } = error as Error;
    expect(message).toMatch(reason);
    expect(message.length).toBeLessThan(500);
    expect(message.isWellFormed()).toBe(true);
  });

  it('what an uncompressed message has room for is never too many values', () => {
    const rows = `[[${'{},'.repeat(195_000)}1],{},{}]`;
    expect(decodeMessage(wire({ text: rows })).args).toHaveLength(195_001);
    expect(decodeMessage(wire({ text: `[[${'1,'.repeat(290_000)}1],{},{}]` })).args).toHaveLength(290_001);
  });

  it('three hundred thousand long integers are read in a moment, and exactly', () => {
    const { args } = decodeMessage(
      wire({ text: `[[${'12345678901234567,'.repeat(300_000)}1],{},{"chain":[]}]`, deflated: true }),
    );
    expect(args).toHaveLength(300_001);
  });
});

describe('fields that are only shown are cut', () => {
  it.each(['argsrepr', 'kwargsrepr', 'shadow', 'origin'])('%s', (field) => {
    const message = decodeMessage(wire({ headers: { [field]: LONG } })) as unknown as Record<string, string>;
    expect(message[field]).toHaveLength(2048);
  });
});

describe('SQS takes the ids that are made of others', () => {
  const app = new Celeriac('bounds', { queues: { default: {}, line: { fifo: true } }, logger: silentLogger });
  it.each(['plain', 'with spaces', 'ümlaut', '日本'.repeat(60), 'x'.repeat(128)])('id and task %s', (name) => {
    const message = decodeMessage(wire({ headers: { id: name, task: name, celeriac: { groupId: name } } }));
    for (const queue of ['default', 'line']) {
      const { outgoing } = prepare({ ...message, queue }, app.settings);
      expect(isGroupId(outgoing.groupId ?? '')).toBe(true);
      expect(isDeduplicationId(outgoing.deduplicationId ?? 'none')).toBe(true);
    }
  });
});

describe('told at enqueue', () => {
  const app = new Celeriac('bounds', { queues: { default: {} }, logger: silentLogger });
  const note = app.task('note', { maxRetries: null, bind: true }, (self, countdown: number) => {
    if (countdown > 0 && self.request.retries === 0) throw self.retry({ countdown });
    return countdown;
  });
  it.each([
    ['eta', { eta: new Date(LATEST_DUE_MS + 1) }, 'eta: Date 2286-11-20T17:46:40.000Z given; up to 2286-11-20'],
    ['countdown', { countdown: '300y' as const }, 'eta: '],
    ['groupKey with a space', { groupKey: 'tenant 1' }, "groupKey: 'tenant 1' given; SQS takes"],
    ['groupKey with an umlaut', { groupKey: 'müller' }, 'groupKey'],
    ['half a pair as id', { taskId: HALF }, 'taskId'],
  ])('%s', async (_what, options, text) => {
    const world = new World(app);
    await expect(note.applyAsync([0], options)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(text),
    });
    expect(world.broker.peekAll('default')).toEqual([]);
    expect(world.timers.size()).toBe(0);
  });

  it('a schedule beyond the year 2286', () => {
    expect(() => clocked('2300-01-01T00:00:00Z')).toThrow('2286-11-20');
  });

  it('a retry beyond it is a failure of the task', async () => {
    const world = new World(app);
    const result = await note.delay(9_000_000_000);
    await world.drain();
    await expect(result.get({ timeout: 1 })).rejects.toThrow('eta: ');
    expect(await result.state()).toBe('FAILURE');
  });
});
