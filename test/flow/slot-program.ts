/** Tasks that want slots, in a world where everything goes wrong: what must hold of them, told by what broke it. */
import { Celeriac, currentTask, Reject, silentLogger } from 'celeriac';
import { type Faults, World } from 'celeriac/testing';

import type { Clock } from '../../lib/base/time.ts';
import { slotsKey } from '../../lib/ports/slot-keys.ts';
import { PUMP_TASK } from '../../lib/canvas/own-tasks.ts';
import type { SlotStore } from '../../lib/ports/slots.ts';
import { CURRENT_INVOCATION } from '../../lib/testing/simulated-invocation.ts';
import { seededRandom } from '../../lib/testing/seeded.ts';
import { watchLines } from './slot-lines.ts';
import { watchOrder } from './slot-order.ts';

export interface Program {
  readonly seed: number;
  readonly tasks: number;
  readonly limit: number;
  readonly keys: number;
  readonly fifo: boolean;
  readonly idempotent: boolean;
  /** Each request for slots takes up to so long, there and back: what others do comes in between. */
  readonly latencyMs: number;
  /** Whether the messages that look for dead holders do anything. */
  readonly looksAfter: boolean;
  /** So many more come when the lease of a holder has just ended, and others wait: that slot is theirs. */
  readonly newcomers: number;
  readonly faults: Faults;
}

interface Running {
  readonly n: number;
  readonly key: number;
  /** When its invocation is ended. */
  readonly untilMs: number;
  readonly isDead: () => boolean;
}

export interface Outcome {
  /** What must not be; empty where all is well. */
  readonly broken: readonly string[];
  /** Tasks in the order of their first starts, by key. */
  readonly starts: readonly (readonly number[])[];
  readonly endMs: number;
}

const START_MS = Date.parse('2030-01-01T00:00:00Z');
const INVOCATION_SECONDS = 60;
// Longer than what a limit can need for all tasks, one after another, with an hour for each that is lost.
const LONGEST_DAYS = 30;

