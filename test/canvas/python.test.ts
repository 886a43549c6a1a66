/** Canvas across languages: what the real Celery sends is run here, and what is written here is read there. */
import { type AnySignature, Celeriac, chain, chord, currentTask, group, type Logger } from 'celeriac';
import { World } from 'celeriac/testing';
import { beforeAll, describe, expect, it } from 'vitest';

import { askPython, reasonToSkip } from '../support/python.ts';
import { WIRE_SAMPLES } from '../wire/samples.ts';

const reason = reasonToSkip('canvas of Celery');

interface Published {
  readonly bodies: readonly string[];
  readonly ids: readonly string[];
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly error?: string;
}
interface Loaded extends Published {
  readonly type: string;
  readonly builtType: string;
  readonly repr: string;
  readonly builtRepr: string;
  readonly built: unknown;
  readonly same: boolean;
}
type Question = { readonly ask: 'publish' | 'load'; readonly canvas: string; readonly signature?: unknown };

async function askCelery<A extends Published>(questions: readonly Question[]): Promise<A[]> {
  return askPython(new URL('python_canvas.py', import.meta.url), questions);
}

/** Tasks of the same names as those in Python, and what they saw. */
function newWorld(prefix = '') {
  const app = new Celeriac('python', { queues: { default: {}, celery: {} } });
  const notes: unknown[] = [];
  const stamps: unknown[] = [];
  const warnings: string[] = [];
  const stamped = <T>(value: T): T => {
    stamps.push(currentTask().request.stamps);
    return value;
  };
  const tasks = {
    add: app.task(`${prefix}add`, (x: number, y: number) => stamped(x + y)),
    mul: app.task('mul', (x: number, y: number) => stamped(x * y)),
    sum: app.task(prefix === '' ? 'sum' : `${prefix}xsum`, (values: readonly number[]) =>
      stamped(values.reduce((total, value) => total + value, 0)),
    ),
    list: app.task('list', (values: unknown) => stamped(values)),
    note: app.task('note', (...args: unknown[]) => void notes.push(args)),
    fail: app.task('fail', (): number => {
      throw new RangeError('no');
    }),
  };
  const logger: Logger = { log: (level, message) => void (level === 'warn' && warnings.push(message)) };
  return { app, tasks, notes, stamps, warnings, world: new World(app, { logger }) };
}
type Setting = ReturnType<typeof newWorld>;

async function run({ app, world }: Setting, { bodies, ids }: Pick<Published, 'bodies' | 'ids'>): Promise<unknown[]> {
  await world.broker.send(bodies.map((body) => ({ queue: 'default', body })));
  await world.drain();
  expect(world.broker.nextVisibleMs()).toBeUndefined();
  expect(world.deadLetters()).toEqual([]);
  return Promise.all(ids.map((id) => app.result(id).get({ timeout: 0 })));
}

/** Of each canvas in python_canvas.py the results, and whom else it calls. */
const CASES: Readonly<Record<string, { readonly values: readonly unknown[]; readonly notes?: readonly unknown[] }>> = {
  task: { values: [3] },
  immutable: { values: [3] },
  options: { values: [3] },
  chain: { values: [31] },
  'immutable step': { values: [20] },
  group: { values: [2, 4] },
  'nested groups': { values: [2, 4, 6] },
  'group of chains': { values: [20, 10] },
  chord: { values: [6] },
  'chord in a chain': { values: [9] },
  'chord in the middle': { values: [91] },
  'chord of chains': { values: [[30, 9]] },
  'chords in a row': { values: [[8, 14]] },
  'chord with a chain': { values: [90] },
  'chord of a chord': { values: [[7, 5]] },
  'group at the end': { values: [4, 5] },
  'chord, then a group': { values: [10, 90] },
  map: { values: [[3, 3]] },
  starmap: { values: [[2, 4, 6]] },
  chunks: { values: [[2, 4], [6]] },
  'chunks as a group': { values: [[2, 4], [6]] },
  // Of a composite that is a task of its own the result says under which id it has been sent.
  'chunks in a chain': { values: [[expect.any(String)]], notes: [['a'], ['b']] },
  'chain by name': { values: [[expect.any(String)]], notes: [[6, 'x']] },
  'group by name': { values: [[expect.any(String)]], notes: [['x'], ['y']] },
  'chord by name': { values: [[expect.any(String)]], notes: [[[6, 20], 'x']] },
  'chunks by name': { values: [[expect.any(String)]], notes: [['a'], ['b']] },
  'map in a chain': { values: [12] },
  'map in a group': { values: [[3, [3]]] },
  link: { values: [3], notes: [[3, 'linked']] },
  'link of a chain': {
    values: [30],
    notes: [
      [3, 'first'],
      [30, 'last'],
    ],
  },
  'link to a chain': { values: [3], notes: [[30, 'chained']] },
  'link to a group': {
    values: [3],
    notes: [
      [3, 'a'],
      [3, 'b'],
    ],
  },
  'link to a chord': { values: [3], notes: [[[6, 9], 'chord']] },
  'immutable link': { values: [3], notes: [['alone']] },
  stamps: { values: [20] },
  'stamps in a chord': { values: [9] },
};

