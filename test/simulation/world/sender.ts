/** Who sends the programs: an API handler that may die in the middle, and who revokes one later. */
import type { AsyncResult, GroupResult } from 'celeriac';
import type { World } from 'celeriac/testing';

import { SimulatedInvocation, CURRENT_INVOCATION } from '../../../lib/testing/simulated-invocation.ts';
import type { Sent } from './check.ts';
import type { Ledger } from './ledger.ts';
import type { Load } from './load.ts';
import { leavesOf, type Program } from './program.ts';
import { pythonGroupOf, sendAsPython } from './python-sender.ts';
import { placeOf } from './refusals.ts';

interface Planned {
  readonly atMs: number;
  readonly key: string;
  readonly id: string;
  readonly terminate: boolean;
}

interface Dying {
  readonly invocation: SimulatedInvocation;
  left: number;
  taken: number;
  /** Where the last went, and how many went there with it in one request. */
  destination: string;
  together: number;
}

interface Sendable {
  delay(): Promise<AsyncResult | GroupResult>;
}

async function sendAll(sig: Sendable): Promise<readonly string[]> {
  const result = await sig.delay();
  return 'memberIds' in result ? result.memberIds : [result.id];
}

const SQS_BATCH = 10;
// What needs no time is done after so many turns.
const TURNS = 40;

export class Sender {
  readonly #world: World;
  readonly #load: Load;
  readonly #ledger: Ledger;
  readonly sent: Sent[] = [];
  readonly #revokes: Planned[] = [];
  /** Whoever sends now, where it will die, and after how many messages. */
  #dying: Dying | undefined;

  constructor(world: World, load: Load, ledger: Ledger) {
    this.#world = world;
    this.#load = load;
    this.#ledger = ledger;
    this.#watch();
  }

  async send(program: Program): Promise<void> {
    const atMs = this.#world.clock.nowMs();
    const sig = this.#load.build(program) as unknown as Sendable;
    if (program.torn !== undefined) {
      this.sent.push({ program, resultIds: [], atMs, unsent: !(await this.#tear(sig, program.torn)) });
      return;
    }
    this.#refuse(program);
    const resultIds = program.python ? await sendAsPython(program, this.#world, this.#load) : await sendAll(sig);
    this.sent.push({ program, resultIds, atMs });
    const { revoke } = program;
    if (revoke === undefined) return;
    const id = program.explicitIds ? revoke.key : (resultIds[0] ?? '');
    this.#revokes.push({
      atMs: atMs + revoke.afterSeconds * 1000,
      key: revoke.key,
      id,
      terminate: revoke.terminate ?? false,
    });
    await this.#revokeDue(atMs);
  }

  #refuse({ name, tree, refused, python }: Program): void {
    if (refused === undefined) return;
    const { refusals } = this.#ledger.facts;
    refusals.set(refused.key, refused.refusal);
    const index = python && tree.type === 'chord' ? leavesOf(tree).findIndex(({ key }) => key === refused.key) : -1;
    if (index >= 0) refusals.set(placeOf(pythonGroupOf(name), index), refused.refusal);
  }

  /** Moves time on, and revokes on the way what is to be revoked. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#world.clock.nowMs() + ms;
    for (;;) {
      const next = Math.min(untilMs, ...this.#revokes.map(({ atMs }) => atMs));
      if (next >= untilMs) break;
      await this.#world.advance((next - this.#world.clock.nowMs()) / 1000);
      await this.#revokeDue(next);
    }
    await this.#world.advance((untilMs - this.#world.clock.nowMs()) / 1000);
  }

  /** How long until the last that is to be revoked is. */
  get leftMs(): number {
    return Math.max(0, ...this.#revokes.map(({ atMs }) => atMs + 1 - this.#world.clock.nowMs()));
  }

  async #revokeDue(nowMs: number): Promise<void> {
    for (const due of this.#revokes.filter(({ atMs }) => atMs <= nowMs)) {
      this.#revokes.splice(this.#revokes.indexOf(due), 1);
      const { id, key, terminate } = due;
      this.#ledger.facts.revoking(id, nowMs, this.#ledger.runsByKey.get(key)?.length ?? 0, terminate);
      await this.#load.app.result(id).revoke({ terminate });
    }
  }

  /** Whether anything was sent, or is stored to be, before its end. */
  async #tear(sig: Sendable, after: number): Promise<boolean> {
    const { faults, clock } = this.#world;
    const dying: Dying = {
      invocation: new SimulatedInvocation(0),
      left: after,
      taken: 0,
      destination: '',
      together: 0,
    };
    this.#dying = dying;
    const on = faults.on;
    faults.on = false;
    const ended = faults.runInvocation(dying.invocation, async () => sig.delay());
    // Its promise may never be settled: it is dead.
    ended.catch(() => {});
    for (let turn = 0; turn < TURNS; turn += 1) await clock.nextTurn();
    dying.invocation.dead = true;
    faults.on = on;
    this.#dying = undefined;
    return dying.taken > 0;
  }

  /** Counts what the dying one sends. It dies between two requests: what is in one is taken whole. */
  #watch(): void {
    const { broker, timers } = this.#world;
    const count = async <R>(destination: string, run: () => Promise<R>): Promise<R> => {
      const dying = this.#dying;
      // Workers go on meanwhile.
      if (dying === undefined || CURRENT_INVOCATION.getStore() !== dying.invocation) return run();
      const together = destination === dying.destination && dying.together < SQS_BATCH;
      if (!together && dying.left <= 0) dying.invocation.dead = true;
      if (dying.invocation.dead) return new Promise<R>(() => {});
      Object.assign(dying, { destination, together: together ? dying.together + 1 : 1 });
      dying.taken += 1;
      dying.left -= 1;
      return run();
    };
    const send = broker.send.bind(broker);
    broker.send = (items) => count(items.map(({ queue }) => queue).join(','), () => send(items));
    const put = timers.put.bind(timers);
    timers.put = (items) => count('timers', () => put(items));
  }
}
