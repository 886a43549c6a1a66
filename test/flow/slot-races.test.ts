/**
 * The races of the slots' protocol, one by one: two deliveries of one message, and one who dies between two writes. Random
 * programs (slots.long.test.ts) find them in thousands of seeds, where at all; each of these fails at once without its rule.
 */
import { Celeriac, currentTask, Reject, silentLogger } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import { expect, it } from 'vitest';

import { never } from '../../lib/testing/faults.ts';
import { realTurn } from '../../lib/testing/real-time.ts';
import type { BatchResponse, Delivery } from '../../lib/ports/delivery.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { slotsKey } from '../../lib/ports/slot-keys.ts';
import type { Holder, Parked, SlotsWrite } from '../../lib/ports/slots.ts';
import { consume } from '../../lib/worker/consume.ts';
import type { TaskContext } from '../../lib/task/context.ts';
import { runCheck } from '../../lib/worker/slot-check.ts';
import { pump } from '../../lib/worker/slot-pump.ts';
import { grantMs } from '../../lib/flow/slots.ts';
import { slotPorts } from '../../lib/worker/slot-ports.ts';
import { programOf, runProgram } from './slot-program.ts';

const START_MS = Date.parse('2030-01-01T00:00:00Z');
const KEY = slotsKey('work#');
const INVOCATION_SECONDS = 60;
const ENDS_IN_MS = INVOCATION_SECONDS * 1000;

/** Ports of one worker that stops before each request for slots, each claim and each commit, until it is told to go on. */
class Steps {
  readonly #waiting: { readonly name: string; readonly go: () => void }[] = [];
  #free = false;
  #dead = false;

