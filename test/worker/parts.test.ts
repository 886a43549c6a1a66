/** Tasks longer than an invocation, in virtual time. */
import { Celeriac, chord, type Logger, Reject, silentLogger, type TaskContext, type TaskOptions } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CURRENT_INVOCATION } from '../../lib/testing/simulated-invocation.ts';
import type { TaskHooks } from '../../lib/task/registry.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { attemptNumber } from '../../lib/wire/attempt-number.ts';
import { isNearlyOver, progressOf } from '../../lib/flow/checkpoint.ts';
import { PART_WALKS, partWalk } from './part-walk.ts';

interface Run {
  readonly part: number;
  readonly state: unknown;
  readonly atMs: number;
  readonly retries: number;
}

type Body = (self: TaskContext, steps: number, world: World) => Promise<unknown>;

interface Long {
  readonly app: Celeriac;
  readonly world: World;
  readonly runs: Run[];
  readonly lines: string[];
  readonly task: ReturnType<typeof declared>;
}

const START = Date.parse('2030-01-01T00:00:00Z');

function declared(
  app: Celeriac,
  options: TaskOptions & TaskHooks,
  run: (self: TaskContext, steps: number) => Promise<unknown>,
) {
  return app.task('long.work', { ...options, bind: true as const }, run);
}

/** Steps of ten seconds each, a checkpoint after each. */
const stepByStep: Body = async (self, steps, world) => {
  let { done } = (self.state ?? { done: 0 }) as { done: number };
  while (done < steps) {
    await world.clock.sleep(10_000);
    done += 1;
    await self.checkpoint({ done });
  }
  return done;
};

function long(
  body: Body = stepByStep,
  options: TaskOptions & TaskHooks = {},
  of: WorldOptions = {},
  queue: object = {},
): Long {
  const lines: string[] = [];
  const logger: Logger = { log: (_level, text) => void lines.push(text) };
  const app = new Celeriac('long', { logger: silentLogger, queues: { default: queue } });
  const runs: Run[] = [];
  const task = declared(app, { maxParts: 100, ...options }, async (self, steps) => {
    const { part, state } = self;
    runs.push({ part, state, atMs: world.clock.nowMs() - START, retries: self.request.retries });
    return body(self, steps, world);
  });
  const world = new World(app, { start: START, invocation: 60, logger, ...of });
  return { app, world, runs, lines, task };
}

// Of a write that asks nothing.
const REST = { expiresAtSeconds: 4_000_000_000, when: {} };

function bound(of: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(of, key);
  return typeof value === 'function' ? (value.bind(of) as unknown) : value;
}

describe('goes on', () => {
  it('near the deadline, from its last checkpoint: one id, one result', async () => {
    const one = long();
    using world = one.world;
    const result = await one.task.delay(12);
    await world.drain();
    expect(await result.get()).toBe(12);
    // 58 s are left of an invocation: after four steps another one could not end in time.
    expect(one.runs.map(({ part, state }) => [part, state])).toEqual([
      [1, undefined],
      [2, { done: 5 }],
      [3, { done: 10 }],
    ]);
    expect(one.runs.every(({ retries }) => retries === 0)).toBe(true);
    const [record] = await world.backend.get([result.id], world.clock.nowMs());
    expect([record?.status, record?.checkpoint]).toEqual(['SUCCESS', undefined]);
    expect(one.lines).toContain(`Task long.work[${result.id}] goes on as part 2`);
  });

  it('where it says so, and keeps nothing between its parts but the state', async () => {
    const one = long(async (self) => {
      const count = ((self.state ?? 0) as number) + 1;
      if (count < 4) throw self.goOn(count);
      return count;
    });
    using world = one.world;
    const result = await one.task.delay(0);
    await world.drain();
    expect(await result.get()).toBe(4);
    expect(one.runs.map(({ part }) => part)).toEqual([1, 2, 3, 4]);
  });

  it('from its last checkpoint when it is cut off, where it has one of this part', async () => {
    const one = long(async (self, _steps, world) => {
      if (self.part === 1) {
        await self.checkpoint('begun');
        await world.clock.sleep(600_000);
      }
      return [self.part, self.state];
    });
    using world = one.world;
    const result = await one.task.delay(0);
    await world.drain();
    expect(await result.get()).toEqual([2, 'begun']);
  });

  it('from a checkpoint that no answer has come to when it is cut off', async () => {
    const one = long(async (self) => {
      if (self.part > 1) return self.state;
      await self.checkpoint('first');
      await self.checkpoint('second');
      return 'an answer came';
    });
    using world = one.world;
    const update = world.backend.update.bind(world.backend);
    world.backend.update = async (request) => {
      const outcome = await update(request);
      return 'checkpoint' in request && request.checkpoint.includes('second') ? new Promise(() => {}) : outcome;
    };
    const result = await one.task.delay(0);
    await world.drain();
    expect(await result.get()).toBe('second');
  });

  it('not when it is cut off without a word of progress', async () => {
    const one = long(async (_self, _steps, world) => world.clock.sleep(600_000));
    using world = one.world;
    const result = await one.task.delay(0);
    await world.drain();
    await expect(result.get()).rejects.toThrow('Lambda');
    expect(one.runs).toHaveLength(1);
  });
});

