/** The app of a simulation: tasks that do as a program says, and write it into the ledger. */
import {
  type AnySignature,
  Celeriac,
  chain,
  chord,
  crontab,
  type Duration,
  enqueue,
  every,
  group,
  Ignore,
  Reject,
  type TaskContext,
  type TaskOptions,
} from 'celeriac';
import type { World } from 'celeriac/testing';
import type { Clock } from '../../../lib/base/time.ts';
import { CURRENT_INVOCATION } from '../../../lib/testing/simulated-invocation.ts';
import { MARKED_NAMES, MARKED_OPTIONS, type MarkedName, type Send } from './callers.ts';
import { CHANGED_OPTIONS, CHANGED_TASK } from './changes.ts';
import { declareInstanceTicks } from './instance-ticks.ts';
import { type Flow, lineOf } from './flow.ts';
import { INSTANCE_OPTIONS, INSTANCE_QUEUE, type InstanceName } from './instances.ts';
import { LANE_QUEUE, LANE_QUEUE_OPTIONS, LANE_TASK } from './lanes.ts';
import type { Ledger } from './ledger.ts';
import { type Behaviour, MAX_RETRIES, type Program, type TaskName, type Tree, valueOf } from './program.ts';

export class Passing extends Error {
  override readonly name = 'Passing';
}

export class Flaky extends Error {
  override readonly name = 'Flaky';
}

export interface Load {
  readonly app: Celeriac;
  build(program: Program): AnySignature;
  /** A call of a task that stands for a key. */
  readonly call: Send;
  /** The clock that tasks sleep on and tell the time by. */
  attach(clock: Clock): void;
  /** Half of the workers run older code for a while. */
  deploy(world: World): void;
}

const OPTIONS = { bind: true, maxRetries: MAX_RETRIES, autoretryFor: [Flaky], retryBackoff: true } as const;
type Limits = Pick<TaskOptions, 'rateLimit' | 'concurrency' | 'queue'>;

/** Where runs and ticks are written down: the ledger, or a message to the process that has it. */
export type Notes = Pick<Ledger, 'run'> &
  Partial<Pick<Ledger, 'ran'>> &
  Partial<Pick<Ledger, 'witness' | 'instances' | 'laneRuns'>> & {
    readonly ticks: { push(tick: Ledger['ticks'][number]): unknown };
  };

/** What entries run that are stored while the world runs. */
export const STORED_TASK = 'stored';

export interface LoadOptions {
  /** Whether it has schedule entries. Default true. */
  readonly schedules?: boolean;
  /** Default '30d'. */
  readonly resultExpires?: Duration;
  /** Default 'off': nothing is asked of the history, and a seed stays the run that it was. */
  readonly history?: 'all' | 'off';
  /** Of tasks by name, beside their own. */
  readonly flow?: Flow['options'];
}

