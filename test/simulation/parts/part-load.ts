/** An app whose tasks go on in parts as jobs say, and tell the ledger of it. */
import {
  type AnySignature,
  Celeriac,
  chain,
  chord,
  Reject,
  silentLogger,
  type TaskContext,
  type TaskOptions,
} from 'celeriac';
import type { World } from 'celeriac/testing';

import { CURRENT_INVOCATION } from '../../../lib/testing/simulated-invocation.ts';
import {
  FIFO_TASKS,
  type Job,
  JOB_TASKS,
  type JobState,
  type JobTask,
  LOCKED_TASKS,
  MAX_DELIVERIES,
  MAX_RETRIES,
  maxPartsOf,
  nextSum,
  type PartPlan,
  SHORT_SECONDS,
  sumAfter,
} from './jobs.ts';
import type { PartLedger, PartRun } from './part-ledger.ts';

const key = (...args: unknown[]): string => (args.at(-1) as Job).line;
const LOCKED: Readonly<Record<JobTask, TaskOptions>> = {
  free: {},
  slot: { concurrency: { limit: 1, key } },
  alone: { oneInstance: { key, whenLocked: 'wait' } },
  left: { oneInstance: { key } },
  short: { timeLimit: SHORT_SECONDS },
  few: {},
  ordered: { queue: 'ordered' },
  turn: { queue: 'ordered', concurrency: { limit: 1, key } },
};
// Longer than any part may last.
const FOR_EVER_MS = 3_600_000;

interface Signed {
  signature(args: readonly unknown[]): { set(options: object): AnySignature };
}

export interface PartLoad {
  readonly app: Celeriac;
  /** What bodies of chords were given, by their task's id. */
  readonly bodies: Map<string, unknown[]>;
  /** Ids of tasks whose retry, and whose success, was told. */
  readonly told: { readonly retry: Set<string>; readonly success: Set<string> };
  /** Jobs that may go on: somebody has redriven them. */
  readonly redriven: Set<string>;
  world: World | undefined;
  /** Ids of its tasks are the keys of its jobs. */
  build(plan: PartPlan): AnySignature;
}

export function partLoad(ledger: PartLedger): PartLoad {
  const app = new Celeriac('parts', {
    logger: silentLogger,
    queues: { default: {}, ordered: { fifo: true } },
    resultExpires: '90d',
  });
  const bodies = new Map<string, unknown[]>();
  const told = { retry: new Set<string>(), success: new Set<string>() };
  app.on('taskRetry', ({ id }) => void told.retry.add(id));
  app.on('taskSuccess', ({ id }) => void told.success.add(id));
  const body = app.task('body', { bind: true }, (self, values: unknown) => {
    bodies.set(self.request.id, [...(bodies.get(self.request.id) ?? []), values]);
    return values;
  });
  const child = app.task('child', (_of: string) => {});
  const deaths = new Map<string, number>();
  const load: PartLoad = { app, bodies, told, redriven: new Set(), world: undefined, build };

  async function run(self: TaskContext, args: readonly unknown[]): Promise<unknown> {
    const job = args.at(-1) as Job;
    const given = args.length > 1 ? args[0] : undefined;
    const { id, retries } = self.request;
    const line = LOCKED_TASKS.has(job.task) ? `${job.task} ${job.line}` : undefined;
    const begun = ledger.begins(id, line, {
      part: self.part,
      state: self.state,
      retries,
      maxParts: maxPartsOf(job.task),
    });
    try {
      return await new JobRun(self, job, begun).run(given);
    } finally {
      begun.over = true;
    }
  }

  class JobRun {
    readonly #self: TaskContext;
    readonly #job: Job;
    readonly #begun: PartRun;
    /** Steps made by this function. */
    #made = 0;

    constructor(self: TaskContext, job: Job, begun: PartRun) {
      this.#self = self;
      this.#job = job;
      this.#begun = begun;
    }

    async run(given: unknown): Promise<number> {
      const { key: name, steps, stepSeconds, goOnEvery } = this.#job;
      const self = this.#self;
      const begin: JobState = { at: 0, sum: sumAfter(name, given, 0), children: [] };
      let state = (self.state as JobState | undefined) ?? begin;
      while (state.at < steps) {
        const children = await this.#twist(state);
        await world().clock.sleep(stepSeconds * 1000);
        this.#made += 1;
        const at = state.at + 1;
        state = { at, sum: nextSum(state.sum, at), children };
        if (goOnEvery > 0 && at % goOnEvery === 0) throw self.goOn(state);
        await self.checkpoint(state);
        ledger.answered(self.request.id, at);
      }
      return state.sum;
    }

    async #twist({ at, children }: JobState): Promise<readonly string[]> {
      const { twist, key: name } = this.#job;
      const self = this.#self;
      if (twist.kind === 'none' || twist.at !== at) return children;
      if (twist.kind === 'fail') throw new TypeError('as told');
      if (twist.kind === 'reject' && !load.redriven.has(name)) throw new Reject('as told');
      if (twist.kind === 'retry' && self.request.retries < twist.times) {
        ledger.retries(this.#begun);
        throw self.retry({ countdown: 3 });
      }
      const isStuck = twist.kind === 'stuck' || (twist.kind === 'hang' && this.#made > 0);
      if (isStuck) await world().clock.sleep(FOR_EVER_MS);
      if (twist.kind === 'die' && (deaths.get(name) ?? 0) < twist.times) {
        deaths.set(name, (deaths.get(name) ?? 0) + 1);
        await killWorker();
      }
      return twist.kind === 'spawn' ? [...children, (await child.delay(name)).id] : children;
    }
  }

  const world = (): World => load.world as World;
  const tasks = Object.fromEntries(
    JOB_TASKS.map((name) => [
      name,
      app.task(
        name,
        {
          bind: true as const,
          maxParts: maxPartsOf(name),
          maxDeliveries: MAX_DELIVERIES,
          maxRetries: MAX_RETRIES,
          ...LOCKED[name],
        },
        (self: TaskContext, ...args: unknown[]) => run(self, args),
      ),
    ]),
  ) as unknown as Record<JobTask, Signed>;

  function build({ kind, jobs, expires, countdown }: PartPlan): AnySignature {
    const steps = jobs.map((job) =>
      tasks[job.task].signature([job]).set({
        taskId: job.key,
        ...groupOf(job),
        ...(expires === undefined ? {} : { expires }),
        ...(countdown === undefined ? {} : { countdown }),
      }),
    );
    if (kind === 'chain') return chain(...(steps as unknown as [AnySignature]));
    if (kind === 'chord')
      return chord(steps as never, body.s().set({ taskId: bodyOf(jobs) }) as never) as unknown as AnySignature;
    return steps[0] as AnySignature;
  }
  return load;
}

/** One that takes turns waits for its slot, and not behind others of its group. */
function groupOf({ task, line, key: own }: Job): { readonly groupKey?: string } {
  if (!FIFO_TASKS.has(task)) return {};
  return { groupKey: task === 'turn' ? own : line };
}

export function bodyOf([first]: readonly Job[]): string {
  return `${first?.key}.body`;
}

/** The worker is killed in the middle of its task. */
function killWorker(): Promise<never> {
  const invocation = CURRENT_INVOCATION.getStore();
  if (invocation !== undefined) invocation.dead = true;
  return new Promise<never>(() => {});
}
