/** Random errors at random steps of random programs: one final state, the true reason, a dead letter only where one is due, effects once. */
import { type AsyncResult, Celeriac, chain, chord, GroupResult } from 'celeriac';
import { World } from 'celeriac/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { tapped } from '../support/port-taps.ts';

const REASON = 'the true reason';

const hostileHandler: ProxyHandler<Error> = Object.fromEntries(
  ['get', 'has', 'getPrototypeOf', 'ownKeys', 'getOwnPropertyDescriptor'].map((trap) => [
    trap,
    () => {
      throw new Error('asked');
    },
  ]),
);

/** What is thrown, and whether its text can be read. */
const THROWN: readonly (readonly [() => unknown, boolean])[] = [
  [() => new Error(REASON), true],
  [() => new TypeError(`${REASON} ${'x'.repeat(450_000)}`), true],
  [() => Object.assign(new Error(REASON), { name: 'ThrottlingException', $retryable: {} }), true],
  [() => Object.assign(new Error(REASON), { code: 'ECONNRESET', retryable: true }), true],
  [() => Object.freeze(new RangeError(REASON)), true],
  [() => Object.defineProperty(new Error(REASON), 'name', { value: Symbol('name') }), true],
  [() => Object.defineProperty(new Error(REASON), 'stack', { get: () => JSON.parse('{') as unknown }), true],
  [() => Object.defineProperty(new Error(), 'message', { get: () => JSON.parse('{') as unknown }), false],
  [() => new Proxy(new Error(REASON), hostileHandler), false],
  [
    () => {
      const error: Error & { self?: unknown } = new Error(REASON);
      error.self = error.cause = error;
      return error;
    },
    true,
  ],
  [() => REASON, true],
  [() => ({ reason: REASON }), true],
  [() => undefined, false],
  [() => null, false],
  [() => Symbol(REASON), true],
  [() => 7n, false],
  [() => () => REASON, false],
];

const STEPS = [
  'run',
  'result',
  'beforeStart',
  'schema',
  'router',
  'autoretryFor',
  'dontAutoretryFor',
  'throws',
  'onSuccess',
  'onFailure',
  'errorLink',
  'retry',
  'claim',
  'commit',
  'logger',
] as const;
type Step = (typeof STEPS)[number];
const SHAPES = ['task', 'chain', 'chord', 'link'] as const;

interface Program {
  readonly step: Step;
  readonly shape: (typeof SHAPES)[number];
  /** The first task of the shape has the fault, or the one that follows. */
  readonly first: boolean;
  readonly thrown: readonly [() => unknown, boolean];
}

function declare({ step, first, thrown }: Program) {
  let armed = false;
  const runs: Record<string, number> = {};
  const raise = (at: Step): void => {
    if (armed && at === step) throw thrown[0]();
  };
  const faulty = first ? 'first' : 'second';
  const app = new Celeriac('ends', {
    routes: (name: string) => {
      if (name === faulty) raise('router');
      return undefined;
    },
  });
  const fails = ['autoretryFor', 'dontAutoretryFor', 'throws', 'onFailure', 'errorLink'].includes(step);
  const task = (name: string) => {
    const own = name === faulty;
    const asked = (at: Step) => [
      () => {
        if (own) raise(at);
        return at === 'dontAutoretryFor' || at === 'throws';
      },
    ];
    const options = {
      autoretryFor: step === 'dontAutoretryFor' ? [RangeError] : asked('autoretryFor'),
      dontAutoretryFor: asked('dontAutoretryFor'),
      throws: asked('throws'),
      schema: {
        '~standard': {
          version: 1 as const,
          vendor: 'test',
          validate: (value: unknown) => {
            if (own) raise('schema');
            return { value: value as readonly unknown[] };
          },
        },
      },
    };
    return app.register(
      class extends app.Task<[value?: unknown], unknown> {
        static override readonly taskName = name;
        static override readonly options = options;
        override beforeStart(): void {
          if (own) raise('beforeStart');
        }
        override onSuccess(): void {
          if (own) raise('onSuccess');
        }
        override onFailure(): void {
          if (own) raise('onFailure');
        }
        run(_value?: unknown): unknown {
          runs[name] = (runs[name] ?? 0) + 1;
          if (own) raise('run');
          if (own && fails && armed) throw new RangeError(REASON);
          // New arguments of a retry are read when it is planned.
          if (own && step === 'retry' && armed)
            this.retry({
              args: [
                {
                  get value() {
                    return raise('retry');
                  },
                },
              ],
            });
          return own && step === 'result'
            ? {
                get value() {
                  raise('result');
                  return 1;
                },
              }
            : 1;
        }
      },
    );
  };
  const tell = app.task('tell', (_request: unknown, _error: unknown) => raise('errorLink'));
  return { app, runs, raise, tasks: { first: task('first'), second: task('second'), tell }, arm: () => (armed = true) };
}

