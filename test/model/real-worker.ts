/** The worker's own code, held at each point where the model takes a step: claim, run, commit, conclude, send. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import type { OutgoingMessage, SendOutcome } from '../../lib/ports/broker.ts';
import type { TaskRecord } from '../../lib/ports/backend.ts';
import { RETRY, SUCCESS } from '../../lib/base/states.ts';
import { consume } from '../../lib/worker/consume.ts';
import { tapped } from '../support/port-taps.ts';
import { DEAD_LETTER, type Variant } from './state.ts';

const HELD = new Set(['backend.claim', 'backend.commit', 'backend.conclude', 'broker.send']);
const INVOCATION_MS = 300_000;
const LONGER_THAN_A_LEASE_MS = 1_000_000;
const ID = 'task';
const HERE = new AsyncLocalStorage<RealDelivery>();

/** One invocation with one message. */
export class RealDelivery {
  #dead = false;
  #held: { readonly call: string; readonly go: () => void } | undefined;
  /** How the invocation ended. */
  ended: 'ack' | 'keep' | undefined;

  /** What it waits to do. */
  get next(): string | undefined {
    return this.#held?.call;
  }

  /** Does it, and comes to the next. */
  async step(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    held?.go();
    await quiet();
  }

  /** Nothing that it does from now on has any effect. */
  crash(): void {
    this.#dead = true;
    this.#held = undefined;
  }

  hold<T>(call: string, go: () => T): Promise<T> {
    if (this.#dead) return new Promise<never>(() => {});
    return new Promise((resolve) => {
      this.#held = { call, go: () => resolve(go()) };
    });
  }

  get dead(): boolean {
    return this.#dead;
  }
}

async function quiet(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export class RealWorker {
  readonly #world: World;
  readonly #bodies = new Map<number, string>();
  /** What settling sent, by the model's names, each as often as it was sent. */
  readonly sent: string[] = [];
  /** By attempt. */
  readonly runs: number[];

  private constructor(world: World, runs: number[]) {
    this.#world = world;
    this.runs = runs;
  }

  static async start(variant: Variant): Promise<RealWorker> {
    const app = new Celeriac('agreement');
    const runs = variant.outcomes.map(() => 0);
    const { acksLate, maxDeliveries } = variant;
    const options = { bind: true, acksLate, maxDeliveries, maxRetries: 9, retryJitter: false } as const;
    const work = app.task('work', options, async (self) => {
      const { retries } = self.request;
      await HERE.getStore()?.hold('run', () => (runs[retries] = (runs[retries] ?? 0) + 1));
      const status = variant.outcomes[retries];
      if (status === RETRY) throw self.retry({ countdown: 0 });
      if (status !== SUCCESS) throw new Error('as told');
    });
    const link = app.task('link', () => {});
    const errback = app.task('errback', () => {});
    const world = new World(app, { patienceMs: 0 });
    await work.applyAsync([], { taskId: ID, link: link.si(), linkError: errback.si() });
    const worker = new RealWorker(world, runs);
    worker.#bodies.set(0, world.broker.peekAll('default')[0]?.body ?? '');
    return worker;
  }

  record(): Promise<TaskRecord | undefined> {
    return this.#world.backend.get([ID], this.#world.clock.nowMs()).then(([record]) => record);
  }

  revoke(): Promise<unknown> {
    return this.#world.app.result(ID).revoke();
  }

  endLease(): void {
    this.#world.clock.moveTo(this.#world.clock.nowMs() + LONGER_THAN_A_LEASE_MS);
  }

  /** Receives a message of an attempt, and stands before its claim. */
  async receive(owner: string, attempt: number): Promise<RealDelivery> {
    const process = new RealDelivery();
    const ports = tapped(
      this.#world.ports,
      (call, go, args) => {
        if (process.dead) return new Promise<never>(() => {});
        // Only spares work: the model has no such note.
        if (call === 'backend.noteSettled' || call === 'broker.changeVisibility') return Promise.resolve();
        if (call === 'broker.send') return process.hold(call, () => this.#send(args[0] as OutgoingMessage[], attempt));
        return HELD.has(call) ? process.hold(call, go) : go();
      },
      ['backend', 'broker', 'timers'],
    );
    const body = this.#bodies.get(attempt) ?? '';
    const delivery = { messageId: owner, receipt: owner, body, queue: 'default', receiveCount: 1 };
    const invocation = { requestId: owner, deadlineMs: this.#world.clock.nowMs() + INVOCATION_MS };
    void HERE.run(process, async () => {
      const { batchItemFailures } = await consume([delivery], invocation, this.#world.app, ports);
      process.ended = batchItemFailures.length === 0 ? 'ack' : 'keep';
    });
    await quiet();
    return process;
  }

  #send(items: readonly OutgoingMessage[], attempt: number): Promise<SendOutcome[]> {
    for (const item of items) {
      const { task, retries } = decodeMessage(item.body);
      if (item.deadLetter === true) this.sent.push(DEAD_LETTER);
      else if (task !== 'work') this.sent.push(task);
      else {
        this.sent.push('retry');
        if (retries !== attempt + 1) throw new Error(`Attempt ${attempt} sent attempt ${retries}.`);
        this.#bodies.set(retries, item.body);
      }
    }
    return Promise.resolve(items.map(() => ({ ok: true, messageId: 'sent' })));
  }
}
