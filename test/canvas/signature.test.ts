/** A signature is frozen plain data in Celery's own form: what it says survives JSON, and no method changes it. */
import {
  type AnySignature,
  type AsyncResult,
  type CanvasSignature,
  Celeriac,
  chain,
  chord,
  currentTask,
  enqueueMany,
  group,
  type GroupResult,
  signature,
} from 'celeriac';
import { World } from 'celeriac/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compile } from '../../lib/canvas/compile.ts';

function newTasks() {
  const app = new Celeriac('signatures', { queues: { default: {}, mail: {} } });
  const runs: string[] = [];
  const stamps: unknown[] = [];
  return {
    app,
    runs,
    stamps,
    add: app.task('add', (x: number, y: number) => x + y),
    mul: app.task('mul', (x: number, y: number) => x * y),
    sum: app.task('sum', (values: readonly number[]) => values.reduce((total, value) => total + value, 0)),
    list: app.task('list', (values: unknown) => values),
    fail: app.task('fail', (): number => {
      throw new RangeError('no');
    }),
    stamped: app.task('stamped', (_value?: unknown): number => stamps.push(currentTask().request.stamps)),
    note: app.task('note', (...args: unknown[]) => void runs.push(JSON.stringify(args))),
  };
}
type Tasks = ReturnType<typeof newTasks>;
const { add, mul, sum, list, note } = newTasks();

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const form = (task: string, parts: object = {}): object => ({
  task,
  args: [],
  kwargs: {},
  options: {},
  subtask_type: null,
  immutable: false,
  ...parts,
});

type Sendable = { delay(): Promise<AsyncResult | GroupResult>; apply(): Promise<AsyncResult | GroupResult> };
const sendable = (sig: AnySignature): Sendable => sig as unknown as Sendable;

/** Everything within that is ours to freeze: signatures, and the lists that hold them. */
function unfrozen(value: unknown, path = 'signature'): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.isFrozen(value) ? [] : [path];
  return [...own, ...Object.entries(value).flatMap(([name, inner]) => unfrozen(inner, `${path}.${name}`))];
}

const SIGNATURES: [string, (tasks: Tasks) => AnySignature, expected: unknown][] = [
  ['a task', ({ add }) => add.s(1, 2), 3],
  ['an immutable task', ({ add }) => add.si(1, 2), 3],
  ['options', ({ add }) => add.s(1, 2).set({ countdown: '5m', queue: 'mail', expires: '2h' }), 3],
  ['links', ({ add, note }) => add.s(1, 2).link(note.s('linked')).linkError(note.s()), 3],
  ['stamps', ({ add }) => chain(add.s(1, 2), add.s(3)).stamp({ tenant: 'a' }), 6],
  ['a chain', ({ add, mul }) => chain(add.s(1, 2), mul.s(10), add.si(1, 1)).pipe(add.s(5)), 7],
  ['a group', ({ add }) => group(add.s(1, 1), chain(add.s(2, 2), add.s(1))), [2, 5]],
  ['a chord', ({ add, sum }) => chord([add.s(1, 1), add.s(2, 2)], sum.s()), 6],
  [
    'a settled chord',
    ({ add, list }) => chord([add.s(1, 1)], list.s(), { policy: 'settled' }),
    [{ status: 'SUCCESS', value: 2 }],
  ],
  ['a chord in a chain', ({ add, sum, mul }) => chain(add.s(1, 1), group(add.s(1), add.s(2)), sum.s(), mul.s(10)), 70],
  ['a group at the end', ({ add }) => chain(add.s(1, 1), group(add.s(1), add.s(2))), [3, 4]],
  ['map', ({ sum }) => sum.map([[1, 2], [3]]), [3, 3]],
  [
    'chunks',
    ({ add }) =>
      add.chunks(
        [
          [1, 1],
          [2, 2],
          [3, 3],
        ],
        2,
      ),
    [[2, 4], [6]],
  ],
];

