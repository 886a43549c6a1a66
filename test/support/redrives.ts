/** Tasks that are rejected, somebody who redrives them and dies at any request, and workers that do too. */
import { Celeriac, chain, chord, Reject, silentLogger } from 'celeriac';
import { type Faults, seededRandom, World } from 'celeriac/testing';
import { expect } from 'vitest';

import { DeadLetterBook } from '../../lib/operate/dead-letter-book.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { memoryAdapters } from '../../lib/testing/world-ports.ts';

export interface RedriveCase {
  readonly seed: number;
  /** Of workers. */
  readonly faults?: Faults;
  readonly adapters?: typeof memoryAdapters;
  /** Stands between whoever redrives and the ports: what a redrive that is wrong would do. */
  readonly sabotage?: (ports: Ports) => Ports;
  readonly fifo?: boolean;
}

const ROUNDS = 40;

/** Plays it to its end, and checks that every task has run to its one end. */
export async function redrivesHold({ seed, faults, adapters = memoryAdapters, sabotage, fifo = false }: RedriveCase) {
  const random = seededRandom(seed);
  const draw = (below: number): number => Math.floor(random.next() * below);
  const app = new Celeriac('redrives', { queues: { default: { fifo } }, resultExpires: '30d', logger: silentLogger });
  const runs: string[] = [];
  /** Attempts whose outcome is stored, and tasks that have succeeded. */
  const ended = new Set<string>();
  const again = new Set<string>();
  const told: string[] = [];
  const charge = app.task('charge', { bind: true }, (self, name: string, rejections: number) => {
    const { id, retries } = self.request;
    // Its outcome is stored: nothing runs it any more.
    if (ended.has(id) || ended.has(`${id} ${retries}`)) again.add(`${name} ${retries}`);
    runs.push(`${name} ${retries}`);
    if (retries < rejections) throw new Reject(`${name} is closed`);
    return name;
  });
  const once = app.task('once', { acksLate: false }, (name: string) => name);
  const step = app.task('step', (name: string) => `${name}+`);
  const sum = app.task('sum', (names: readonly string[]) => names.length);
  const failed = app.task('failed', (id: string) => void told.push(id));
  using world = new World(app, { seed, ...(faults === undefined ? {} : { faults }) }, adapters);
  const { backend } = world.ports;
  const commit = backend.commit.bind(backend);
  backend.commit = async (requests) => {
    const done = await commit(requests);
    for (const [index, { id, attempt, status }] of requests.entries()) {
      if (done[index] !== true) continue;
      ended.add(`${id} ${attempt}`);
      if (status === 'SUCCESS') ended.add(id);
    }
    return done;
  };
  const rejections = [draw(3), draw(3), draw(3), draw(2), draw(2)] as const;
  const singles = [
    await charge.delay('one', rejections[0]),
    await charge.delay('two', rejections[1]),
    await once.delay('three'),
  ];
  const chained = await chain(charge.s('first', rejections[2]), step.s(), step.s()).delay();
  const header = [charge.s('left', rejections[3]), charge.s('right', rejections[4])];
  const body = await chord(header, sum.s().set({ linkError: [failed.s()] })).delay();

  const letters = () => world.ports.deadLetters!;
  for (let round = 0; round < ROUNDS; round += 1) {
    await world.advance(draw(200));
    if (round > ROUNDS / 2) world.faults.on = false;
    // Whoever redrives ends at some request, and is another one next time.
    const crashAt = round > ROUNDS / 2 ? 0 : 1 + draw(40);
    const ports = dyingAt(crashAt, random.next() < 0.5, sabotage?.(world.ports) ?? world.ports);
    const operator = new DeadLetterBook({
      settings: app.settings,
      registry: app.registry,
      clock: world.clock,
      ports: () => Promise.resolve(ports),
    } as never);
    await operator.redrive().catch((error: unknown) => {
      if (!(error instanceof Died)) throw error;
    });
    if (round <= ROUNDS / 2) continue;
    await world.drain();
    await world.advance('20m');
    const { visible, hidden } = await letters().count('default');
    if (visible + hidden === 0 && round > ROUNDS / 2 + 3) break;
  }
  await world.drain();
  expect(world.deadLetters()).toEqual([]);
  expect([...again]).toEqual([]);
  for (const { id } of singles) expect(await app.result(id).state()).toBe('SUCCESS');
  expect(await app.result(chained.id).get({ timeout: 1 })).toBe('first++');
  // A chord that has failed with a member stays so; nothing waits for ever.
  const isRejected = rejections[3] + rejections[4] > 0;
  const state = await app.result(body.id).state();
  if (faults === undefined) expect(state).toBe(isRejected ? 'FAILURE' : 'SUCCESS');
  else if (isRejected) expect(state).toBe('FAILURE');
  else expect(['FAILURE', 'SUCCESS']).toContain(state);
  expect(told.length > 0).toBe(state === 'FAILURE');
  if (faults === undefined && new Set(told).size !== told.length) throw new Error('error links were called twice');
  return { runs };
}

class Died extends Error {}

function dyingAt(call: number, before: boolean, ports: Ports): Ports {
  let calls = 0;
  let dead = false;
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return async (...args: readonly unknown[]) => {
          if (dead) throw new Died('dead');
          calls += 1;
          const dies = calls === call;
          if (dies) dead = true;
          if (dies && before) throw new Died('before');
          const answer: unknown = await value.apply(target, args);
          if (dies) throw new Died('after');
          return answer;
        };
      },
    });
  return {
    ...ports,
    broker: wrap(ports.broker),
    backend: wrap(ports.backend),
    ...(ports.deadLetters === undefined ? {} : { deadLetters: wrap(ports.deadLetters) }),
  };
}