  wrap(ports: Ports): Ports {
    const { slots } = ports;
    return {
      ...ports,
      ...(slots === undefined ? {} : { slots: this.#stepped(slots, () => true) }),
      backend: this.#stepped(ports.backend, (name) => name === 'claim' || name === 'commit'),
      broker: this.#stepped(ports.broker, () => false),
    };
  }

  /** Lets the worker make its requests up to the next one of this name, that one too. */
  async past(name: string): Promise<void> {
    for (;;) {
      const next = await this.#next();
      next.go();
      if (next.name === name) break;
    }
    // What comes of it, up to the next request.
    for (let turn = 0; turn < 20 && this.#waiting.length === 0; turn += 1) await realTurn();
  }

  /** Lets the worker make its requests up to the next one of this name, without that one. */
  async before(name: string): Promise<void> {
    while ((await this.#peek()).name !== name) (await this.#next()).go();
  }

  /** Nothing stops it any more. */
  free(): void {
    this.#free = true;
    for (const { go } of this.#waiting.splice(0)) go();
  }

  /** It dies in what it runs: nothing that it does later reaches anything. */
  dies(): Promise<never> {
    this.#dead = true;
    return never();
  }

  async #peek(): Promise<{ readonly name: string }> {
    for (let turn = 0; turn < 1000; turn += 1) {
      const [first] = this.#waiting;
      if (first !== undefined) return first;
      await realTurn();
    }
    throw new Error('The worker makes no more requests.');
  }

  async #next(): Promise<{ readonly name: string; readonly go: () => void }> {
    await this.#peek();
    return this.#waiting.shift() ?? (await this.#next());
  }

  #stepped<T extends object>(port: T, stops: (name: string) => boolean): T {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...args: readonly unknown[]) => {
          if (!this.#free && stops(String(name)))
            await new Promise<void>((go) => {
              this.#waiting.push({ name: String(name), go });
            });
          if (this.#dead) return never();
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  }
}

interface Scene extends Disposable {
  readonly app: Celeriac;
  readonly world: World;
  /** Numbers of the tasks, as they began and ended. */
  readonly runs: string[];
  /** What a run does, by its task's number; else it takes ten seconds. */
  readonly does: Map<number, () => Promise<unknown>>;
  send(n: number): Promise<string>;
  /** The next message of the queue, to be handed out by hand. */
  receive(): Delivery;
  /** Hands a message to a worker of its own. */
  deliver(delivery: Delivery, steps?: Steps): Promise<BatchResponse>;
  /** What somebody else writes. */
  write(write: Omit<SlotsWrite, 'key' | 'expiresAtSeconds' | 'when'>): Promise<unknown>;
  statusOf(id: string): string | undefined;
}

function scene(wrapPorts?: WorldOptions['wrapPorts'], { idempotent = false } = {}): Scene {
  const app = new Celeriac('races', { logger: silentLogger });
  const runs: string[] = [];
  const does: Scene['does'] = new Map();
  const task = app.task('work', { concurrency: 1, maxDeliveries: 20, idempotent }, async (n: number) => {
    runs.push(`${n} begins`);
    await (does.get(n) ?? (() => world.clock.sleep(10_000)))();
    runs.push(`${n} ends`);
  });
  const world = new World(app, {
    start: new Date(START_MS),
    invocation: INVOCATION_SECONDS,
    ...(wrapPorts === undefined ? {} : { wrapPorts }),
  });
  let invocations = 0;
  return {
    app,
    world,
    runs,
    does,
    send: async (n) => (await task.applyAsync([n])).id,
    receive: () => {
      const [received] = world.broker.receive('default', 1);
      if (received === undefined) throw new Error('The queue has no message.');
      return { ...received, queue: 'default' };
    },
    deliver: async (delivery, steps) => {
      const ports = steps?.wrap(world.ports) ?? world.ports;
      invocations += 1;
      const requestId = `by-hand-${invocations}`;
      const answer = await consume([delivery], { deadlineMs: world.clock.nowMs() + ENDS_IN_MS, requestId }, app, ports);
      if (answer.batchItemFailures.length === 0) world.broker.acknowledge('default', delivery.receipt);
      return answer;
    },
    write: async (write) =>
      world.ports.slots?.write({ key: KEY, expiresAtSeconds: START_MS / 1000 + 86_400, when: {}, ...write }),
    statusOf: (id) => world.backend.all().find((record) => record.id === id)?.status,
    [Symbol.dispose]: () => world.dispose(),
  };
}

const OTHER: readonly [string, Holder] = ['other#0', { leaseMs: START_MS + 30_000, by: 'another' }];

it('who finds that another delivery waits in its place does not let go of their message', async () => {
  using on = scene();
  await on.write({ put: new Map([OTHER]), limit: 1 });
  const id = await on.send(1);
  const delivery = on.receive();
  const [first, second] = [new Steps(), new Steps()];
  const answer = on.deliver(delivery, first);
  await first.past('park');
  const secondAnswer = on.deliver(delivery, second);
  await second.past('park');
  // Nobody had asked to be told: the slot is free, and the line of the two is not written.
  await on.write({ remove: ['other#0'] });
  await first.past('parked');
  on.does.set(1, () => second.dies());
  second.free();
  void secondAnswer;
  while (on.runs.length === 0) await realTurn();
  first.free();
  await answer;
  on.does.clear();
  await on.world.drain('1d');
  expect(on.statusOf(id)).toBe('SUCCESS');
});

it('who finds that another delivery runs in its place leaves no place behind', async () => {
  using on = scene();
  await on.write({ put: new Map([OTHER]), limit: 1 });
  const id = await on.send(1);
  const delivery = on.receive();
  const second = new Steps();
  const answer = on.deliver(delivery, second);
  await second.past('park');
  await on.write({ remove: ['other#0'] });
  let end = (): void => {};
  on.does.set(1, () => new Promise<void>((resolve) => (end = resolve)));
  const first = on.deliver(delivery);
  while (on.runs.length === 0) await realTurn();
  second.free();
  await answer;
  expect(await on.world.ports.slots?.count(KEY)).toBe(1);
  end();
  await first;
  await on.world.drain('1d');
  expect(on.statusOf(id)).toBe('SUCCESS');
  expect(on.runs).toEqual(['1 begins', '1 ends']);
  expect(await on.world.ports.slots?.count(KEY)).toBe(0);
  expect(await on.world.ports.slots?.read(KEY)).toMatchObject({ holders: new Map() });
  expect((await on.world.ports.slots?.read(KEY))?.line).toBeUndefined();
});

it('who has run where another delivery came to wait in its place takes that away', async () => {
  using on = scene();
  await on.write({ put: new Map([OTHER]), limit: 1 });
  const id = await on.send(1);
  const delivery = on.receive();
  const [first, second] = [new Steps(), new Steps()];
  const answer = on.deliver(delivery, first);
  await first.past('park');
  void on.deliver(delivery, second);
  // It dies.
  await second.past('park');
  await on.write({ remove: ['other#0'] });
  first.free();
  const ended = answer.then(() => true);
  while (!(await Promise.race([ended, on.world.advance(1).then(() => false)]))) continue;
  expect(on.statusOf(id)).toBe('SUCCESS');
  expect(await on.world.ports.slots?.count(KEY)).toBe(0);
});

it('who runs in the slot of another delivery takes away the place that it had', async () => {
  using on = scene();
  await on.write({ put: new Map([OTHER]), limit: 1 });
  const id = await on.send(1);
  const delivery = on.receive();
  const first = new Steps();
  const answer = on.deliver(delivery, first);
  await first.past('park');
  await on.write({ remove: ['other#0'] });
  const held = first.before('claim');
  while (!(await Promise.race([held.then(() => true), on.world.advance(1).then(() => false)]))) continue;
  let end = (): void => {};
  on.does.set(1, () => new Promise<void>((resolve) => (end = resolve)));
  const second = on.deliver(delivery);
  while (on.runs.length === 0) await realTurn();
  first.free();
  expect((await answer).batchItemFailures).toHaveLength(1);
  end();
  await second;
  expect(on.statusOf(id)).toBe('SUCCESS');
  expect(await on.world.ports.slots?.count(KEY)).toBe(0);
});

it('a place stands until its attempt has ended, though another delivery of it has begun to run', async () => {
  using on = scene();
  await on.write({ put: new Map([OTHER]), limit: 1 });
  const id = await on.send(1);
  const delivery = on.receive();
  const steps = new Steps();
  const second = on.deliver(delivery, steps);
  await steps.past('write');
  await on.deliver(delivery);
  expect(on.world.broker.depth('default')).toMatchObject({ visible: 0, inFlight: 0 });
  // Whoever hands the slot over dies before it sends for the one that waits.
  const grant = { leaseMs: START_MS + 120_000, by: 'grant/of one that is dead' };
  await on.write({ remove: ['other#0'], put: new Map([[`${id}#0`, grant]]) });
  on.does.set(1, () => steps.dies());
  steps.free();
  void second;
  while (on.runs.length === 0) await realTurn();
  on.does.clear();
  await on.world.drain('1d');
  expect(on.statusOf(id)).toBe('SUCCESS');
  expect(on.runs).toEqual(['1 begins', '1 begins', '1 ends']);
});

it('a line that somebody has joined since it was seen to be empty stands', async () => {
  using on = scene();
  await on.write({ put: new Map([OTHER]), limit: 1, line: 'of one who has been served' });
  const steps = new Steps();
  const ports = slotPorts(on.app, steps.wrap(on.world.ports));
  const pumping = pump({ key: KEY, limit: 1, leaving: [{ holder: 'other#0' }] }, ports);
  await steps.past('line');
  const id = await on.send(1);
  await on.deliver(on.receive());
  expect(await on.world.ports.slots?.count(KEY)).toBe(1);
  steps.free();
  await pumping;
  await on.world.drain('1d');
  expect(on.statusOf(id)).toBe('SUCCESS');
});

it('a look that comes before it is written down waits until it is', async () => {
  let frozen = false;
  let refused = false;
  using on = scene((ports) => {
    const { slots, clock } = ports;
    if (slots === undefined) return ports;
    const write: typeof slots.write = async (request) => {
      // The holder's end is refused for good: its slot is its own until its lease ends.
      if (!refused && request.remove?.length === 1) {
        refused = true;
        throw new Error('This item is refused.');
      }
      // Who waits has sent the look, and stands still until it has come.
      if (!frozen && typeof request.line === 'string') {
        frozen = true;
        await clock.sleep(40_000);
      }
      return slots.write(request);
    };
    return { ...ports, slots: new Proxy(slots, { get: (of, name) => (name === 'write' ? write : bound(of, name)) }) };
  });
  on.does.set(1, () => on.world.clock.sleep(40_000));
  const ids = [await on.send(1)];
  await on.world.advance('30s');
  ids.push(await on.send(2));
  await on.world.drain('1d');
  expect([refused, frozen]).toEqual([true, true]);
  expect(ids.map((id) => on.statusOf(id))).toEqual(['SUCCESS', 'SUCCESS']);
});

it('who looks at a line whose next look has come and gone before it was written down looks on', async () => {
  using on = scene();
  await on.write({ put: new Map([OTHER]), limit: 1 });
  const id = await on.send(1);
  await on.deliver(on.receive());
  const { checkMs = 0 } = (await on.world.ports.slots?.read(KEY)) ?? {};
  // Whoever looked has sent the next one, stood still until that gave up, and died when it was written down.
  on.world.clock.moveTo(checkMs);
  on.receive();
  await on.write({ checkMs: checkMs + 10_000 });
  await on.world.drain('1d');
  expect(on.statusOf(id)).toBe('SUCCESS');
});

it('who writes down the next look when that has given up sends another', async () => {
  using on = scene();
  const { ports, clock } = on.world;
  const { slots } = ports;
  if (slots === undefined) throw new Error('The world has slots.');
  let stands = true;
  const write: typeof slots.write = async (request) => {
    // The message comes meanwhile, and is gone.
    if (stands) await on.world.advance('1h');
    stands = false;
    return slots.write(request);
  };
  const holds: Holder = { leaseMs: clock.nowMs() + 3_600_000, by: 'another' };
  await on.write({ put: new Map([['other#0', holds]]), limit: 1 });
  const id = await on.send(1);
  await on.deliver(on.receive());
  const { checkMs = 0 } = await slots.read(KEY);
  clock.moveTo(checkMs);
  on.world.broker.acknowledge('default', on.receive().receipt);
  const standing = new Proxy(slots, { get: (of, name) => (name === 'write' ? write : bound(of, name)) });
  const retry = (): never => {
    throw new Error('It was written down.');
  };
  const context = { request: { deliveryInfo: { queue: 'default' } }, retry } as unknown as TaskContext;
  await runCheck(context, [KEY, checkMs], { ...slotPorts(on.app, ports), slots: standing });
  expect(stands).toBe(false);
  await on.world.drain('1d');
  expect(on.statusOf(id)).toBe('SUCCESS');
});

/**
 * A requeue gives the slot back before the claim. In the other order the next delivery could claim, and take the entry over,
 * between the two: it would lose nothing, since only an entry of one's own is given back. What must hold in both orders:
 */
it('a delivery whose slot goes while it claims does not run, and costs nothing', async () => {
  using on = scene();
  on.does.set(1, () => {
    if (currentTask().request.deliveryInfo.redelivered) return on.world.clock.sleep(10_000);
    return running.then(() => {
      throw new Reject('again', { requeue: true });
    });
  });
  let end = (): void => {};
  const running = new Promise<void>((resolve) => {
    end = resolve;
  });
  const id = await on.send(1);
  const delivery = on.receive();
  const first = on.deliver(delivery);
  while (on.runs.length === 0) await realTurn();
  const steps = new Steps();
  const second = on.deliver(delivery, steps);
  await steps.before('claim');
  end();
  await first;
  // The claim is free again, and the slot another's.
  await on.write({ put: new Map([OTHER]) });
  steps.free();
  expect((await second).batchItemFailures).toHaveLength(1);
  expect(on.runs).toEqual(['1 begins']);
  const slots = await on.world.ports.slots?.read(KEY);
  expect([...(slots?.holders.keys() ?? [])]).toEqual(['other#0']);
  await on.world.drain('1d');
  expect(on.statusOf(id)).toBe('SUCCESS');
  expect(on.runs).toEqual(['1 begins', '1 begins', '1 ends']);
});

it('who goes on after its lease gives back no slot but its own', async () => {
  using on = scene();
  const id = await on.send(1);
  const delivery = on.receive();
  const steps = new Steps();
  on.does.set(1, () => never());
  const first = on.deliver(delivery, steps);
  await steps.past('claim');
  // It stands still, and its lease passes.
  await on.world.advance(INVOCATION_SECONDS + 5);
  let end = (): void => {};
  on.does.set(1, () => new Promise<void>((resolve) => (end = resolve)));
  const second = on.deliver(delivery);
  while (on.runs.length < 2) await realTurn();
  const held = await on.world.ports.slots?.read(KEY);
  steps.free();
  expect((await first).batchItemFailures).toHaveLength(1);
  expect(held?.holders.size).toBe(1);
  expect((await on.world.ports.slots?.read(KEY))?.holders).toEqual(held?.holders);
  end();
  await second;
  expect(on.statusOf(id)).toBe('SUCCESS');
  expect((await on.world.ports.slots?.read(KEY))?.holders.size).toBe(0);
});

it.each([false, true])(
  'who goes on after its lease gives back what is kept for another message of its attempt (idempotent: %s)',
  async (idempotent) => {
    using on = scene(undefined, { idempotent });
    const { slots } = on.world.ports;
    const id = await on.send(1);
    const delivery = { ...on.receive(), receiveCount: 2 };
    on.does.set(1, () => Promise.resolve());
    const steps = new Steps();
    const answer = on.deliver(delivery, steps);
    await steps.before(idempotent ? 'unpark' : 'commit');
    await on.world.advance(INVOCATION_SECONDS + 5);
    // Its slot was somebody's, another message of it has waited meanwhile, and whoever gave it a slot died before it sent for it.
    await slots?.park(KEY, [placeOf(id, 3)]);
    const nowMs = on.world.clock.nowMs();
    await on.write({ put: new Map([[`${id}#0`, grantOf(nowMs, 3)]]), line: 'of it', limit: 1 });
    steps.free();
    await answer;
    expect([...((await slots?.read(KEY))?.holders.keys() ?? [])]).toEqual([]);
    expect(await slots?.count(KEY)).toBe(0);
  },
);

it.each([0, 1, 2, 9])(
  'whoever dies before it has sent for one that waits holds nobody up: in the %sth time of waiting',
  async (grants) => {
    using on = scene();
    const { slots } = on.world.ports;
    if (slots === undefined) throw new Error('The world has slots.');
    await on.write({ put: new Map([OTHER]), limit: 1 });
    const id = await on.send(1);
    await on.deliver(on.receive());
    const [parked] = await slots.line(KEY, 1);
    if (parked === undefined) throw new Error('It waits.');
    await slots.park(KEY, [{ ...parked, grants }]);
    const { broker } = on.world.ports;
    const dies = new Proxy(broker, { get: (of, name) => (name === 'send' ? never : bound(of, name)) });
    const sends = { ...slotPorts(on.app, on.world.ports), broker: dies };
    void pump({ key: KEY, limit: 1, leaving: [{ holder: 'other#0' }] }, sends);
    while ((await slots.read(KEY)).holders.has('other#0')) await realTurn();
    const nowMs = on.world.clock.nowMs();
    expect((await slots.read(KEY)).holders.get(`${id}#0`)).toMatchObject({ leaseMs: grantMs(nowMs, grants) });
    await on.world.drain('1d');
    expect(on.statusOf(id)).toBe('SUCCESS');
    expect(on.world.clock.nowMs() - nowMs).toBeLessThan(5 * 60_000);
    expect((await slots.read(KEY)).holders.size).toBe(0);
  },
);

function grantOf(nowMs: number, grants: number): Holder {
  return { leaseMs: grantMs(nowMs, grants), by: 'grant/of one that is dead' };
}

function placeOf(id: string, grants: number): Parked {
  const message = { queue: 'default', body: 'of the other message' };
  return { sinceMs: START_MS, holder: `${id}#0`, token: 'of it', grants, wake: { kind: 'send', message } };
}

function bound(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) : value;
}

// Of two deliveries of one message one stood in the line, took a slot and gave it back; the other ended their attempt.
it('a place that somebody left who then had a slot and did not run is looked at', async () => {
  expect((await runProgram(programOf(249))).broken).toEqual([]);
});
