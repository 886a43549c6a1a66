/**
 * Every public function that asks AWS runs under the grant that docs/permissions.md names for it: none is refused, and none is left out here. With
 * arguments and results that messages and records hold, and with such as lie in the bucket.
 */
import { AsyncResult, type Celeriac, every, group, GroupResult } from 'celeriac';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { kinds } from '../support/iam/gate.ts';
import { LARGE } from '../support/iam/program.ts';
import { type Actor, Scenario, scenarioRoles, WORKER } from '../support/iam/scenario.ts';

let roles: ReturnType<typeof scenarioRoles>;
let scenario: Scenario;
/** An argument, and a result; and another, which is larger where the first one is large. */
let text: string;
let other: string;
/** One that has ended, one that nobody runs, a group that was saved, and a letter. */
let done: string;
let waiting: string;
let members: string;
let refused: string;

async function begin(large: boolean): Promise<void> {
  roles = scenarioRoles(large);
  scenario = await Scenario.start(roles, large);
  [text, other] = large ? [LARGE, `${LARGE}more`] : ['one', 'more'];
  const { app, echo, refuse } = scenario.as('enqueue');
  const sent = await group([echo.s(text), echo.s(other)]).delay();
  await sent.save();
  members = sent.id;
  done = (await echo.delay(text)).id;
  refused = (await refuse.delay(text)).id;
  await scenario.deliver();
  waiting = (await app.send('echo', [text])).id;
}

type Grant = 'enqueue' | 'results' | 'manage' | 'schedules' | 'locks' | 'history' | 'explain' | 'letters';
type Call = (actor: Actor) => unknown;

const ofTask =
  (ask: (result: AsyncResult) => unknown): Call =>
  ({ app }) =>
    ask(app.result(done));
const ofGroup =
  (ask: (result: GroupResult) => unknown): Call =>
  async ({ app }) => {
    const result = await app.groupResult(members);
    if (result === undefined) throw new Error('The group is not stored.');
    return ask(result);
  };
const ofEntries =
  (ask: (schedules: Celeriac['schedules'], entry: Parameters<Celeriac['schedules']['put']>[1]) => unknown): Call =>
  async ({ app, echo }) => {
    const entry = { task: echo.s(text), schedule: every('30s') };
    await app.schedules.put('mine', entry);
    await ask(app.schedules, entry);
  };
async function everyOf<T>(many: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of many) all.push(each);
  return all;
}

interface Noun {
  readonly of: (app: Celeriac) => object;
  readonly grant: Grant;
  readonly calls: Readonly<Record<string, Call | readonly [Grant, Call]>>;
  /** Ask nobody. */
  readonly silent?: readonly string[];
}

// Of an app: says what there is.
const SAID =
  'name task Task register remote beat use taskNames manifest on http signature schedules locks history control deadLetters result signals currentTask ports runEager clock ids random logger';
// What functions of the service do, under roles of their own: rights.test.ts.
const OF_FUNCTIONS = 'consume consumeLost consumeWakeUps sweep';
// Asks Secrets Manager, which is not served here, under what grantSign() gives: test/infra/status-url.test.ts.
const SIGNS = 'statusUrl';

