/** Tasks that do their work under a lock of `app.locks`, longer than it lasts without renewals; and what must be true of it. */
import { type Celeriac, enqueue, LockLost } from 'celeriac';
import type { World } from 'celeriac/testing';

import type { Random } from '../../../lib/base/time.ts';
import type { Ledger } from './ledger.ts';

const LINES = 2;
const TASKS = 14;
const TTL_SECONDS = 20;
const WAIT_SECONDS = 25;
const LONGEST_SECONDS = 50;
// Two for clocks that differ, and the warning comes one earlier.
const MARGIN_MS = 3000;

/** Time in which somebody relied on a lock. */
interface Hold {
  readonly id: string;
  readonly line: string;
  readonly token: number;
  readonly fromMs: number;
  toMs: number;
}

export class Guards {
  readonly #ledger: Ledger;
  readonly #app: Celeriac;
  readonly #call: (line: string, seconds: number, waits: boolean, taskId: string) => Promise<unknown>;
  readonly #holds: Hold[] = [];
  readonly #ids: string[] = [];
  /** What has been written under each lock, where the greatest token counts. */
  readonly #written = new Map<string, { token: number; open: string | undefined }>();
  #world: World | undefined;
  /** Nothing is in the way. */
  punctual = false;

  /** Declares its task. */
  constructor(app: Celeriac, ledger: Ledger, queue: string) {
    this.#ledger = ledger;
    this.#app = app;
    const task = app.task(
      'guarded',
      {
        bind: true,
        queue,
        timeLimit: 200,
        // Whatever keeps it from its lock, or takes it away.
        autoretryFor: [Error],
        maxRetries: 40,
        retryBackoff: 20,
        retryBackoffMax: 600,
        maxDeliveries: 100,
      },
      (self, line: string, seconds: number, waits: boolean) => this.#work(self.request.id, line, seconds, waits),
    );
    this.#call = (line, seconds, waits, taskId) => enqueue(task, [line, seconds, waits], { taskId });
  }

  plan(world: World, random: Random, withinMs: number): void {
    this.#world = world;
    const int = (limit: number): number => Math.floor(random.next() * limit);
    let atMs = 0;
    for (let n = 0; n < TASKS; n += 1) {
      atMs = int(3) === 0 ? int(withinMs) : atMs + int(10_000);
      const [line, seconds, waits] = [`lock ${int(LINES)}`, 1 + int(LONGEST_SECONDS), int(2) === 0] as const;
      const id = `g${n}`;
      this.#ids.push(id);
      world.clock.schedule(atMs, () => void this.#call(line, seconds, waits, id));
    }
  }

  async #work(id: string, line: string, seconds: number, waits: boolean): Promise<void> {
    const { clock } = this.#world as World;
    const work = this.#app.locks.with(
      line,
      { ttl: TTL_SECONDS, ...(waits ? { wait: WAIT_SECONDS } : {}) },
      async (lock) => {
        const hold: Hold = { id, line, token: lock.token, fromMs: clock.nowMs(), toMs: Infinity };
        this.#holds.push(hold);
        const over = (): void => void (hold.toMs = Math.min(hold.toMs, clock.nowMs()));
        lock.signal.addEventListener('abort', over);
        this.#write(hold, true);
        await clock.sleep(seconds * 1000, lock.signal);
        over();
        lock.signal.throwIfAborted();
        this.#write(hold, false);
      },
    );
    await work.catch((error: unknown) => {
      if (this.punctual && LockLost.is(error))
        this.#ledger.violate('a lock that is renewed stays', `${id}: ${String(error)}`, id);
      throw error;
    });
  }

  /** Refuses smaller tokens, as whatever is written to under a lock should: then each work is whole. */
  #write({ id, line, token }: Hold, begins: boolean): void {
    const stands = this.#written.get(line) ?? { token: -1, open: undefined };
    if (token < stands.token) return;
    if (begins ? token === stands.token : stands.open !== `${id} ${token}`)
      this.#ledger.violate('tokens tell holders apart', `${line}: ${id} with ${token}, after ${stands.open}`, id);
    this.#written.set(line, { token, open: begins ? `${id} ${token}` : undefined });
  }

  async check(world: World, slackMs: number): Promise<void> {
    const { facts } = this.#ledger;
    const told: Ledger['violate'] = (...violation) => this.#ledger.violate(...violation);
    for (const [index, hold] of this.#holds.entries())
      for (const later of this.#holds.slice(index + 1)) {
        if (later.line !== hold.line) continue;
        if (later.token <= hold.token)
          told('tokens rise', `${later.token} of ${later.id} after ${hold.token} of ${hold.id}`, later.id);
        if (later.fromMs < hold.toMs - Math.max(0, slackMs - MARGIN_MS))
          told(
            'one holds a lock at a time',
            `${later.id} from ${later.fromMs}, ${hold.id} until ${hold.toMs}`,
            later.id,
          );
      }
    for (const id of this.#ids)
      if (facts.end(id)?.state !== 'SUCCESS') told('no lock is held for ever', `${id} is ${facts.end(id)?.state}`, id);
    for (let n = 0; n < LINES; n += 1) {
      const lock = await world.app.locks.acquire(`lock ${n}`, { ttl: TTL_SECONDS });
      if (lock === null) told('no lock is held for ever', `lock ${n}`);
      else if (!(await lock.release())) told('no lock is held for ever', `lock ${n} is not given back`);
    }
  }
}
