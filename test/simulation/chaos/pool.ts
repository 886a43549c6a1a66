/** Worker processes, killed with SIGKILL at random and replaced. */
import { type ChildProcess, fork } from 'node:child_process';
import { resolve } from 'node:path';

import type { BatchResponse, Delivery, Invocation } from 'celeriac';

import type { Random } from '../../../lib/base/time.ts';
import type { FaultCounts } from '../../support/fault-kinds.ts';
import type { Ledger, Run } from '../world/ledger.ts';

type Told =
  | { readonly kind: 'run'; readonly run: Omit<Run, 'order'>; readonly atMostOnce: boolean }
  | { readonly kind: 'answer'; readonly id: number; readonly response: BatchResponse; readonly counts: FaultCounts };

interface Worker {
  readonly process: ChildProcess;
  readonly waiting: Map<
    number,
    { readonly resolve: (response: BatchResponse) => void; readonly reject: (error: Error) => void }
  >;
  counts: FaultCounts | undefined;
}

export class WorkerPool {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #conditions: readonly string[];
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #workers: Worker[] = [];
  readonly network: FaultCounts = {};
  kills = 0;
  #batches = 0;
  #killing: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** @param sdk As in `bundling` of TaskService. */
  constructor(
    size: number,
    sdk: 'lean' | 'full',
    environment: Readonly<Record<string, string>>,
    ledger: Ledger,
    random: Random,
  ) {
    this.#environment = environment;
    this.#conditions = ['@celeriac/source', ...(sdk === 'lean' ? ['@celeriac/lean'] : [])];
    this.#ledger = ledger;
    this.#random = random;
    for (let count = 0; count < size; count += 1) this.#workers.push(this.#start());
  }

  consume(deliveries: readonly Delivery[], invocation: Invocation): Promise<BatchResponse> {
    const worker = this.#workers[Math.floor(this.#random.next() * this.#workers.length)];
    if (worker === undefined) return Promise.reject(new Error('no worker'));
    this.#batches += 1;
    const id = this.#batches;
    return new Promise((accept, reject) => {
      worker.waiting.set(id, { resolve: accept, reject });
      worker.process.send({ id, deliveries, invocation });
    });
  }

  /** Kills one every so often, until told to stop. */
  rage(meanMs: number): void {
    this.#killing = setTimeout(
      () => {
        const index = Math.floor(this.#random.next() * this.#workers.length);
        this.#workers[index]?.process.kill('SIGKILL');
        this.kills += 1;
        this.#workers[index] = this.#start();
        this.rage(meanMs);
      },
      meanMs * (0.2 + 1.6 * this.#random.next()),
    );
  }

  calm(): void {
    clearTimeout(this.#killing);
  }

  stop(): void {
    this.#stopped = true;
    this.calm();
    for (const { process: child } of this.#workers) child.kill('SIGKILL');
  }

  #start(): Worker {
    const child = fork(resolve(import.meta.dirname, 'worker.ts'), [], {
      execArgv: this.#conditions.map((condition) => `--conditions=${condition}`),
      env: { ...process.env, ...this.#environment },
    });
    const worker: Worker = { process: child, waiting: new Map(), counts: undefined };
    child.on('message', (message) => this.#hear(worker, message as Told));
    child.on('exit', () => {
      for (const { reject } of worker.waiting.values()) reject(new Error('the worker was killed'));
      for (const [kind, count] of Object.entries(worker.counts ?? {}) as [keyof FaultCounts, number][])
        this.network[kind] = (this.network[kind] ?? 0) + count;
    });
    child.on('error', (error) => {
      if (!this.#stopped) throw error;
    });
    return worker;
  }

  #hear(worker: Worker, message: Told): void {
    if (message.kind === 'run')
      this.#ledger.run({ ...message.run, prev: message.run.prev ?? undefined }, message.atMostOnce);
    else {
      worker.counts = message.counts;
      worker.waiting.get(message.id)?.resolve(message.response);
      worker.waiting.delete(message.id);
    }
  }
}