const NOUNS: Readonly<Record<string, Noun>> = {
  'app.control': {
    of: (app) => app.control,
    grant: 'manage',
    calls: {
      revoke: ({ app }) => app.control.revoke([waiting, done]),
      terminate: ({ app }) => app.control.terminate(waiting),
      rateLimit: async ({ app }) => {
        await app.control.rateLimit('limited', '2/m');
        await app.control.rateLimit('limited', null);
        await app.control.rateLimit('limited');
      },
      slots: async ({ app }) => {
        for (const task of ['single', 'alone', 'line', 'shared'])
          for (const key of ['', 'of a customer', 'x'.repeat(256)]) await app.control.slots(task, { key });
      },
      explain: ['explain', ({ app }) => app.control.explain(waiting)],
    },
  },
  'app.locks': {
    of: (app) => app.locks,
    grant: 'locks',
    calls: {
      acquire: async ({ app }) => {
        const lock = await app.locks.acquire('mine');
        if ((await app.locks.acquire('mine')) !== null) throw new Error('It is held.');
        await lock?.renew();
        await lock?.release();
      },
      with: ({ app }) => app.locks.with('mine', {}, () => Promise.resolve(1)),
      list: ({ app }) => app.locks.list(),
      free: ({ app }) => app.locks.free('mine'),
    },
  },
  'app.schedules': {
    of: (app) => app.schedules,
    grant: 'schedules',
    calls: {
      put: ofEntries((schedules, entry) => schedules.put('mine', entry)),
      check: ofEntries((schedules, entry) => schedules.check('mine', entry)),
      update: ofEntries((schedules) => schedules.update('mine', { schedule: every('45s') })),
      get: ofEntries((schedules) => schedules.get('mine')),
      list: ofEntries((schedules) => schedules.list()),
      enable: ofEntries(async (schedules) => {
        for (const name of ['mine', 'ruled', 'swept']) await schedules.enable(name);
      }),
      disable: ofEntries(async (schedules) => {
        for (const name of ['mine', 'ruled', 'swept', 'ordered']) await schedules.disable(name);
      }),
      runNow: ofEntries(async (schedules) => {
        for (const name of ['mine', 'ruled', 'swept', 'ordered']) await schedules.runNow(name);
      }),
      dump: ofEntries((schedules) => schedules.dump()),
      load: ofEntries(async (schedules, entry) => {
        for (const mode of ['always', 'once'] as const) await schedules.load({ mine: entry, other: entry }, { mode });
      }),
      rename: ofEntries(async (schedules) => {
        await schedules.rename('mine', 'renamed');
        await schedules.delete('renamed');
      }),
      followCode: ofEntries((schedules) => schedules.followCode('swept')),
      delete: ofEntries((schedules) => schedules.delete('mine')),
    },
  },
  'app.deadLetters': {
    of: (app) => app.deadLetters,
    grant: 'letters',
    calls: {
      list: ({ app }) => app.deadLetters.list(),
      show: ({ app }) => app.deadLetters.show(refused),
      redrive: async ({ app }) => {
        for (const edit of [{}, { args: [other] }]) await app.deadLetters.redrive({ task: 'refuse', edit });
      },
      drop: ({ app }) => app.deadLetters.drop({ task: 'refuse' }),
    },
  },
  'app.history': {
    of: (app) => app.history,
    grant: 'history',
    calls: {
      list: ({ app }) => app.history.list({ from: '2h' }),
      task: ({ app }) => app.history.task(done),
      stats: ({ app }) => app.history.stats(),
    },
  },
  AsyncResult: {
    of: () => AsyncResult.prototype,
    grant: 'results',
    silent: ['taskId', SIGNS],
    calls: {
      state: ofTask((result) => result.state()),
      ready: ofTask((result) => result.ready()),
      successful: ofTask((result) => result.successful()),
      failed: ofTask((result) => result.failed()),
      get: ofTask((result) => result.get({ timeout: 60 })),
      wait: ofTask((result) => result.wait({ timeout: 60 })),
      info: ofTask((result) => result.info()),
      traceback: ofTask((result) => result.traceback()),
      children: ofTask((result) => result.children()),
      iterdeps: ofTask((result) => everyOf(result.iterdeps())),
      collect: ofTask((result) => everyOf(result.collect())),
      name: ofTask((result) => result.name()),
      args: ofTask((result) => result.args()),
      kwargs: ofTask((result) => result.kwargs()),
      worker: ofTask((result) => result.worker()),
      retries: ofTask((result) => result.retries()),
      queue: ofTask((result) => result.queue()),
      dateDone: ofTask((result) => result.dateDone()),
      revoke: ['manage', ofTask((result) => result.revoke({ terminate: true }))],
      forget: ['manage', ofTask((result) => result.forget())],
    },
  },
  GroupResult: {
    of: () => GroupResult.prototype,
    grant: 'results',
    silent: ['results', 'total', 'length', 'progress'],
    calls: {
      completedCount: ofGroup((result) => result.completedCount()),
      failedCount: ofGroup((result) => result.failedCount()),
      waiting: ofGroup((result) => result.waiting()),
      ready: ofGroup((result) => result.ready()),
      successful: ofGroup((result) => result.successful()),
      failed: ofGroup((result) => result.failed()),
      join: ofGroup((result) => result.join({ timeout: 60 })),
      get: ofGroup((result) => result.get({ timeout: 60 })),
      iterate: ofGroup((result) => everyOf(result.iterate({ timeout: 60 }))),
      save: [
        'enqueue',
        ({ echo }) =>
          group([echo.s(text)])
            .delay()
            .then((result) => result.save()),
      ],
      revoke: ['manage', ofGroup((result) => result.revoke({ terminate: true }))],
      forget: ['manage', ofGroup((result) => result.forget())],
    },
  },
  app: {
    of: (app) => app,
    grant: 'enqueue',
    silent: [SAID, OF_FUNCTIONS, SIGNS].join(' ').split(' '),
    calls: {
      send: ({ app }) => app.send('echo', [text]),
      sendMany: ({ app, echo }) => app.sendMany([echo.s(text), echo.s(other)]),
      groupResult: ['results', ({ app }) => app.groupResult(members)],
      stats: ['history', ({ app }) => app.stats()],
      explain: ['explain', ({ app }) => app.explain(waiting)],
    },
  },
};

describe.each([
  ['small', false],
  ['large', true],
] as const)('%s arguments and results', (_how, large) => {
  beforeAll(() => begin(large));
  afterAll(() => scenario.stop());

  if (large)
    it('lie in the bucket', () => {
      expect(kinds(roles.gate.of('enqueue'))).toContainEqual(expect.stringMatching(/^enqueue s3:PutObject /));
      expect(kinds(roles.gate.of(WORKER))).toContainEqual(expect.stringContaining('s3:PutObject'));
    });

  describe.each(Object.entries(NOUNS))('%s', (_noun, { of, grant, calls, silent = [] }) => {
    it('is here with all that it has', () => {
      const noun = of(scenario.as('enqueue').app);
      const prototype: unknown =
        noun === AsyncResult.prototype || noun === GroupResult.prototype ? noun : Object.getPrototypeOf(noun);
      const known = Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
      expect(known.filter((name) => !silent.includes(name) && !Object.hasOwn(calls, name))).toEqual([]);
      expect(Object.keys(calls).filter((name) => !known.includes(name))).toEqual([]);
    });

    it.each(Object.entries(calls))('%s', async (_name, given) => {
      const [who, call] = typeof given === 'function' ? [grant, given] : given;
      const failed = await Promise.resolve(call(scenario.as(who))).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(roles.gate.takeDenied()).toEqual([]);
      expect(failed).toBeUndefined();
    });
  });
});
