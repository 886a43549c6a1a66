/** When virtual time may move: not while a task does real work, and not never. */
import type { TaskContext } from '../task/context.ts';
import type { Invocations } from './invocations.ts';
import type { SimulatedInvocation } from './simulated-invocation.ts';
import type { ManualClock } from './manual-clock.ts';
import { realNowMs, realWait } from './real-time.ts';
import { type Evidence, evidenceOf, watchRealWork, wordsFor, worksOf } from './real-work.ts';
import { WorldStalled } from './world-stalled.ts';

// A task that waits for nothing known is given this long: code that is loaded, for one, shows no trace.
const SILENCE_MS = 20;
// The part of the patience for what may be real work and may be not: an open connection, an interval.
const PERHAPS_PART = 1 / 4;
// Some changes tell nobody: a connection that goes idle, say.
const LOOK_AGAIN_MS = 25;

export class Waiting {
  readonly #clock: ManualClock;
  readonly #runs: Invocations;
  readonly #patienceMs: number;
  #mark = '';
  #sinceMs = 0;
  #wake: () => void = () => {};

  constructor(clock: ManualClock, runs: Invocations, patienceMs: number) {
    this.#clock = clock;
    this.#runs = runs;
    this.#patienceMs = patienceMs;
  }

  /** Watches what is done while `move` runs; nothing is watched when nothing is waited for. */
  async during<R>(move: () => Promise<R>): Promise<R> {
    if (this.#patienceMs === 0) return move();
    this.#mark = '';
    // Kept while anything runs: what a task begins after run() has returned is seen by the next one.
    this.#runs.watch ??= watchRealWork(() => this.#wake());
    try {
      return await move();
    } finally {
      this.#runs.unwatchWhenIdle();
    }
  }

  /**
   * Waits a little, in real time, where a task does real work or may do so. False when time may move.
   *
   * @throws WorldStalled when the patience is over.
   */
  async forRealWork(nextMs: number | undefined): Promise<boolean> {
    if (this.#patienceMs === 0 || !this.#runs.alive) return false;
    const running = this.#runs
      .running()
      .map((invocation) => ({ invocation, evidence: evidenceOf(invocation, this.#patienceMs) }));
    const waitMs = Math.max(...running.map(({ invocation, evidence }) => this.#allowedMs(invocation, evidence)));
    if (waitMs <= 0) {
      if (running.some(({ evidence }) => evidence === 'work')) throw this.#stalled(nextMs);
      return false;
    }
    const before = realNowMs();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await realWait(Math.min(waitMs, LOOK_AGAIN_MS), Promise.race([this.#runs.any(), woken]));
    const tookMs = realNowMs() - before;
    for (const { invocation, evidence } of running)
      if (evidence === 'perhaps' || evidence === 'nothing') invocation.waitedMs[evidence] += tookMs;
    return true;
  }

  #allowedMs(invocation: SimulatedInvocation, evidence: Evidence): number {
    switch (evidence) {
      case 'work':
        return this.#patienceMs - this.#standsMs();
      case 'perhaps':
        return this.#patienceMs * PERHAPS_PART - invocation.waitedMs.perhaps;
      case 'nothing':
        return Math.min(SILENCE_MS, this.#patienceMs) - invocation.waitedMs.nothing;
      case 'asleep':
        return 0;
      default:
        return evidence satisfies never;
    }
  }

  /** Real milliseconds since anything ended, time moved, or a fan-out that takes long has got on. */
  #standsMs(): number {
    const turns = this.#runs.running().reduce((sum, invocation) => sum + invocation.turns, 0);
    const mark = `${this.#clock.nowMs()}/${this.#runs.changes}/${turns}`;
    if (mark !== this.#mark) {
      this.#mark = mark;
      this.#sinceMs = realNowMs();
    }
    return realNowMs() - this.#sinceMs;
  }

  #stalled(nextMs: number | undefined): WorldStalled {
    const lines = this.#runs.running().flatMap((invocation) => linesOf(invocation, this.#patienceMs));
    return new WorldStalled(
      `Real work of a task did not end within ${this.#patienceMs} ms of real time, so virtual time stands at ${isoOf(this.#clock.nowMs())}. Waited for:\n` +
        `${lines.map((line) => `- ${line}`).join('\n')}\n` +
        `${nextMs === undefined ? 'No timer is pending' : `Next in virtual time: ${isoOf(nextMs)}`}. ` +
        "Let the work end, give the world more time with its option patienceMs, or 0 to wait for no real work; inside a task, sleep with the world's clock.",
    );
  }
}

function linesOf(invocation: SimulatedInvocation, patienceMs: number): string[] {
  const nowMs = realNowMs();
  return worksOf(invocation, patienceMs).map((work) => {
    const since = `since ${((nowMs - work.sinceMs) / 1000).toFixed(1)} s`;
    const request = (work.owner as Partial<TaskContext>).request;
    const who = request === undefined ? `a worker of queue '${invocation.queue}'` : `${request.task}[${request.id}]`;
    return `${who}: ${wordsFor(work)}, ${since}`;
  });
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

export function nothingComes(nowMs: number): WorldStalled {
  return new WorldStalled(
    `A test waits for a result, and nothing that could bring it is left at ${isoOf(nowMs)}: no message, no timer, no run. Was its task sent to this app, and has its result not expired (resultExpires)? get({ timeout }) would have ended the wait.`,
  );
}