describe('ends', () => {
  it('as TooManyParts beyond maxParts', async () => {
    const one = long(
      async (self) => {
        throw self.goOn(self.part);
      },
      { maxParts: 3 },
    );
    using world = one.world;
    const result = await one.task.delay(0);
    await world.drain();
    await expect(result.get()).rejects.toThrow('would go on as part 4, and maxParts of its task is 3');
    expect(one.runs).toHaveLength(3);
  });

  it('where its checkpoint is too large, and says what is allowed', async () => {
    const one = long(async (self) => self.checkpoint('x'.repeat(40_000)));
    using world = one.world;
    const result = await one.task.delay(0);
    await world.drain();
    await expect(result.get()).rejects.toThrow('takes 40002 bytes; 32768 are allowed');
  });

  it.each([1, 1001, 2.5, 'many'])('maxParts %j is refused where it is declared', (maxParts) => {
    expect(() => long(stepByStep, { maxParts } as TaskOptions)).toThrow("maxParts of task 'long.work'");
  });

  it('beside idempotent it is refused too', () => {
    expect(() => long(stepByStep, { idempotent: true })).toThrow('idempotent: true, which stores nothing');
  });

  it('a task without maxParts is told to have it', async () => {
    const app = new Celeriac('short', { logger: silentLogger });
    const task = app.task('short.work', { bind: true }, async (self) => self.checkpoint(1));
    using world = new World(app);
    const result = await task.delay();
    await world.drain();
    await expect(result.get()).rejects.toThrow('a task with the option maxParts can');
  });

  it('a plain call stores nothing', async () => {
    const one = long(async (self) => {
      await self.checkpoint({ done: 1 });
      return 'done';
    });
    using _world = one.world;
    expect(await one.task(1)).toBe('done');
  });

  it('eagerly it goes on within the call', async () => {
    const one = long(async (self) => {
      const count = ((self.state ?? 0) as number) + 1;
      if (count < 3) throw self.goOn(count);
      return count;
    });
    using _world = one.world;
    const result = await one.task.apply([0]);
    expect(await result.get()).toBe(3);
  });
});