/** The same, written here. */
function written({ add, mul, sum, list, note }: Setting['tasks']): Readonly<Record<string, AnySignature>> {
  const pairs = [
    [1, 1],
    [2, 2],
    [3, 3],
  ] as const;
  return {
    task: add.s(1, 2),
    immutable: add.si(1, 2),
    options: add.s(1, 2).set({ countdown: '5s', priority: 3, timeLimit: '1m', softTimeLimit: 50 }),
    chain: chain(add.s(1, 2), mul.s(10), add.s(1)),
    'immutable step': chain(add.s(1, 2), add.si(5, 5), mul.s(2)),
    group: group(add.s(1, 1), add.s(2, 2)),
    'nested groups': group(add.s(1, 1), group(add.s(2, 2), add.s(3, 3))),
    'group of chains': group(chain(add.s(1, 1), mul.s(10)), add.s(5, 5)),
    chord: chord([add.s(1, 1), add.s(2, 2)], sum.s()),
    'chord in a chain': chain(add.s(1, 1), group(add.s(2), add.s(3)), sum.s()),
    'chord in the middle': chain(add.s(1, 1), group(add.s(2), add.s(3)), sum.s(), mul.s(10), add.s(1)),
    'chord of chains': chain(add.s(1, 1), group(chain(add.s(1), mul.s(10)), chain(mul.s(2), add.s(5))), list.s()),
    'chords in a row': chain(add.s(1, 1), group(add.s(1), add.s(2)), sum.s(), group(add.s(1), mul.s(2)), list.s()),
    'chord with a chain': chain(add.s(1, 1), chord([add.s(2), add.s(3)], chain(sum.s(), mul.s(10)))),
    'chord of a chord': chain(add.s(1, 1), group(chord([add.s(1), add.s(2)], sum.s()), add.s(3)), list.s()),
    'group at the end': chain(add.s(1, 1), group(add.s(2), add.s(3))),
    'chord, then a group': chain(add.s(1, 1), group(add.s(2), add.s(3)), sum.s(), group(add.s(1), mul.s(10))),
    map: sum.map([[1, 2], [3]]),
    starmap: add.starmap(pairs),
    'chunks as a group': add.chunks(pairs, 2),
    link: add.s(1, 2).link(note.s('linked')),
    'link of a chain': chain(add.s(1, 2).link(note.s('first')), mul.s(10).link(note.s('last'))),
    'link to a chain': add.s(1, 2).link(chain(mul.s(10), note.s('chained'))),
    'link to a group': add.s(1, 2).link(group(note.s('a'), note.s('b'))),
    'link to a chord': add.s(1, 2).link(chord([mul.s(2), mul.s(3)], note.s('chord'))),
    'immutable link': add.s(1, 2).link(note.si('alone')),
    stamps: chain(add.s(1, 1), mul.s(10)).stamp({ tenant: 'a' }),
    'stamps in a chord': chain(add.s(1, 1), group(add.s(2), add.s(3)), sum.s()).stamp({ tenant: 'a' }),
  };
}

function expectOutcome(setting: Setting, name: string, values: readonly unknown[]): void {
  expect(values).toEqual(CASES[name]?.values);
  expect(setting.notes).toEqual(CASES[name]?.notes ?? []);
  expect(setting.warnings).toEqual([]);
  if (setting.stamps.length === 0) return;
  const tenants = setting.stamps.map((stamps) => (stamps as { readonly tenant?: string }).tenant);
  expect(new Set(tenants)).toEqual(new Set([name.startsWith('stamps') ? 'a' : undefined]));
}

// Celery flattens a group in a group when it sends it, in another order; it does not stamp the body of a chord;
// a header is a list until the chord is sent, then a group; a chord after a chord is within its body at once.
const DIFFERENT: ReadonlySet<string> = new Set([
  'nested groups',
  'stamps in a chord',
  'link to a chord',
  'chords in a row',
]);
const NO_ANSWER = { bodies: [], ids: [], groups: {}, error: 'no answer' };

