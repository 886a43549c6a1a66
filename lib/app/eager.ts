/**
 * Eager mode: what is sent runs in the caller, before the call's answer. The worker runs it and the memory adapters hold
 * its state, so that it ends as it would end in a queue; nothing of the app's own ports is asked. What differs is said
 * where it is decided: look for `app.eager`.
 */
import type { Clock, Ids, Random } from '../base/time.ts';
import { MemoryBackend } from '../memory/memory-backend.ts';
import { MemoryBlobs } from '../memory/memory-blobs.ts';
import { MemoryGroups } from '../memory/memory-groups.ts';
import { MemorySchedules } from '../memory/memory-schedules.ts';
import type { Settings } from '../options/settings.ts';
import type { TaskRecord } from '../ports/backend.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Logger } from '../ports/log.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import type { Eager } from '../results/eager.ts';
import type { Registry } from '../task/registry.ts';
import type { Disposition } from '../worker/attempt.ts';
import { execute } from '../worker/execute.ts';
import { afterError } from '../worker/give-up.ts';
import { createWorker, type Worker } from '../worker/worker.ts';
import { builtinTasks } from './builtin-tasks.ts';
import { EagerClock, EagerQueue } from './eager-queue.ts';

/** Gives what `send` gives, once all that it has sent, and all that follows from it, is done. */
export async function runEager<R>(app: App, send: (eager: App) => Promise<R>): Promise<R> {
  const run = new EagerApp(app);
  const answer = await send(run);
  await run.work();
  return answer;
}

/** The app as one eager call sees it: what is sent by it stays here, and its results are read here. */
class EagerApp implements App, Eager {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly logger: Logger;
  readonly signals: App['signals'];
  readonly errors: Map<string, unknown> = new Map();
  readonly #queue: EagerQueue;
  readonly #ports: Ports;
  readonly #worker: Worker;
  #thrown: { readonly error: unknown } | undefined;

  constructor({ settings, registry, clock, ids, random, logger, signals }: App) {
    this.settings = settings;
    this.signals = signals;
    // What the library's own tasks send stays here too.
    this.registry = registry.withBuiltins(() => builtinTasks(this));
    this.clock = clock;
    this.ids = ids;
    this.random = random;
    this.logger = logger;
    const ownClock = new EagerClock(clock);
    this.#queue = new EagerQueue(ownClock, settings.queues);
    this.#ports = {
      broker: this.#queue,
      blobs: new MemoryBlobs(ownClock),
      timers: this.#queue.timers,
      backend: new EagerBackend(),
      groups: new EagerGroups(),
      schedules: new MemorySchedules(),
      clock: ownClock,
      ids,
      random,
      logger: warningsOf(logger),
    };
    // No deadline: the caller waits, however long it takes.
    this.#worker = createWorker(this, this.#ports, { requestId: 'eager', deadlineMs: Infinity });
  }

  get eager(): Eager {
    return this;
  }

  taskNames(): ReadonlySet<string> {
    return new Set(this.registry.names());
  }

  ports(): Promise<Ports> {
    return Promise.resolve(this.#ports);
  }

  /** What is sent while it runs runs with it. */
  runEager<R>(send: (eager: App) => Promise<R>): Promise<R> {
    return send(this);
  }

  failed(taskId: string, error: unknown): void {
    this.errors.set(taskId, error);
    if (!this.settings.eagerPropagates) return;
    this.#thrown = { error };
    throw error;
  }

  /** Until nothing is left. @throws the error of a task, where the app says `eagerPropagates`. */
  async work(): Promise<void> {
    for (let delivery = this.#queue.take(); delivery !== undefined; delivery = this.#queue.take()) {
      const disposition = await this.#deliver(delivery);
      if (disposition.kind === 'keep') this.#queue.putBack(delivery, disposition.seconds ?? 0);
    }
  }

  async #deliver(delivery: Delivery): Promise<Disposition> {
    try {
      return await execute(delivery, this.#worker);
    } catch (error) {
      if (this.#thrown !== undefined) throw this.#thrown.error;
      return afterError(delivery, this.#worker, error);
    }
  }
}

/** Its results live as long as they are held, and are stored nowhere else: none expires, and none is to be deleted. */
class EagerBackend extends MemoryBackend {
  override get(ids: readonly string[]): Promise<(TaskRecord | undefined)[]> {
    return super.get(ids, 0);
  }

  override forget(): Promise<void> {
    return Promise.resolve();
  }
}

class EagerGroups extends MemoryGroups {
  override forget(): Promise<void> {
    return Promise.resolve();
  }
}

/** The caller sees what its tasks do. Their own lines do not come this way. */
function warningsOf(logger: Logger): Logger {
  return {
    log: (level, message, fields) => {
      if (level === 'warn' || level === 'error') logger.log(level, message, fields);
    },
  };
}