export async function runProgram({
  seed,
  tasks,
  limit,
  keys,
  fifo,
  idempotent,
  latencyMs,
  looksAfter,
  newcomers,
  faults,
}: Program): Promise<Outcome> {
  const random = seededRandom(seed);
  const draw = (count: number): number => Math.floor(random.next() * count);
  const ofLatency = seededRandom(seed + 7);
  const latency = (): number => Math.floor(ofLatency.next() * (latencyMs + 1));
  const app = new Celeriac('slots', { queues: { default: { fifo } }, logger: silentLogger });
  const broken: string[] = [];
  const running = new Set<Running>();
  const starts: number[][] = Array.from({ length: keys }, () => []);
  const task = app.task(
    'work',
    {
      concurrency: { limit, key: (_n: number, key: number) => `key ${key}` },
      maxDeliveries: 100,
      maxRetries: null,
      idempotent,
    },
    async (n: number, key: number, seconds: number, retries: number, requeued: boolean) => {
      const context = currentTask();
      const nowMs = world.clock.nowMs();
      const invocation = CURRENT_INVOCATION.getStore();
      const run = { n, key, untilMs: nowMs + context.remainingTime() * 1000, isDead: () => invocation?.dead === true };
      const live = [...running].filter((other) => other.key === key && !other.isDead() && other.untilMs > nowMs);
      if (live.length >= limit)
        broken.push(`task ${n} starts beside ${live.map((other) => other.n).join(', ')} of key ${key}`);
      if (!idempotent && live.some((other) => other.n === n)) broken.push(`task ${n} runs twice at once`);
      if (starts[key]?.includes(n) === false) starts[key].push(n);
      running.add(run);
      try {
        await world.clock.sleep(seconds * 1000);
        if (requeued && !context.request.deliveryInfo.redelivered) throw new Reject('again', { requeue: true });
        if (context.request.retries < retries) context.retry({ countdown: 1 });
        return n;
      } finally {
        running.delete(run);
      }
    },
  );
  if (!looksAfter) Object.assign(app.registry.find(PUMP_TASK) ?? {}, { run: () => undefined });
  using world = new World(app, {
    seed,
    faults,
    start: new Date(START_MS),
    invocation: INVOCATION_SECONDS,
    maxReceiveCount: 1000,
    wrapPorts: (ports) =>
      ports.slots === undefined ? ports : { ...ports, slots: slow(ports.slots, latency, ports.clock) },
  });
  // One that stands still for minutes hands over as it saw the line before.
  if ((faults.freeze ?? 0) === 0 && world.ports.slots !== undefined) watchOrder(world.ports.slots, world.clock, broken);
  if (world.ports.slots !== undefined) watchLines(world.ports.slots, world.clock, broken);
  const results: { readonly n: number; readonly id: string }[] = [];
  for (let n = 0; n < tasks; n += 1) {
    const args = [
      n,
      draw(keys),
      1 + draw(latencyMs === 0 ? 15 : 3),
      random.next() < 0.2 ? 1 : 0,
      random.next() < 0.2,
    ] as [number, number, number, number, boolean];
    const { id } = await task.applyAsync(args, fifo ? { groupKey: `group-${draw(3)}` } : {});
    results.push({ n, id });
    await world.advance(random.next() < 0.8 ? 0.001 : draw(20));
  }
  const ofNewcomers = seededRandom(seed + 11);
  for (let n = tasks; n < tasks + newcomers; n += 1) {
    const key = Math.floor(ofNewcomers.next() * keys);
    const { holders } = (await world.ports.slots?.read(slotsKey(`work#key ${key}`))) ?? { holders: new Map() };
    const lapseMs = Math.min(...[...holders.values()].map(({ leaseMs }) => leaseMs));
    const inMs = Math.max(0, lapseMs < Infinity ? lapseMs - world.clock.nowMs() : 0) + ofNewcomers.next() * 2000;
    await world.advance(Math.ceil(inMs) / 1000);
    results.push({ n, id: (await task.applyAsync([n, key, 1, 0, false])).id });
  }
  await world.drain(`${LONGEST_DAYS}d`);
  // A worker that died with a message that another has deleted holds its slot as long as it lives.
  await world.advance(2 * INVOCATION_SECONDS);
  const records = new Map(world.backend.all().map((record) => [record.id, record]));
  for (const { n, id } of results) {
    const status = records.get(id)?.status;
    // A store that takes its time leaves a run less than it needs.
    const ended = status === 'SUCCESS' || records.get(id)?.meta?.includes('TIME_LIMIT_EXCEEDED') === true;
    if (!ended) broken.push(`task ${n} ended as ${status}: ${records.get(id)?.meta}`);
  }
  for (let key = 0; key < keys; key += 1) {
    const name = slotsKey(`work#key ${key}`);
    const { holders, line } = (await world.ports.slots?.read(name)) ?? { holders: new Map() };
    const live = [...holders.values()].filter(({ leaseMs }) => leaseMs >= world.clock.nowMs());
    if (live.length > 0) broken.push(`a slot of key ${key} is held by ${live.map(({ by }) => by).join(', ')}`);
    if (line !== undefined) broken.push(`a line of key ${key} is left`);
    const waiting = (await world.ports.slots?.line(name, 100)) ?? [];
    // What a worker writes that goes on after its deadline may be of tasks that have ended.
    if (waiting.length > 0 && (faults.freeze ?? 0) === 0)
      broken.push(`${waiting.map(({ holder }) => holder).join(', ')} wait for key ${key}`);
  }
  return { broken, starts, endMs: world.clock.nowMs() - START_MS };
}

function slow(slots: SlotStore, latency: () => number, clock: Clock): SlotStore {
  return new Proxy(slots, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...args: readonly unknown[]) => {
        await clock.sleep(latency());
        const answer: unknown = await Reflect.apply(value, target, args);
        await clock.sleep(latency());
        return answer;
      };
    },
  });
}

export const FAULTS: Faults = {
  duplicate: 0.1,
  reorder: 0.2,
  doubledBatch: 0.1,
  error: 0.03,
  lostResponse: 0.03,
  partialFailure: 0.03,
  crash: 0.01,
  freeze: 0.01,
  killBeforeCommit: 0.02,
  throttledBatch: 0.05,
  clockSkewSeconds: 1,
};

/** Of a seed alone: what is drawn in one way here is drawn so everywhere. */
export function programOf(seed: number): Program {
  const newcomers = seed % 8 === 1 && seed % 5 !== 0 ? 4 : 0;
  return {
    seed,
    tasks: 3 + (seed % 12),
    limit: 1 + (seed % 3),
    keys: 1 + (Math.floor(seed / 3) % 2),
    fifo: seed % 5 === 0,
    idempotent: seed % 7 === 0,
    latencyMs: seed % 2 === 0 ? 0 : 400,
    looksAfter: true,
    newcomers,
    faults: seed % 4 === 1 ? { ...FAULTS, freeze: 0 } : FAULTS,
  };
}