describe('a signature', () => {
  it.each(SIGNATURES)('%s is frozen', (_name, build) => {
    expect(unfrozen(build(newTasks())).filter((path) => !/\.it(?:\.|$)/.test(path))).toEqual([]);
  });

  it('cannot be changed by what it was made of', () => {
    const links = [note.s()];
    const items = [[1], [2]];
    const sig = add.signature([1, 2], { link: links });
    const mapped = sum.map(items);
    links.push(note.s());
    items.push([3]);
    expect(json(sig)).toEqual(form('add', { args: [1, 2], options: { link: [form('note')] } }));
    expect(json(mapped)).toMatchObject({ kwargs: { it: [[1], [2]] } });
    expect(() => ((sig as { task: string }).task = 'other')).toThrow(TypeError);
  });

  it.each(SIGNATURES)('%s is plain data', (_name, build) => {
    const sig = build(newTasks());
    expect(structuredClone(sig)).toEqual(json(sig));
    expect(Object.keys(sig)).toEqual(['task', 'args', 'kwargs', 'options', 'subtask_type', 'immutable']);
    expect(json(signature(json(sig) as Record<string, unknown>))).toEqual(json(sig));
  });

  it.each(SIGNATURES)('%s does the same after JSON', async (_name, build, expected) => {
    const outcomes: unknown[] = [];
    for (const through of [(sig: AnySignature) => sig, json, structuredClone<AnySignature>]) {
      const tasks = newTasks();
      const world = new World(tasks.app);
      const result = await sendable(signature(through(build(tasks)) as Record<string, unknown>)).delay();
      await world.drain();
      outcomes.push({ value: await result.get({ timeout: 1 }), runs: tasks.runs, now: world.clock.nowMs() });
    }
    expect(outcomes[0]).toMatchObject({ value: expected });
    expect(outcomes.slice(1)).toEqual([outcomes[0], outcomes[0]]);
    const tasks = newTasks();
    const eager = await sendable(signature(json(build(tasks)) as Record<string, unknown>)).apply();
    expect(await eager.get()).toEqual(expected);
  });

  it('is no thenable: awaiting one sends nothing', async () => {
    const tasks = newTasks();
    const world = new World(tasks.app);
    // oxlint-disable-next-line typescript/await-thenable -- that is the point
    const sig = await chain(tasks.add.s(1, 2), tasks.add.s(3));
    expect('then' in sig).toBe(false);
    expect(world.broker.nextVisibleMs()).toBeUndefined();
  });
});

