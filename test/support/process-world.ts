/** Worker processes on memory's ports and a clock that the test moves. */
import { Celeriac, type Logger, type QueueOptions } from 'celeriac';
import { countingIds, ManualClock, seededRandom } from 'celeriac/testing';

import {
  MemoryBackend,
  MemoryBroker,
  MemoryCeleryGroups,
  MemoryGroups,
  MemoryHistory,
  MemoryIntake,
  MemoryLocks,
  MemoryMarks,
  MemoryPauses,
  MemoryRates,
  MemorySchedules,
  MemorySlots,
  MemoryTimers,
} from '../../lib/memory/index.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { ProcessParts, ProcessWorkerOptions } from '../../lib/process/process-options.ts';
import { ProcessWorker } from '../../lib/process/process-worker.ts';
import { realTurn } from '../../lib/testing/real-time.ts';

const START_MS = Date.parse('2030-01-01T00:00:00Z');
// What follows from one moment, before time goes on.
const TURNS = 6;

export class ProcessWorld {
  readonly clock: ManualClock = new ManualClock(START_MS);
  readonly app: Celeriac;
  readonly broker: MemoryBroker;
  readonly backend: MemoryBackend = new MemoryBackend();
  readonly slots: MemorySlots = new MemorySlots();
  readonly pauses: MemoryPauses = new MemoryPauses();
  readonly history: MemoryHistory = new MemoryHistory();
  readonly ports: Ports;
  readonly lines: string[] = [];
  #count = 0;

  constructor(queues: Readonly<Record<string, QueueOptions>>) {
    const { clock } = this;
    this.app = new Celeriac('process', { queues });
    const ids = countingIds(1);
    this.broker = new MemoryBroker({ clock, ids, queues: this.app.settings.queues, visibilitySeconds: 90 });
    const logger: Logger = { log: (level, message) => void this.lines.push(`${level} ${message}`) };
    this.ports = {
      broker: this.broker,
      backend: this.backend,
      timers: new MemoryTimers({ shards: this.app.settings.timerShards }),
      schedules: new MemorySchedules(),
      groups: new MemoryGroups(),
      celeryGroups: new MemoryCeleryGroups(),
      marks: new MemoryMarks(),
      locks: new MemoryLocks(),
      rates: new MemoryRates(),
      slots: this.slots,
      pauses: this.pauses,
      history: this.history,
      clock,
      ids,
      random: seededRandom(1),
      logger,
    };
    this.app.use(this.ports);
  }

  /** Seconds since the beginning. */
  at(): number {
    return (this.clock.nowMs() - START_MS) / 1000;
  }

  /** Starts a worker process. @param parts in the place of the world's, for faults */
  start(options: Partial<ProcessWorkerOptions> = {}, parts: Partial<ProcessParts> = {}): ProcessWorker {
    this.#count += 1;
    const { app, ports, broker, clock, backend } = this;
    const worker = new ProcessWorker(
      { app, ports, leases: backend, intake: new MemoryIntake(broker, clock), ...parts },
      { concurrency: 10, leaseSeconds: 60, name: `worker-${this.#count}`, ...options },
    );
    void worker.run();
    return worker;
  }

  /** A process that can be killed: nothing that it does reaches anybody any more. */
  startMortal(options: Partial<ProcessWorkerOptions> = {}): { readonly worker: ProcessWorker; kill(): void } {
    const dead = new AbortController();
    const mortal = <T extends object>(port: T): T =>
      new Proxy(port, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: readonly unknown[]): unknown =>
            dead.signal.aborted ? new Promise(() => {}) : Reflect.apply(value, target, args);
        },
      });
    const { ports, broker, backend, slots, history, clock } = this;
    const own = {
      ...ports,
      broker: mortal(broker),
      backend: mortal(backend),
      slots: mortal(slots),
      history: mortal(history),
    };
    const intake = mortal(new MemoryIntake(broker, clock));
    const worker = this.start(options, { ports: own, leases: mortal(backend), intake });
    return { worker, kill: () => dead.abort() };
  }

  async advance(seconds: number): Promise<void> {
    const endMs = this.clock.nowMs() + seconds * 1000;
    for (;;) {
      for (let turn = 0; turn < TURNS; turn += 1) await realTurn();
      const nextMs = this.clock.nextMs();
      if (nextMs === undefined || nextMs > endMs) break;
      this.clock.moveTo(nextMs);
    }
    this.clock.moveTo(endMs);
    for (let turn = 0; turn < TURNS; turn += 1) await realTurn();
  }

  /** Until `work` is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    for (let seconds = 0; !isOver && seconds < 86_400; seconds += 1) await this.advance(1);
    return over;
  }
}