describe('beside the rest', () => {
  it('with metrics one end is counted', async () => {
    const fields: (Readonly<Record<string, unknown>> | undefined)[] = [];
    const logger: Logger = { log: (_level, _text, more) => void fields.push(more) };
    const app = new Celeriac('long', { logger: silentLogger, metrics: 'emf' });
    const task = app.task('long.twice', { bind: true, maxParts: 2 }, (self) => {
      if (self.part === 1) throw self.goOn(1);
      return 'done';
    });
    using world = new World(app, { logger });
    await task.delay();
    await world.drain();
    expect(fields.filter((each) => each !== undefined && '_aws' in each)).toHaveLength(1);
  });

  it('its history has one entry, whose time is that of all parts', async () => {
    const app = new Celeriac('long', { logger: silentLogger, history: 'all' });
    const task = app.task('long.work', { bind: true, maxParts: 5, maxRetries: 1 }, async (self) => {
      await world.clock.sleep(10_000);
      if (self.part < 3) throw self.goOn(self.part);
      if (self.request.retries === 0) throw self.retry({ countdown: 5 });
    });
    using world = new World(app, { start: START });
    const { id } = await task.delay();
    await world.drain();
    const { attempts } = (await app.history.task(id)) ?? { attempts: [] };
    const seconds = (at: Date | null): number => ((at?.getTime() ?? 0) - START) / 1000;
    expect(attempts.map(({ state, startedAt, endedAt }) => [state, seconds(startedAt), seconds(endedAt)])).toEqual([
      ['RETRY', 0, 30],
      ['SUCCESS', 35, 45],
    ]);
  });

  it('a retry goes on from the checkpoint, and its parts are none', async () => {
    const one = long(
      async (self) => {
        const count = ((self.state ?? 0) as number) + 1;
        if (count === 3 && self.request.retries === 0) throw self.retry({ countdown: 5 });
        if (count < 5) throw self.goOn(count);
        return [count, self.request.retries];
      },
      { maxRetries: 1 },
    );
    using world = one.world;
    const result = await one.task.delay(0);
    await world.drain();
    expect(await result.get()).toEqual([5, 1]);
    expect(one.runs.map(({ part, retries }) => [part, retries])).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
      [3, 1],
      [4, 1],
      [5, 1],
    ]);
  });

  it('a chord waits for all parts of its members', async () => {
    const one = long();
    using world = one.world;
    const sum = one.app.task('long.sum', (counts: unknown[]) => (counts as number[]).reduce((a, b) => a + b, 0));
    const result = await chord([one.task.s(12), one.task.s(3)], sum.s()).delay();
    await world.drain();
    expect(await result.get()).toBe(15);
  });

  it('a dead letter goes on from the checkpoint when it is redriven, and its parts are counted on', async () => {
    const one = long(async (self) => {
      if (self.part === 1) throw self.goOn('half');
      if (self.request.retries === 0) throw new Reject('not now');
      return [self.part, self.state, self.request.retries];
    });
    using world = one.world;
    const result = await one.task.delay(0);
    await world.drain();
    expect(await result.state()).toBe('REJECTED');
    expect(await one.app.deadLetters.redrive({ id: result.id })).toMatchObject({ sent: 1 });
    await world.drain();
    expect(await one.app.result(result.id).get()).toEqual([2, 'half', 1]);
  });

  it('a part that ends every worker fails as lost; redriven it goes on from the checkpoint', async () => {
    let heals = false;
    const one = long(
      async (self) => {
        if (self.part === 1) throw self.goOn('half');
        const invocation = CURRENT_INVOCATION.getStore();
        if (heals || invocation === undefined) return [self.part, self.state];
        invocation.dead = true;
        return new Promise(() => {});
      },
      {},
      { faults: {}, maxReceiveCount: 3 },
    );
    using world = one.world;
    const result = await one.task.delay(0);
    await world.drain();
    await expect(result.get()).rejects.toMatchObject({ name: 'WorkerLostError' });
    heals = true;
    await one.app.deadLetters.redrive({ id: result.id });
    await world.drain();
    expect(await one.app.result(result.id).get()).toEqual([2, 'half']);
  });

  it('of its signals those of a run come for each part, those of an end once', async () => {
    const told: string[] = [];
    const one = long(
      async (self) => {
        if (self.part < 3) throw self.goOn(self.part);
        return 'done';
      },
      {
        beforeStart: () => void told.push('beforeStart'),
        onRetry: () => void told.push('onRetry'),
        onSuccess: () => void told.push('onSuccess'),
        afterReturn: (status) => void told.push(`afterReturn ${status}`),
      },
    );
    using world = one.world;
    for (const name of ['taskPrerun', 'taskRetry', 'taskSuccess', 'taskFailure'] as const)
      one.app.on(name, () => void told.push(name));
    one.app.on(
      'taskPostrun',
      ({ state, result, error }) => void told.push(`taskPostrun ${state} ${String(result)} ${String(error)}`),
    );
    for (const name of ['beforeTaskPublish', 'afterTaskPublish'] as const)
      one.app.on(name, ({ task }) => void told.push(`${name} ${task}`));
    await one.task.delay(0);
    told.length = 0;
    await world.drain();
    const sent = ['beforeTaskPublish long.work', 'afterTaskPublish long.work'];
    const part = ['taskPrerun', 'beforeStart', ...sent, 'taskPostrun STARTED undefined undefined'];
    expect(told).toEqual([
      ...part,
      ...part,
      'taskPrerun',
      'beforeStart',
      'onSuccess',
      'taskSuccess',
      'afterReturn SUCCESS',
      'taskPostrun SUCCESS done undefined',
    ]);
  });

  it('expiry and rate are asked once, and not of each part', async () => {
    const one = long(stepByStep, { rateLimit: '1/h' });
    using world = one.world;
    const result = await one.task.applyAsync([12], { expires: 60 });
    await world.advance(150);
    expect(await result.get()).toBe(12);
  });

  it('revoked, no further part begins', async () => {
    const one = long();
    using world = one.world;
    const result = await one.task.delay(100);
    await world.advance(25);
    await result.revoke();
    await world.drain();
    expect(await result.state()).toBe('REVOKED');
    expect(one.runs).toHaveLength(1);
  });

  it('revoked with terminate, the part that runs ends', async () => {
    const one = long();
    using world = one.world;
    const result = await one.task.delay(100);
    await world.advance(65);
    await result.revoke({ terminate: true });
    await world.advance(30);
    expect(await result.state()).toBe('REVOKED');
    expect(one.runs).toHaveLength(2);
  });

  it('no other task gets its slot between two parts', async () => {
    const one = long(stepByStep, { concurrency: 1 });
    using world = one.world;
    const first = await one.task.delay(12);
    await world.advance(1);
    const second = await one.task.delay(2);
    await world.drain();
    expect(await Promise.all([first.get(), second.get()])).toEqual([12, 2]);
    expect(one.runs.map(({ part }) => part)).toEqual([1, 2, 3, 1]);
  });

  it.each(['before', 'after'])('nor where the next part dies %s it has taken it', async (when) => {
    let killed = false;
    const wrapPorts = (ports: Ports): Ports => {
      const { slots } = ports;
      if (slots === undefined) return ports;
      const write: typeof slots.write = async (request) => {
        const kills = !killed && [...(request.put?.keys() ?? [])].some((holder) => holder.endsWith('#0.0001'));
        if (!kills) return slots.write(request);
        killed = true;
        const invocation = CURRENT_INVOCATION.getStore();
        if (invocation !== undefined) invocation.dead = true;
        if (when === 'after') await slots.write(request);
        return new Promise(() => {});
      };
      return { ...ports, slots: new Proxy(slots, { get: (of, key) => (key === 'write' ? write : bound(of, key)) }) };
    };
    const one = long(stepByStep, { concurrency: 1 }, { wrapPorts });
    using world = one.world;
    const first = await one.task.delay(12);
    const [message] = world.broker.peekAll('default');
    await world.advance(1);
    const second = await one.task.delay(2);
    await world.advance(52);
    expect(killed).toBe(true);
    // A copy of it comes before the lease of who died is over.
    await world.broker.send([{ queue: 'default', body: message?.body ?? '' }]);
    await world.drain();
    expect(await Promise.all([first.get(), second.get()])).toEqual([12, 2]);
    expect(one.runs.map(({ part }) => part)).toEqual([1, 2, 3, 1]);
  });

  it('nor where a version before has handed its slot over to the next part', async () => {
    let held = { key: '', holder: '' };
    const standing: string[] = [];
    const wrapPorts = (ports: Ports): Ports => {
      const { slots, backend } = ports;
      if (slots === undefined) return ports;
      const write: typeof slots.write = (request) => {
        for (const holder of request.put?.keys() ?? []) held = { key: request.key, holder };
        return slots.write(request);
      };
      const commit: typeof backend.commit = async (requests) => {
        const outcome = await backend.commit(requests);
        const { holders } = await slots.read(held.key);
        standing.push(...holders.keys());
        const entry = holders.get(held.holder);
        if (entry === undefined || !requests.some(({ final, checkpoint = '' }) => !final && checkpoint !== ''))
          return outcome;
        const next = held.holder === 'first#0' ? 'first#0.0001' : 'first#0.0002';
        await slots.write({ ...REST, key: held.key, put: new Map([[next, entry]]), remove: [held.holder] });
        return outcome;
      };
      return {
        ...ports,
        backend: new Proxy(backend, { get: (of, key) => (key === 'commit' ? commit : bound(of, key)) }),
        slots: new Proxy(slots, { get: (of, key) => (key === 'write' ? write : bound(of, key)) }),
      };
    };
    const one = long(stepByStep, { concurrency: 1 }, { wrapPorts });
    using world = one.world;
    const first = await one.task.s(12).set({ taskId: 'first' }).delay();
    await world.advance(1);
    const second = await one.task.s(2).set({ taskId: 'second' }).delay();
    await world.drain();
    expect(await Promise.all([first.get(), second.get()])).toEqual([12, 2]);
    expect(one.runs.map(({ part }) => part)).toEqual([1, 2, 3, 1]);
    expect(standing).toEqual(['first#0', 'first#0.0001', 'first#0.0002', 'second#0']);
    expect((await world.ports.slots?.read(held.key))?.holders.size).toBe(0);
  });

  it('one that may not run beside itself is left out between two parts too', async () => {
    const one = long(stepByStep, { oneInstance: true });
    using world = one.world;
    const first = await one.task.delay(12);
    const left = [];
    for (let at = 0; at < 12; at += 1) {
      await world.advance(10);
      left.push(await one.task.delay(1));
    }
    await world.drain();
    expect(await first.get()).toBe(12);
    const states = await Promise.all(left.map((each) => each.state()));
    // It ends after two minutes; what came before is left out.
    expect(states.slice(0, 11)).toEqual(Array.from({ length: 11 }, () => 'IGNORED'));
    expect(one.runs.filter(({ part }) => part > 1).map(({ part }) => part)).toEqual([2, 3]);
  });

  it('in a FIFO queue its message stays in front of its group', async () => {
    const one = long(stepByStep, {}, {}, { fifo: true });
    using world = one.world;
    const results = [await one.task.delay(12), await one.task.delay(1)];
    await world.drain();
    expect(await Promise.all(results.map((each) => each.get()))).toEqual([12, 1]);
    expect(one.runs.map(({ part }) => part)).toEqual([1, 2, 3, 1]);
  });

  it('in a FIFO queue the message that comes back for the next part is no delivery in vain', async () => {
    let deaths = 0;
    const one = long(
      async (self) => {
        if (self.part === 1) throw self.goOn(1);
        const invocation = CURRENT_INVOCATION.getStore();
        if (deaths > 0 || invocation === undefined) return self.part;
        deaths += 1;
        invocation.dead = true;
        return new Promise(() => {});
      },
      { maxDeliveries: 2 },
      // Whoever is dead writes nothing.
      { faults: {} },
      { fifo: true },
    );
    using world = one.world;
    const result = await one.task.delay(0);
    await world.drain();
    expect(await result.get()).toBe(2);
    expect(deaths).toBe(1);
  });

  it('in a FIFO queue it has at most 20 parts', async () => {
    const one = long(
      async (self) => {
        throw self.goOn(self.part);
      },
      {},
      {},
      { fifo: true },
    );
    using world = one.world;
    const result = await one.task.delay(0);
    await world.drain();
    await expect(result.get()).rejects.toThrow('in a FIFO queue 20 are the most');
    expect(one.runs).toHaveLength(20);
  });

  it('checkpoints within `every` are not stored', async () => {
    const one = long(async (self, _steps, world) => {
      for (let done = 0; done < 20; done += 1) {
        await self.checkpoint({ done }, { every: '4s' });
        await world.clock.sleep(1000);
      }
    });
    using world = one.world;
    const writes: unknown[] = [];
    const update = world.backend.update.bind(world.backend);
    world.backend.update = (request) => {
      writes.push(request);
      return update(request);
    };
    await one.task.delay(0);
    await world.drain();
    expect(writes).toHaveLength(5);
  });
});

