/** Messages of strangers: whatever their fields hold, each ends in a state or a dead letter, and nothing of it grows or circles. */
import { deflateSync } from 'node:zlib';

import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const LONGEST_RECORD = 40_000;
const LONGEST_LINE = 8000;
// Eight deferrals of an unknown task, some redeliveries, what a message starts.
const MOST_INVOCATIONS = 60;

const odd = fc.constantFrom(
  '',
  ' ',
  '\u0000',
  '\uD83D',
  'a \uDC00 b',
  'ümlaut 日本',
  'quote\' " \\ <b>',
  'line\nbreak',
  '__proto__',
  '\uFFFF',
  'x'.repeat(128),
  'x'.repeat(129),
  'x'.repeat(1500),
  '日'.repeat(3000),
  'y'.repeat(200_000),
);
const number = fc.constantFrom(-1, 0, 1.5, 63, 1e9 + 1, Number.MAX_SAFE_INTEGER, 1e300, -1e300);
const nested = fc.constantFrom<unknown>(
  [[[[[[]]]]]],
  { a: { b: { c: {} } } },
  Array.from({ length: 2000 }, () => ({})),
  { task: 'note', args: [] },
  null,
  true,
);
const hostile = fc.oneof(odd, number, nested);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const instants = fc.constantFrom(
  '2030-01-01T00:20:00+00:00',
  '2286-11-20T17:46:40+00:00',
  '9999-12-31T23:59:59+00:00',
  '0001-01-01T00:00:00+00:00',
  '2030-02-31T00:00:00',
);
/** A few fields of many: where all are odd, the first one read is the only one that is. */
function few(
  fields: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  most: number,
): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .subarray(Object.keys(fields), { maxLength: most })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map((name) => [name, fields[name] ?? hostile]))));
}

const options = few(
  {
    task_id: hostile,
    group_id: hostile,
    group_index: hostile,
    root_id: hostile,
    parent_id: hostile,
    queue: fc.oneof(hostile, fc.constantFrom('default', 'line')),
    MessageGroupId: hostile,
    eta: instants,
    countdown: number,
    priority: number,
    argsrepr: odd,
    celeriac: fc.record({ size: number, policy: odd }),
    stamped_headers: nested,
  },
  1,
);
const names = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('note', 'fail', 'again') },
  { weight: 1, arbitrary: odd },
);
const step: fc.Arbitrary<unknown> = fc.record({
  task: names,
  args: fc.array(hostile, { maxLength: 2 }),
  kwargs: fc.constant({}),
  options,
  subtask_type: fc.constant(null),
  immutable: fc.boolean(),
});
const tree: fc.Arbitrary<unknown> = fc.oneof(
  step,
  fc.record({
    task: fc.constantFrom('celery.group', 'celery.chain', 'celery.chord', 'celery.chunks', 'celery.map'),
    args: fc.constant([]),
    kwargs: fc.record(
      {
        tasks: fc.array(step, { maxLength: 3 }),
        header: fc.array(step, { maxLength: 3 }),
        body: step,
        task: step,
        it: fc.constant([[1], [2]]),
        n: number,
      },
      { requiredKeys: [] },
    ),
    options,
    subtask_type: fc.constantFrom('group', 'chain', 'chord', 'chunks', 'xmap'),
    immutable: fc.boolean(),
  }),
);
const steps = maybe(fc.array(tree, { maxLength: 3 }));

interface Wire {
  readonly queue: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: readonly unknown[];
  readonly deflated: boolean;
}