describe("Celery's form", () => {
  it.each<[string, AnySignature, object]>([
    ['s', add.s(1, 2), form('add', { args: [1, 2] })],
    ['si', add.si(1, 2), form('add', { args: [1, 2], immutable: true })],
    ['signature', signature('any', { args: [1], kwargs: { x: 2 } }), form('any', { args: [1], kwargs: { x: 2 } })],
    [
      'chain',
      chain(add.s(1, 2), chain(add.s(3), add.s(4))),
      form('celery.chain', {
        kwargs: { tasks: [form('add', { args: [1, 2] }), form('add', { args: [3] }), form('add', { args: [4] })] },
        subtask_type: 'chain',
      }),
    ],
    ['a chain of one', chain(add.s(1, 2)), form('add', { args: [1, 2] })],
    [
      'group',
      group(add.s(1, 2), group(add.s(3, 4))),
      form('celery.group', {
        kwargs: { tasks: [form('add', { args: [1, 2] }), form('add', { args: [3, 4] })] },
        subtask_type: 'group',
      }),
    ],
    [
      'chord',
      chord([add.s(1, 2)], sum.s()),
      form('celery.chord', {
        kwargs: {
          kwargs: {},
          header: form('celery.group', { kwargs: { tasks: [form('add', { args: [1, 2] })] }, subtask_type: 'group' }),
          body: form('sum'),
        },
        subtask_type: 'chord',
      }),
    ],
    [
      'map',
      sum.map([[1]]),
      form('celery.map', { kwargs: { task: form('sum'), it: [[1]] }, subtask_type: 'xmap', immutable: true }),
    ],
    [
      'starmap',
      add.starmap([[1, 2]]),
      form('celery.starmap', {
        kwargs: { task: form('add'), it: [[1, 2]] },
        subtask_type: 'xstarmap',
        immutable: true,
      }),
    ],
    ['a group before a task', group(add.s(1, 2)).pipe(sum.s()), json(chord([add.s(1, 2)], sum.s())) as object],
  ])('%s', (_name, sig, expected) => {
    expect(json(sig)).toEqual(expected);
  });

  it('options have its names and units', () => {
    const eta = new Date('2030-01-01T00:00:00Z');
    const options = (given: Parameters<ReturnType<typeof add.s>['set']>[0]): unknown =>
      json(add.s(1).set(given).options);
    expect(
      options({
        countdown: '5m',
        expires: '2h',
        queue: 'mail',
        priority: 3,
        headers: { 'x-a': 1 },
        argsrepr: '(1)',
        kwargsrepr: '{}',
        taskId: 'id',
        ignoreResult: true,
        retry: true,
        retryPolicy: { maxRetries: 2, intervalStart: 1, intervalStep: 2, intervalMax: 3 },
        timeLimit: '1m',
        softTimeLimit: 50,
        shadow: 'name',
        groupKey: 'tenant',
        link: note.s(),
        linkError: [note.s(), note.si()],
      }),
    ).toEqual({
      countdown: 300,
      expires: 7200,
      queue: 'mail',
      priority: 3,
      headers: { 'x-a': 1 },
      argsrepr: '(1)',
      kwargsrepr: '{}',
      task_id: 'id',
      ignore_result: true,
      retry: true,
      retry_policy: { max_retries: 2, interval_start: 1, interval_step: 2, interval_max: 3 },
      time_limit: 60,
      soft_time_limit: 50,
      shadow: 'name',
      MessageGroupId: 'tenant',
      link: [form('note')],
      link_error: [form('note'), form('note', { immutable: true })],
    });
    const iso = { eta: eta.toISOString() };
    expect([options({ eta }), options({ eta: eta.getTime() / 1000 }), options({ eta: '2030-01-01' })]).toEqual([
      iso,
      iso,
      iso,
    ]);
    expect(options({ expires: eta })).toEqual({ expires: eta.toISOString() });
    expect(options({ expires: '2030-01-01T00:00:00Z' })).toEqual({ expires: eta.toISOString() });
    expect(json(add.signature([1], { queue: 'mail', kwargs: { y: 2 } }))).toEqual(
      form('add', { args: [1], kwargs: { y: 2 }, options: { queue: 'mail' } }),
    );
  });

  it('Python may have set any of them', async () => {
    const tasks = newTasks();
    const world = new World(tasks.app);
    const options = { retry: true, retry_policy: { max_retries: 2, interval_start: 0 }, time_limit: 60, reply_to: 'x' };
    const sig = signature<number>('add', { args: [1, 2], options });
    const results = [await sig.delay(), ...(await enqueueMany([sig]))];
    await world.drain();
    for (const result of results) expect(await result.get({ timeout: 1 })).toBe(3);
  });
});