describe('whatever goes wrong', () => {
  it('it ends, goes back behind no checkpoint, and never runs beside itself', async () => {
    await fc.assert(
      fc.asyncProperty(PART_WALKS, async (drawn) => {
        expect(await partWalk(drawn)).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });
});

describe('numbers', () => {
  it('parts stand in order between their attempt and the next one, and are read as they were written', () => {
    const of = fc.record({ retries: fc.nat(1_000_000), part: fc.nat(1000) });
    fc.assert(
      fc.property(of, of, (one, other) => {
        const [left, right] = [one, other].map(({ retries, part }) => attemptNumber({ retries, celeriac: { part } }));
        const order = one.retries - other.retries || one.part - other.part;
        expect(Math.sign((left ?? 0) - (right ?? 0))).toBe(Math.sign(order));
        expect(Number(String(left))).toBe(left);
        expect(String(left)).not.toContain('e');
        expect(Math.floor(left ?? 0)).toBe(one.retries);
      }),
    );
  });

  it('how far a task is, is told by its checkpoint, and by no text that cannot be read', () => {
    const text = JSON.stringify({ part: 3, sinceMs: 5, atMs: 20, state: null });
    expect(progressOf(text, undefined)).toEqual({ part: 3, sinceMs: 5, atMs: 20 });
    expect(progressOf(text, 20)).toMatchObject({ part: 3 });
    expect(progressOf(text, 19)).toMatchObject({ part: 2 });
    for (const none of [undefined, '', '{"__type__":"encrypted","__value__":"c2VjcmV0"}'])
      expect(progressOf(none, 1)).toBeUndefined();
  });

  it('a part ends when the next step may not fit', () => {
    const wholeMs = 900_000;
    expect(isNearlyOver({ leftMs: 6000, wholeMs, stretchMs: 0 })).toBe(false);
    expect(isNearlyOver({ leftMs: 5000, wholeMs, stretchMs: 0 })).toBe(true);
    expect(isNearlyOver({ leftMs: 130_000, wholeMs, stretchMs: 100_000 })).toBe(false);
    expect(isNearlyOver({ leftMs: 125_000, wholeMs, stretchMs: 100_000 })).toBe(true);
    // Of a short one a tenth.
    expect(isNearlyOver({ leftMs: 350, wholeMs: 3000, stretchMs: 0 })).toBe(false);
    expect(isNearlyOver({ leftMs: Infinity, wholeMs: Infinity, stretchMs: 1e9 })).toBe(false);
  });
});