export function newLoad(
  ledger: Notes,
  { schedules = true, resultExpires, history = 'off', flow }: LoadOptions = {},
): Load {
  const app = new Celeriac('simulation', {
    queues: {
      default: { concurrency: 50 },
      orders: { fifo: true },
      poison: {},
      [INSTANCE_QUEUE]: {},
      [LANE_QUEUE]: LANE_QUEUE_OPTIONS,
    },
    resultExpires: resultExpires ?? '30d',
    timezone: 'Europe/Berlin',
    history,
  });
  let clock: Clock | undefined;
  const act = (self: TaskContext, args: readonly unknown[], atMostOnce: boolean): Promise<unknown> | string => {
    const [key, behaviour] = args.slice(-2) as [string, Behaviour];
    const prev = args.length > 2 ? args[0] : undefined;
    const { id, retries } = self.request;
    // What was handed back on purpose runs again, whatever acksLate says.
    const strict = atMostOnce && behaviour.kind !== 'requeue';
    const leftMs = self.remainingTime() * 1000;
    ledger.run({ key, id, attempt: retries, prev, atMs: clock?.nowMs() ?? 0, leftMs }, strict);
    const told = (): void => ledger.ran?.(id, retries);
    const come = behave(self, behaviour, valueOf(key, prev));
    if (typeof come === 'string') told();
    else void come.then(told, told);
    return come;
  };
  let isMortal = (): boolean => true;
  const died = new Map<string, number>();
  const deaths = (id: string): number => {
    died.set(id, (died.get(id) ?? 0) + 1);
    return died.get(id) ?? 0;
  };
  const spawned = app.task('spawned', { bind: true }, (self, key: string): string => {
    ledger.run({ key, id: self.request.id, attempt: 0, prev: undefined, atMs: clock?.nowMs() ?? 0 }, false);
    return key;
  });
  const during = async ({ request }: TaskContext, work: Promise<void> | undefined): Promise<void> => {
    const over = ledger.witness?.begins(request.id, request.retries);
    await work?.finally(over);
  };
  const behave = (self: TaskContext, behaviour: Behaviour, value: string): Promise<unknown> | string => {
    switch (behaviour.kind) {
      case 'retry':
        if (self.request.retries < behaviour.times)
          throw self.retry({
            countdown: behaviour.seconds * 2 ** self.request.retries,
            ...(behaviour.own ? { exc: new Passing('as told') } : {}),
          });
        return value;
      case 'flaky':
        if (self.request.retries < behaviour.times) throw new Flaky('as told');
        return value;
      case 'die':
        return isMortal() && deaths(self.request.id) <= behaviour.times ? killWorker() : value;
      case 'requeue':
        if (!self.request.deliveryInfo.redelivered) throw new Reject('once more', { requeue: true });
        return value;
      case 'slow':
        return during(self, clock?.sleep(behaviour.seconds * 1000)).then(() => value);
      case 'long':
        return during(self, clock && long(self, behaviour, clock, ledger.witness)).then(() => value);
      case 'spawn':
        return Promise.all(
          Array.from({ length: behaviour.children }, (_, index) => {
            const key = `${self.request.id}:child:${index}`;
            // An id of its own making: whoever runs twice sends the same children.
            return spawned.applyAsync([key], { taskId: key.slice(0, 120) });
          }),
        ).then(() => value);
      case 'fail':
        throw new Passing('as told');
      case 'reject':
        throw new Reject('as told');
      case 'ignore':
        throw new Ignore('as told');
      case 'ok':
      default:
        return value;
    }
  };
  const plain = (name: TaskName, options: Limits = {}) =>
    app.task(name, { ...OPTIONS, ...options }, (self, ...args: unknown[]) => act(self, args, false));
  const instance = (name: InstanceName) =>
    app.task(name, { ...OPTIONS, ...INSTANCE_OPTIONS[name] }, (self, ...args: unknown[]) => {
      const run = (): Promise<unknown> | string => act(self, args, false);
      return ledger.instances?.during(self, name, lineOf(args.at(-2) as string), run) ?? run();
    });
  const tasks = {
    leaf: plain('leaf', flow?.leaf),
    once: app.task('once', { ...OPTIONS, ...flow?.once, acksLate: false }, (self, ...args: unknown[]) =>
      act(self, args, true),
    ),
    late: plain('late', flow?.late),
    ordered: plain('ordered', { ...flow?.ordered, queue: 'orders' }),
    gone: plain('gone'),
    poison: plain('poison', { queue: 'poison' }),
    alone: instance('alone'),
    brief: instance('brief'),
    again: instance('again'),
    turns: instance('turns'),
    changed: plain(CHANGED_TASK, CHANGED_OPTIONS),
    lane: app.task(LANE_TASK, { ...OPTIONS, queue: LANE_QUEUE }, (self, ...args: unknown[]) => {
      const { id, priority, deliveryInfo } = self.request;
      ledger.laneRuns?.push({ id, priority, queue: deliveryInfo.queue });
      return act(self, args, false);
    }),
  };
  const marked = (name: MarkedName) =>
    app.task(name, { ...OPTIONS, ...MARKED_OPTIONS[name] }, (self, _line: string, id: string, behaviour: Behaviour) =>
      act(self, [`${id}@${self.request.id}`, behaviour], false),
    );
  const callable = Object.fromEntries(MARKED_NAMES.map((name) => [name, marked(name)]));
  // Of one argument more it would be called in the failing worker.
  const failed = app.task('failed', { bind: true }, (self, ...args: unknown[]) => {
    const [key, failedId] = args.toReversed() as [string, string];
    ledger.run(
      { key, id: self.request.id, attempt: self.request.retries, prev: failedId, atMs: clock?.nowMs() ?? 0 },
      false,
    );
  });
  const linked = app.task('linked', { bind: true }, (self, value: unknown, key: string) => {
    ledger.run(
      { key, id: self.request.id, attempt: self.request.retries, prev: value, atMs: clock?.nowMs() ?? 0 },
      false,
    );
  });
  const linksOf = (key: string): object => ({
    link: linked.s(`${key}.link`).set({ taskId: `${key}.link` }),
    linkError: failed.s(`${key}.errback`).set({ taskId: `${key}.errback` }),
  });
  if (schedules) declareTicks(app, ledger, () => clock?.nowMs() ?? 0);
  if (schedules && flow !== undefined) declareInstanceTicks(app, ledger, () => clock);
  const signatureOf = (tree: Tree, program: Program): AnySignature => {
    if (tree.type === 'chain')
      return chain(...(tree.steps.map((step) => signatureOf(step, program)) as [AnySignature]));
    if (tree.type === 'group') return group(tree.members.map((member) => signatureOf(member, program)));
    if (tree.type === 'chord')
      return chord(
        tree.header.map((member) => signatureOf(member, program)) as never,
        signatureOf(tree.body, program) as never,
        { policy: tree.policy },
      );
    const sig = tasks[tree.task].signature([tree.key, tree.behaviour]);
    return sig.set({
      ...(program.explicitIds ? { taskId: tree.key } : {}),
      ...(tree.countdown === undefined ? {} : { countdown: tree.countdown }),
      ...(tree.priority === undefined ? {} : { priority: tree.priority }),
      ...(tree.expires === undefined ? {} : { expires: tree.expires }),
      ...(tree.groupKey === undefined ? {} : { groupKey: tree.groupKey }),
      ...(tree.ignoreResult === undefined ? {} : { ignoreResult: tree.ignoreResult }),
      ...(program.link ? linksOf(tree.key) : {}),
    });
  };
  return {
    app,
    call: ({ name, line, id, behaviour }, options) =>
      enqueue(callable[name] as never, [line, id, behaviour] as never, options),
    build: (program) => signatureOf(program.tree, program),
    attach: (made) => {
      clock = made;
    },
    deploy: (world) => {
      deployInTheMiddle(app, world);
      poisonWorkers(world);
      isMortal = () => world.faults.on;
    },
  };
}