describe('methods', () => {
  const METHODS: [string, (sig: CanvasSignature<number, [number]>) => AnySignature, object][] = [
    ['set', (sig) => sig.set({ queue: 'mail' }), { options: { queue: 'mail' } }],
    ['set kwargs', (sig) => sig.set({ kwargs: { y: 1 } }), { kwargs: { y: 1 } }],
    ['set immutable', (sig) => sig.set({ immutable: true }), { immutable: true }],
    ['link', (sig) => sig.link(note.s()), { options: { link: [form('note')] } }],
    ['linkError', (sig) => sig.linkError(note.s()), { options: { link_error: [form('note')] } }],
    ['onError', (sig) => sig.onError(note.s()), { options: { link_error: [form('note')] } }],
    ['stamp', (sig) => sig.stamp({ a: 1 }), { options: { a: 1, stamped_headers: ['a'] } }],
    [
      'pipe',
      (sig) => sig.pipe(mul.s(2)),
      form('celery.chain', {
        kwargs: { tasks: [form('add', { args: [1] }), form('mul', { args: [2] })] },
        subtask_type: 'chain',
      }),
    ],
  ];
  it.each(METHODS)('%s makes another and leaves the old', (_name, change, expected) => {
    const sig = add.s(1);
    expect(json(change(sig))).toEqual(form('add', { args: [1], ...expected }));
    expect(json(sig)).toEqual(form('add', { args: [1] }));
  });

  it('what is set again replaces, links and stamps add up', () => {
    const sig = add.s(1).set({ queue: 'a', priority: 1 }).set({ queue: 'b' }).link(note.s(1)).link(note.s(2));
    expect(json(sig.stamp({ x: 1 }).stamp({ y: 2, x: 3 }).options)).toEqual({
      queue: 'b',
      priority: 1,
      link: [form('note', { args: [1] }), form('note', { args: [2] })],
      x: 3,
      y: 2,
      stamped_headers: ['x', 'y'],
    });
    expect(json(sig.set({ link: note.s(3) }).options)).toMatchObject({ link: [form('note', { args: [3] })] });
  });

  it.each<[string, (tasks: Tasks) => AnySignature, number]>([
    ['a task', ({ stamped }) => stamped.s(), 1],
    ['a chain', ({ stamped }) => chain(stamped.s(), stamped.si()), 2],
    ['a group', ({ stamped }) => group(stamped.s(), stamped.s()), 2],
    ['a chord', ({ stamped }) => chord([stamped.s(), stamped.s()], stamped.s()), 3],
    ['a chain of chords', ({ stamped }) => chain(stamped.s(), group(stamped.s(), stamped.s()), stamped.s()), 4],
    ['map', ({ stamped }) => stamped.map([1, 2]), 2],
    ['chunks', ({ stamped }) => stamped.chunks([[1], [2], [3]], 2), 3],
    ['a link', ({ add, stamped }) => add.s(1, 2).link(stamped.s()), 1],
    ['an error link', ({ fail, stamped }) => fail.s().linkError(stamped.s()), 1],
  ])('stamps of %s reach every task', async (_name, build, count) => {
    const tasks = newTasks();
    const world = new World(tasks.app);
    await sendable((build(tasks) as CanvasSignature).stamp({ tenant: 'a' })).delay();
    await world.drain();
    expect(tasks.stamps).toEqual(Array.from({ length: count }, () => ({ tenant: 'a' })));
  });

  it.each<[string, (tasks: Tasks) => AnySignature, unknown]>([
    ['a task', ({ list }) => list.si('own'), 'own'],
    ['a chain', ({ list }) => chain(list.s('own'), list.s()).set({ immutable: true }), 'own'],
    ['a chain in a group', ({ list }) => group(chain(list.s('own'), list.s()).set({ immutable: true })), ['own']],
    ['a group', ({ list }) => group(list.s('own')).set({ immutable: true }), ['own']],
    ['a chord', ({ list }) => chord([list.s('own')], list.s()).set({ immutable: true }), ['own']],
    ['map', ({ list }) => list.map(['own']), ['own']],
    ['chunks', ({ list }) => list.chunks([['own']], 1), [['own']]],
  ])('immutable: %s is given nothing', async (_name, build, expected) => {
    const tasks = newTasks();
    const world = new World(tasks.app);
    const part = build(tasks) as CanvasSignature;
    const results = [
      await chain(tasks.add.s(1, 2), part).delay(),
      await chain(tasks.add.s(1, 2), part).apply(),
      await part.delay(5),
    ];
    await world.drain();
    for (const result of results) expect(await result.get({ timeout: 1 })).toEqual(expected);
  });
});