const known = ['note', 'fail', 'again', 'nobody', 'celery.map', 'celery.group', 'celery.chord_unlock', 'celery.chord'];
const wires: fc.Arbitrary<Wire> = fc
  .record({
    queue: fc.constantFrom('default', 'line'),
    usual: fc.record({ id: fc.uuid(), task: fc.constantFrom(...known) }),
    changed: few(
      {
        id: hostile,
        task: hostile,
        root_id: hostile,
        parent_id: hostile,
        group: hostile,
        group_index: hostile,
        retries: number,
        eta: instants,
        expires: instants,
        timelimit: hostile,
        argsrepr: hostile,
        kwargsrepr: hostile,
        origin: hostile,
        shadow: hostile,
        ignore_result: hostile,
        stamped_headers: nested,
        stamps: nested,
        custom: hostile,
      },
      2,
    ),
    celeriac: few(
      {
        groupId: hostile,
        hops: number,
        unknown: number,
        group: fc.record({ size: number, policy: odd }),
        gather: fc.record({ groupId: odd, size: number, policy: odd }),
        beat: fc.record({ entry: odd, time: fc.oneof(instants, odd), expires: number }),
        fresh: fc.boolean(),
      },
      2,
    ),
    properties: few({ reply_to: hostile, priority: hostile, delivery_info: nested }, 1),
    body: fc.tuple(
      fc.array(hostile, { maxLength: 3 }),
      few({ x: hostile, task: tree, it: fc.constant([1, 2]), tasks: fc.array(tree, { maxLength: 2 }) }, 3),
      few({ callbacks: steps, errbacks: steps, chain: steps, chord: maybe(tree) }, 2),
    ),
    deflated: fc.boolean(),
  })
  .map(({ usual, changed, celeriac, ...rest }) => ({ ...rest, headers: { ...usual, ...changed, celeriac } }));

function bodyOf({ headers, properties, body, deflated }: Wire): string {
  const inner = Buffer.from(JSON.stringify(body));
  return JSON.stringify({
    body: (deflated ? deflateSync(inner) : inner).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { ...headers, ...(deflated ? { compression: 'zlib' } : {}) },
    properties,
  });
}

interface Line {
  readonly message: string;
  readonly fields: string;
}

function play() {
  const lines: Line[] = [];
  const logger = {
    log: (_level: string, message: string, fields: unknown = {}) =>
      void lines.push({ message, fields: JSON.stringify(fields) }),
  };
  const app = new Celeriac('hostile', { queues: { default: {}, line: { fifo: true } }, logger });
  app.task('note', () => null);
  app.task('fail', () => {
    throw new Error('failed');
  });
  app.task('again', { bind: true, maxRetries: 2 }, (self) => self.retry({ countdown: 2000 }));
  const invocations = new Set<string>();
  const world = new World(app, {
    logger,
    patienceMs: 0,
    wrapPorts: (ports, { requestId }) => {
      invocations.add(requestId);
      return ports;
    },
  });
  return { app, world, lines, invocations };
}

/** Whether it was read. */
async function check(wire: Wire): Promise<boolean> {
  const { world, lines, invocations } = play();
  const body = bodyOf(wire);
  const [sent] = await world.broker.send([
    { queue: wire.queue, body, ...(wire.queue === 'line' ? { groupId: 'g', deduplicationId: 'd' } : {}) },
  ]);
  // What SQS does not take nobody can send.
  if (sent?.ok !== true) return false;
  await world.drain('400d');
  expect(world.broker.nextVisibleMs()).toBeUndefined();
  expect(world.timers.nextDueMs()).toBeUndefined();
  const deadLetters = [...world.deadLetters('default'), ...world.deadLetters('line')];
  const records = world.backend.all();
  expect(records.filter(({ finishedMs }) => finishedMs === undefined)).toEqual([]);
  expect(deadLetters.length + records.length).toBeGreaterThan(0);
  for (const { attributes } of deadLetters)
    for (const value of Object.values(attributes)) expect(value.length).toBeLessThanOrEqual(1024);
  for (const record of records) expect(JSON.stringify(record).length).toBeLessThan(LONGEST_RECORD);
  for (const { message, fields } of lines) expect(message.length + fields.length).toBeLessThan(LONGEST_LINE);
  expect(invocations.size).toBeLessThan(MOST_INVOCATIONS);
  return records.length > 0;
}

describe('messages of strangers', () => {
  it('end, each of them, within their bounds', async () => {
    let read = 0;
    let all = 0;
    const property = fc.asyncProperty(wires, async (wire) => {
      all += 1;
      if (await check(wire)) read += 1;
    });
    await fc.assert(property, { numRuns: Number(process.env['HOSTILE_RUNS'] ?? 150) });
    // A property of messages that are refused at once would say little.
    expect(read / all).toBeGreaterThan(0.3);
  });
});
