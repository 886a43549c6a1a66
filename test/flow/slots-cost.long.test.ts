/** What waits costs nothing: no request while nothing ends, and nothing that grows with how many wait. */
import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { DEFAULT_TIMER_SHARDS } from '../../lib/base/limits.ts';
import { slotsKey } from '../../lib/ports/slot-keys.ts';
import type { SlotStore } from '../../lib/ports/slots.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { STATE_TABLE } from '../support/fake-services/services.ts';
import { awsAdapters } from '../support/fake-services/world-adapters.ts';

const RUN_SECONDS = 800;
const QUIET_MINUTES = 10;

interface Crowd {
  readonly keys: number;
  /** Tasks that wait behind each. */
  readonly waiting: number;
}

interface Costs {
  /** While nothing ended. */
  readonly quiet: readonly string[];
  /** Of one sweep. */
  readonly sweep: readonly string[];
  /** Of all that happened when the runs of two keys had ended, the slot handed over and the next one begun. */
  readonly handOver: readonly string[];
  readonly runs: number;
  readonly waiting: number;
}

interface Counted {
  readonly requests: string[];
  readonly options: {
    readonly wrapPorts?: (ports: Ports) => Ports;
    readonly adapters?: ReturnType<typeof awsAdapters>;
  };
}

/** Requests of the ports, in memory. */
function overMemory(): Counted {
  const requests: string[] = [];
  const counted = <T extends object>(of: string, port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]) => {
          requests.push(`${of}.${String(name)}`);
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  // Each run asks its own record whether it was revoked, whoever waits.
  const wrapPorts = ({ broker, timers, schedules, slots, ...ports }: Ports): Ports => ({
    ...ports,
    broker: counted('broker', broker),
    timers: counted('timers', timers),
    schedules: counted('schedules', schedules),
    ...(slots === undefined ? {} : { slots: counted('slots', slots) }),
  });
  return { requests, options: { wrapPorts } };
}

/** Requests of the clients, with how many items each read. */
function overDynamodb(): Counted {
  const requests: string[] = [];
  const adapters = awsAdapters({
    client: (send) => async (command) => {
      const { input } = command as { readonly input: object };
      const answer = await send(command);
      const { Items } = answer as { readonly Items?: readonly unknown[] };
      if ('QueueUrl' in input || JSON.stringify(input).includes(STATE_TABLE))
        requests.push(`${(command as object).constructor.name}${Items === undefined ? '' : ` ${Items.length} items`}`);
      return answer;
    },
  });
  return { requests, options: { adapters } };
}

async function costsOf({ keys, waiting }: Crowd, { requests, options }: Counted): Promise<Costs> {
  const app = new Celeriac('crowd', { logger: silentLogger });
  const runs: number[] = [];
  const task = app.task(
    'work',
    { concurrency: { limit: 1, key: (_n: number, tenant: string) => tenant } },
    async (n: number, _tenant: string, seconds: number) => {
      runs.push(n);
      await world.clock.sleep(seconds * 1000);
    },
  );
  const { adapters, wrapPorts } = options;
  using world = new World(
    app,
    { invocation: '15m', batchSize: 1, ...(wrapPorts === undefined ? {} : { wrapPorts }) },
    adapters,
  );
  const { slots } = world.ports;
  if (slots === undefined) throw new Error('There is no store of slots.');
  // One runs and one waits, by way of the queue; the first two keys end before the others.
  for (let n = 0; n < 2 * keys; n += 1) {
    const tenant = n % keys;
    const seconds = n < 2 ? (QUIET_MINUTES + 1) * 60 : RUN_SECONDS;
    await task.applyAsync([n, `tenant ${tenant}`, seconds]);
    if (n % keys === keys - 1) await world.run();
  }
  // The others stand as that one does; only the first key has no more.
  for (let tenant = 1; tenant < keys; tenant += 1) await standBehind(slots, keyOf(tenant), waiting - 1);
  const between = async (what: () => Promise<unknown>): Promise<string[]> => {
    requests.length = 0;
    await what();
    return [...requests];
  };
  const quiet = await between(() => world.advance(QUIET_MINUTES * 60));
  const swept = wrapPorts?.(world.ports) ?? world.ports;
  const sweep = await between(() => app.sweep({}, swept));
  const begun = runs.length;
  const handOver = await between(() => world.advance('61s'));
  expect(runs.length).toBe(begun + 2);
  return { quiet, sweep, handOver, runs: begun, waiting: await slots.count(keyOf(keys - 1)) };
}

function keyOf(tenant: number): string {
  return slotsKey(`work#tenant ${tenant}`);
}

async function standBehind(slots: SlotStore, key: string, count: number): Promise<void> {
  const [first] = await slots.line(key, 1);
  if (first === undefined) throw new Error(`Nobody waits for ${key}.`);
  const { wake } = first;
  // What they are is not read while nothing ends.
  const short = wake.kind === 'send' ? { ...wake, message: { ...wake.message, body: '{}' } } : wake;
  await slots.park(
    key,
    Array.from({ length: count }, (_, n) => ({
      ...first,
      sinceMs: first.sinceMs + 1 + n,
      holder: `task-${n}#0`,
      wake: short,
    })),
  );
}

describe('tasks that wait for a slot', () => {
  it('cost nothing in memory, a thousand behind each of a thousand keys', async () => {
    const crowd = await costsOf({ keys: 1000, waiting: 1000 }, overMemory());
    const few = await costsOf({ keys: 3, waiting: 1 }, overMemory());
    expect(crowd).toMatchObject({ runs: 1000, waiting: 1000, quiet: [] });
    expect(few).toMatchObject({ runs: 3, waiting: 1, quiet: [] });
    // At the timers, and at the schedules.
    expect(few.sweep.length).toBeGreaterThanOrEqual(2);
    expect(crowd.sweep).toEqual(few.sweep);
    // To read, to hand over, to send and to forget, at least, of two keys.
    expect(few.handOver.length).toBeGreaterThanOrEqual(8);
    expect(crowd.handOver).toEqual(few.handOver);
  });

  it('cost nothing on DynamoDB, however many they are', async () => {
    const crowd = await costsOf({ keys: 30, waiting: 100 }, overDynamodb());
    const few = await costsOf({ keys: 3, waiting: 1 }, overDynamodb());
    expect(crowd).toMatchObject({ runs: 30, waiting: 100, quiet: [] });
    expect(few).toMatchObject({ runs: 3, waiting: 1, quiet: [] });
    // One look at each part of the timers, and at the schedules.
    expect(few.sweep.length).toBeGreaterThan(DEFAULT_TIMER_SHARDS);
    expect(crowd.sweep).toEqual(few.sweep);
    const asked = (requests: readonly string[]): string[] => requests.map((each) => each.replace(/ .*/, '')).toSorted();
    expect(asked(crowd.handOver)).toEqual(asked(few.handOver));
    // The first of the line, not all of it.
    const most = Math.max(...crowd.handOver.map((each) => Number(/(\d+) items/.exec(each)?.[1] ?? 0)));
    expect(most).toBeLessThanOrEqual(12);
  });
});