describe('mistakes', () => {
  const bad = (value: unknown): never => value as never;
  it.each<[string, () => unknown, RegExp]>([
    ['a chain of nothing', () => chain(), /chain\(\).*at least one/],
    ['a chain of something else', () => chain(add.s(1, 2), bad(5)), /chain: item 1 is no signature.*task\.s\(/],
    ['a task instead of its signature', () => chain(bad(add)), /chain: item 0 is no signature/],
    ['a group of something else', () => group([add.s(1, 2), bad('x')]), /group: item 1 is no signature/],
    ['a chord without a body', () => chord([add.s(1, 2)], bad(undefined)), /body/],
    ['a chord with another header', () => chord(bad({ a: 1 }), sum.s()), /header/],
    [
      'a chord with a bad policy',
      () => chord([add.s(1, 2)], sum.s(), { policy: bad('no') }),
      /'no' given; 'celery', 'failFast'/,
    ],
    ['pipe of nothing', () => add.s(1, 2).pipe(bad(undefined)), /pipe\(\).*signature/],
    ['pipe of something else', () => add.s(1, 2).pipe(bad({})), /pipe\(\).*signature/],
    ['link of something else', () => add.s(1, 2).link(bad('note')), /link.*signature/],
    ['linkError of something else', () => add.s(1, 2).linkError(bad({})), /link.*signature/],
    ['chunks of no size', () => add.chunks([[1, 2]], 0), /chunks\(\) size: 0/],
    ['chunks of half a size', () => add.chunks([[1, 2]], 1.5), /chunks\(\) size: 1\.5/],
    ['map of no list', () => list.map(bad(5)), /map\(\).*5 given; an array/],
    ['starmap of no lists', () => add.starmap(bad([1])), /starmap\(\).*item 0/],
    ['an unknown option', () => add.s(1, 2).set(bad({ countdwn: 5 })), /countdwn/],
    ['a bad option', () => add.signature([1, 2], { priority: 10 }), /priority: 10/],
    ['data that is no signature', () => signature({ tasks: [] }), /no signature/],
  ])('%s', (_name, build, message) => {
    expect(build).toThrow(message);
  });

  it('are told when it is sent, before anything is', async () => {
    const tasks = newTasks();
    const world = new World(tasks.app);
    await expect(tasks.add.s(1, 2).applyAsync([], bad({ countdwn: 5 }))).rejects.toThrow(/countdwn/);
    await expect(chain(tasks.add.s(1, 2)).applyAsync([], { queue: 'none' })).rejects.toThrow(/'none'/);
    await expect(group(tasks.add.s(1, 2)).applyAsync([], { kwargs: { a: 1 } })).rejects.toThrow(/kwargs/);
    await expect(sendable(signature({ task: 'celery.chain', subtask_type: 'chain' })).delay()).rejects.toThrow(/tasks/);
    expect(world.broker.nextVisibleMs()).toBeUndefined();
  });
});

// ------------------------------------------------------------------- any tree

const trees = fc.letrec<{ tree: AnySignature }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .record({ a: fc.nat(9), b: fc.option(fc.nat(9)), queue: fc.option(fc.constant('mail')) })
      .map(({ a, b, queue }) => {
        const sig: CanvasSignature = b === null ? add.s(a) : add.s(a, b);
        return queue === null ? sig : sig.set({ queue });
      }),
    fc.nat(9).map((value) => add.si(value, value).link(note.s())),
    fc.constant(add.starmap([[1, 2]])),
    fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((parts) => chain(...parts)),
    fc.array(tie('tree'), { maxLength: 3 }).map((parts) => group(parts)),
    fc.tuple(fc.array(tie('tree'), { maxLength: 3 }), tie('tree')).map(([header, body]) => chord(header, bad(body))),
    tie('tree').map((part) => (part as CanvasSignature).stamp({ tenant: 'a' })),
  ),
}));
const bad = (value: unknown): never => value as never;

/** What would be sent, or why it cannot be. */
function planned(sig: AnySignature): unknown {
  try {
    return json(compile(signature(sig), 'id'));
  } catch (error) {
    return String(error);
  }
}

describe('any tree', () => {
  it('is the same after JSON, put together further, and makes the same messages', () => {
    fc.assert(
      fc.property(trees.tree, (sig) => {
        const data = signature(json(sig) as Record<string, unknown>);
        expect(json(data)).toEqual(json(sig));
        expect(planned(data)).toEqual(planned(sig));
        expect(json(chain(add.s(1), data))).toEqual(json(chain(add.s(1), bad(sig))));
        expect(json(group(data, add.s(1)))).toEqual(json(group(sig, add.s(1))));
        expect(json(chord([data], data))).toEqual(json(chord([sig], bad(sig))));
        expect(unfrozen(sig).filter((path) => !/\.it(?:\.|$)/.test(path))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
