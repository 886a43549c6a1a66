/** Logs and the attributes of dead letters hold names, ids, shapes and sizes: never a piece of a message's data. */
import { Celeriac, type Logger } from 'celeriac';
import { World } from 'celeriac/testing';
import fc from 'fast-check';
import * as v from 'valibot';
import { expect, it } from 'vitest';

const SECRET = 'hunter2-Zq';
const ID = '00000000-0000-4000-8000-000000000001';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A message in its layers, as Celery's clients build it. */
interface Layers {
  readonly body: Json;
  readonly headers: Json;
  readonly properties: Json;
  readonly 'content-type': Json;
  readonly 'content-encoding': Json;
}

const step = (task: string, args: Json, options: Json): Json => ({
  task,
  args,
  kwargs: { unit: 'm' },
  options,
  subtask_type: null,
  immutable: false,
});

function message(task: string, args: Json, kwargs: Json, embed: Json): Layers {
  return {
    body: [args, kwargs, embed],
    headers: {
      lang: 'py',
      task,
      id: ID,
      shadow: null,
      eta: null,
      expires: '2040-01-01T00:00:00+00:00',
      group: null,
      group_index: 0,
      retries: 0,
      timelimit: [null, 30],
      root_id: ID,
      parent_id: null,
      argsrepr: '(1,)',
      kwargsrepr: '{}',
      origin: 'gen@host',
      ignore_result: false,
      replaced_task_nesting: 0,
      stamped_headers: ['tenant'],
      stamps: { tenant: ['a'] },
      trace: { span: '1' },
      celeriac: { hops: 1, groupId: 'g', beat: { entry: 'e', scheduled: '2030-01-01T00:00:00Z' } },
    },
    properties: {
      correlation_id: ID,
      reply_to: '',
      delivery_mode: 2,
      delivery_info: { exchange: '', routing_key: 'default' },
      priority: 0,
      body_encoding: 'base64',
      delivery_tag: ID,
    },
    'content-type': 'application/json',
    'content-encoding': 'utf-8',
  };
}

const NOTHING = { callbacks: null, errbacks: null, chain: null, chord: null };
const OPTIONS = {
  task_id: '00000000-0000-4000-8000-000000000002',
  countdown: 1,
  priority: 0,
  headers: { tenant: 'a' },
};
const MESSAGES: readonly Layers[] = [
  message('echo', [1, { a: [2] }], {}, NOTHING),
  message('strict', ['ada@example.org'], {}, NOTHING),
  message('strict', [5], {}, { ...NOTHING, errbacks: [step('echo', [1], {})] }),
  message('named', [1], { unit: 'm' }, NOTHING),
  message('refuse', [1], {}, NOTHING),
  message('again', [1], {}, NOTHING),
  message('unknown.task', [1], {}, NOTHING),
  message('echo', [1], {}, { ...NOTHING, chain: [step('strict', [1], OPTIONS), step('echo', [1], OPTIONS)] }),
  message('echo', [1], {}, { ...NOTHING, callbacks: [step('named', [1], OPTIONS)], chord: step('echo', [], OPTIONS) }),
  message('celery.map', [], { task: step('strict', [], {}), it: ['ada@example.org', 1] }, NOTHING),
  message('celery.group', [], { tasks: [step('echo', [1], OPTIONS), step('strict', [1], OPTIONS)] }, NOTHING),
  message('celery.chunks', [], { task: step('echo', [], {}), it: [[1], [2]], n: 1 }, NOTHING),
  message('celery.chord', [], { header: [step('strict', [1], {})], body: step('echo', [], {}) }, NOTHING),
  message('celery.chord_unlock', [ID, step('echo', [], {})], { result: [[[ID, null], null]] }, NOTHING),
];

// What is shown by design: names and ids. In their place the secret comes as what none of them is.
const NAMES = new Set(['task', 'id', 'root_id', 'parent_id', 'group', 'task_id', 'group_id', 'routing_key', 'queue']);

/** Every place of the data, as a path. */
function placesIn(value: Json, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner as Json, [...path, key]))];
}

function put(value: Json, [key, ...rest]: readonly string[], secret: Json): Json {
  if (key === undefined) return secret;
  const changed = put((value as Record<string, Json>)[key] ?? null, rest, secret);
  if (!Array.isArray(value)) return { ...(value as object), [key]: changed };
  return (value as readonly Json[]).map((each, index) => (String(index) === key ? changed : each));
}

const secrets: fc.Arbitrary<Json> = fc.constantFrom<Json>(
  SECRET,
  `"${SECRET}`,
  [SECRET],
  { [SECRET]: 1 },
  { task: { a: SECRET }, args: [SECRET], kwargs: {}, options: { countdown: SECRET } },
  { __type__: 'datetime', __value__: SECRET },
  { __type__: 'decimal', __value__: SECRET },
  SECRET.repeat(200),
);

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Text with a piece cut off, or a stray character in it: what JSON.parse quotes in its errors. */
const broken = (text: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(text) },
    { weight: 1, arbitrary: fc.nat(text.length).map((end) => text.slice(0, end)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.nat(text.length), fc.constantFrom('"', '}', '\\', '\u0000'))
        .map(([at, stray]) => text.slice(0, at) + stray + text.slice(at)),
    },
  );

const bodies: fc.Arbitrary<string> = fc
  .constantFrom(...MESSAGES)
  .chain((whole) => {
    const places = placesIn(whole as unknown as Json).filter((path) => path.length > 0);
    return fc.tuple(fc.constant(whole), fc.constantFrom(...places), secrets);
  })
  .chain(([whole, place, secret]) => {
    const named = NAMES.has(place.at(-1) ?? '') ? [secret] : secret;
    const changed = put(whole as unknown as Json, place, named) as unknown as Layers;
    return fc
      .tuple(broken(JSON.stringify(changed.body)), fc.boolean())
      .chain(([body, plain]) => broken(JSON.stringify({ ...changed, body: plain ? body : base64(body) })))
      .chain((text) => fc.constantFrom(text, base64(text)));
  });

/** Everything a reader of logs sees, and of every dead letter all but its body. */
async function seen(body: string): Promise<readonly string[]> {
  const lines: string[] = [];
  const logger: Logger = { log: (level, text, fields) => void lines.push(JSON.stringify({ level, text, ...fields })) };
  const app = new Celeriac('secrets', { logger });
  app.task('echo', (...args: readonly unknown[]) => args);
  const email = v.pipe(v.string(), v.email());
  app.task('strict', { schema: v.tuple([email]) }, (to: string) => to.length);
  app.task('named', { params: ['x', 'unit'] }, (_x: unknown, unit?: unknown) => typeof unit);
  app.task('refuse', { bind: true }, (self) => {
    throw self.request.retries > 0 ? new RangeError('refused') : new TypeError('refused');
  });
  app.task('again', { bind: true, maxRetries: 2 }, (self) => {
    throw self.retry({ exc: new RangeError('again') });
  });
  const world = new World(app, { logger });
  await world.broker.send([{ queue: 'default', body }]);
  await world.advance('2h');
  return [...lines, ...world.deadLetters().map(({ attributes }) => JSON.stringify(attributes))];
}

it('whatever comes, wherever the secret stands', async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(bodies, async (body) => {
      const lines = await seen(body);
      count += lines.length;
      expect(lines.filter((line) => line.includes(SECRET.slice(0, 7)))).toEqual([]);
    }),
    { numRuns: 1500 },
  );
  expect(count).toBeGreaterThan(300);
});