async function play(program: Program): Promise<void> {
  const { app, runs, raise, tasks, arm } = declare(program);
  const world = new World(app, {
    logger: { log: () => raise('logger') },
    wrapPorts: (ports) =>
      tapped(
        ports,
        (call, go, [requests]) => {
          const refused =
            call === `backend.${program.step}` &&
            (requests as readonly { readonly id: string }[]).some(({ id }) => id === 'the-refused');
          if (!refused) return go();
          throw Object.assign(new Error(REASON), { name: 'ValidationException', $fault: 'client' });
        },
        ['backend'],
      ),
  });
  const named = (own: boolean, sig: ReturnType<typeof tasks.first.s>): ReturnType<typeof tasks.first.s> =>
    sig.set({ taskId: own ? 'the-refused' : 'the-other' }).linkError(tasks.tell.s() as never);
  const [one, two] = [named(program.first, tasks.first.s()), named(!program.first, tasks.second.s())];
  let results: readonly AsyncResult[];
  if (program.shape === 'task') results = [await one.delay()];
  else if (program.shape === 'link') results = [await one.link(two as never).delay()];
  else if (program.shape === 'chain') results = [(await chain(one, two as never).delay()) as never];
  else results = [(await chord([one as never], two as never).delay()) as never];
  if (results[0] instanceof GroupResult) throw new Error('no task');
  arm();
  await world.drain('3d');
  // What follows is read by its id too, where anything follows.
  const ids = program.shape === 'task' ? [one] : [one, two];
  const faulty = program.first || program.shape !== 'task';
  for (const { options } of ids) {
    const result = app.result(String(options['task_id']));
    const state = await result.state();
    const deadLetters = world.deadLetters().filter(({ attributes }) => attributes['task_id'] === result.id);
    const own = result.id === 'the-refused' && faulty;
    const refused = own && (program.step === 'claim' || program.step === 'commit');
    // A failed task has its state; one that no state can be written of has its dead letter.
    expect(deadLetters.length).toBe(refused && reached(program) ? 1 : 0);
    // A task whose claim or commit is always refused has its dead letter; whatever else happens it has its state.
    if (!refused && !(state === 'PENDING' && follows(program))) expect(['SUCCESS', 'FAILURE']).toContain(state);
    if (deadLetters.length > 0) expect(deadLetters[0]?.attributes['error']).toContain(REASON);
    const breaks = !['onSuccess', 'logger'].includes(program.step);
    if (own && state === 'FAILURE' && breaks && (program.thrown[1] || program.step === 'onFailure'))
      expect(((await result.info()) as Error).message).toContain(REASON);
  }
  expect(Math.max(0, ...Object.values(runs))).toBeLessThanOrEqual(1);
  expect([...world.broker.peekAll('default'), ...world.broker.peekAll('__lost__')]).toEqual([]);
}

/** Whether the task that is refused gets a message: a step behind one that fails gets none, and here none fails. */
function reached({ first, shape }: Program): boolean {
  return first || shape !== 'task';
}

/** A link of a task that failed never comes to be. */
function follows({ shape, first }: Program): boolean {
  return shape === 'link' && first;
}

it('whatever is thrown, wherever', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        step: fc.constantFrom(...STEPS),
        shape: fc.constantFrom(...SHAPES),
        first: fc.boolean(),
        thrown: fc.constantFrom(...THROWN),
      }),
      play,
    ),
    { numRuns: 300 },
  );
});