// Between two reports of progress.
const STEP_MS = 3000;

async function long(
  self: TaskContext,
  { seconds, heeds }: Extract<Behaviour, { readonly kind: 'long' }>,
  clock: Clock,
  witness: Notes['witness'],
): Promise<void> {
  const endMs = clock.nowMs() + seconds * 1000;
  while (clock.nowMs() < endMs) {
    const leftMs = endMs - clock.nowMs();
    // What it tells of itself may not be taken: that is no reason to end.
    if (heeds === 'progress') await self.progress(seconds - leftMs / 1000, seconds).catch(() => {});
    witness?.stored(self.request.id, self.signal);
    await clock.sleep(
      heeds === 'progress' ? Math.min(STEP_MS, leftMs) : leftMs,
      heeds === 'nothing' ? undefined : self.signal,
    );
    if (heeds !== 'nothing') self.signal.throwIfAborted();
  }
}

/** The worker is killed in the middle of its task. */
function killWorker(): Promise<never> {
  const invocation = CURRENT_INVOCATION.getStore();
  if (invocation !== undefined) invocation.dead = true;
  return new Promise<never>(() => {});
}

/** For the first quarter of an hour half of the workers run the code before the task `late` was written. None knows `gone`. */
function deployInTheMiddle(app: Celeriac, world: World): void {
  const untilMs = world.clock.nowMs() + 900_000;
  const find = app.registry.find.bind(app.registry);
  let turn = 0;
  app.registry.find = (name) => {
    if (!world.faults.inInvocation) return find(name);
    if (name === 'gone') return undefined;
    if (name !== 'late' || world.clock.nowMs() >= untilMs) return find(name);
    turn += 1;
    return turn % 2 === 0 ? undefined : find(name);
  };
}

/** No function that is given a message of the queue `poison` lives to say a word, until the lost queue has marked it. */
function poisonWorkers({ broker, faults }: World): void {
  const receive = broker.receive.bind(broker);
  let poisoned = false;
  broker.receive = (queue, max) => {
    const batch = receive(queue, queue === 'poison' ? 1 : max);
    poisoned = queue === 'poison' && batch.some(({ body }) => !isMarked(body));
    return batch;
  };
  const newInvocation = faults.newInvocation.bind(faults);
  faults.newInvocation = () => Object.assign(newInvocation(), poisoned ? { dead: true } : {});
}

function isMarked(body: string): boolean {
  const { headers } = JSON.parse(Buffer.from(body, 'base64').toString()) as {
    readonly headers: { readonly celeriac?: { readonly lost?: string } };
  };
  return headers.celeriac?.lost !== undefined;
}

/** Entries of every way, in zones of their own. `catchUp: 'all'`: a sweeper that died must not cost a tick. */
function declareTicks(app: Celeriac, ledger: Notes, nowMs: () => number): void {
  const tick = app.task('tick', { bind: true }, (self) => {
    const { schedule, id } = self.request;
    if (schedule !== undefined)
      ledger.ticks.push({ entry: schedule.entry, scheduledMs: schedule.scheduledTime.getTime(), id, atMs: nowMs() });
  });
  app.task(STORED_TASK, { bind: true }, (self) => {
    const { schedule, id, retries: attempt } = self.request;
    ledger.run({ key: id, id, attempt, prev: undefined, atMs: nowMs() }, false);
    if (schedule?.scheduledTime !== undefined)
      ledger.ticks.push({ entry: schedule.entry, scheduledMs: schedule.scheduledTime.getTime(), id, atMs: nowMs() });
  });
  app.beat({
    rule: { task: tick.s(), schedule: crontab({ minute: '*/7' }, { timezone: 'UTC' }) },
    berlin: { task: tick.s(), schedule: crontab({ minute: '*/5' }), catchUp: 'all' },
    newYork: {
      task: tick.s(),
      schedule: crontab({ minute: '10,40' }, { timezone: 'America/New_York' }),
      catchUp: 'all',
    },
    berlinFixed: { task: tick.s(), schedule: crontab({ minute: 30, hour: 2 }), catchUp: 'all' },
    newYorkFixed: {
      task: tick.s(),
      schedule: crontab({ minute: 30, hour: 1 }, { timezone: 'America/New_York' }),
      catchUp: 'all',
    },
    newYorkGap: {
      task: tick.s(),
      schedule: crontab({ minute: 30, hour: 2 }, { timezone: 'America/New_York' }),
      catchUp: 'all',
    },
    heart: { task: tick.s(), schedule: every('20s'), catchUp: 'all' },
  });
}