describe.skipIf(reason !== undefined)('what Celery sends', () => {
  const names = [...Object.keys(CASES), 'link_error', 'link_error in a chord'];
  const sent = new Map<string, Published>();
  beforeAll(async () => {
    const answers = await askCelery<Published>(names.map((canvas) => ({ ask: 'publish', canvas })));
    for (const [index, answer] of answers.entries()) sent.set(names[index] ?? '', answer);
  });
  const published = (name: string): Published => {
    const answer = sent.get(name) ?? NO_ANSWER;
    expect(answer.error).toBeUndefined();
    return answer;
  };

  it.each(Object.keys(CASES).filter((name) => name !== 'chord'))('%s', async (name) => {
    const setting = newWorld();
    expectOutcome(setting, name, await run(setting, published(name)));
  });

  it('error links are called with the id of what failed', async () => {
    const setting = newWorld();
    await expect(run(setting, published('link_error'))).rejects.toThrow('no');
    expect(setting.notes).toEqual([[expect.any(String), 'failed']]);
    const other = newWorld();
    const { ids, bodies } = published('link_error in a chord');
    await expect(run(other, { ids, bodies })).rejects.toThrow(/Dependency .* raised RangeError\('no'\)/);
    expect(other.notes).toContainEqual([ids[0], 'failed']);
  });

  it('a chord of its own, whose group it has stored where we do not see it, is told of', async () => {
    const setting = newWorld();
    const { bodies, ids } = published('chord');
    expect(await run(setting, { bodies, ids: [] })).toEqual([]);
    expect(setting.warnings).toEqual([
      expect.stringContaining('is a member of a chord, which is not counted here'),
      expect.stringContaining('is a member of a chord, which is not counted here'),
    ]);
    expect(await setting.app.result(ids[0] ?? '').state()).toBe('PENDING');
  });
});

describe.skipIf(reason !== undefined)('what is written here', () => {
  const signatures = Object.entries(written(newWorld().tasks));
  const read = new Map<string, Loaded>();
  beforeAll(async () => {
    const questions = signatures.map(([canvas, signature]) => ({ ask: 'load' as const, canvas, signature }));
    for (const [index, answer] of (await askCelery<Loaded>(questions)).entries())
      read.set(signatures[index]?.[0] ?? '', answer);
  });

  it.each(signatures)('%s is read by Celery as its own', (name, sig) => {
    const loaded = read.get(name);
    expect(loaded?.error).toBeUndefined();
    expect(loaded?.type).toBe(loaded?.builtType);
    if (DIFFERENT.has(name)) return;
    expect(loaded?.same).toBe(true);
    // Celery itself leaves out the type of a map. It reads either, but cannot show one whose type is given.
    const maps = /map|chunks/.test(name);
    if (!maps) expect(loaded?.repr).toBe(loaded?.builtRepr);
    if (!name.includes('chord'))
      expect(JSON.parse(JSON.stringify(sig).replaceAll(/"x(?:star)?map"/g, 'null'))).toEqual(loaded?.built);
  });

  it.each(signatures.map(([name]) => name).filter((name) => name !== 'chord'))(
    '%s comes back as messages',
    async (name) => {
      const setting = newWorld();
      expectOutcome(setting, name, await run(setting, read.get(name) ?? NO_ANSWER));
    },
  );
});

describe('messages of Celery 5.6.3, as recorded', () => {
  const bodiesOf = (...names: string[]): string[] =>
    names.map((name) => WIRE_SAMPLES.find((sample) => sample.name === name)?.body ?? '');
  const id = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

  it.each([
    ['a chain', bodiesOf('chain, step 1'), [id(43)], [10]],
    ['a group', bodiesOf('group, member 0', 'group, member 1'), [id(51), id(52)], [2, 4]],
    ['a chain that holds a chord', bodiesOf('a chain that holds a chord'), [id(79)], [9]],
    ['a chain that ends in a group', bodiesOf('a chain that ends in a group'), [id(82), id(83)], [4, 5]],
    ['stamps', bodiesOf('stamps'), [id(10)], [3]],
  ])('%s', async (name, bodies, ids, values) => {
    const setting = newWorld('proj.tasks.');
    expect(await run(setting, { bodies, ids })).toEqual(values);
    expect(setting.warnings).toEqual([]);
    if (name === 'stamps') expect(setting.stamps).toEqual([{ tenant: ['a', 'b'], user: 'u1' }]);
  });

  it('of a chord that it counts itself', async () => {
    const setting = newWorld('proj.tasks.');
    await run(setting, { bodies: bodiesOf('chord, header 0', 'chord, header 1'), ids: [] });
    expect(setting.warnings).toHaveLength(2);
  });
});
