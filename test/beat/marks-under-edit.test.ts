/**
 * An entry on DynamoDB is two items, its mark and itself, and a sweep may come between the two: what an edit is about to
 * store must be found by the sweeps that follow.
 */
import { Celeriac, clocked, silentLogger } from 'celeriac';
import { type ManualClock, World } from 'celeriac/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../lib/aws/connect.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import { systemRandom } from '../../lib/base/time.ts';
import { declareNote, dueOf, MINUTE, type Run, START } from '../support/beat-world.ts';
import { type Servers, startServers } from '../support/servers.ts';
import { clientsOver, type Fault, FaultyService } from '../support/service-faults.ts';

let servers: Servers;
let environment: Environment;
beforeAll(async () => {
  servers = await startServers();
  environment = await servers.provision(new Celeriac('marks', { logger: silentLogger }));
});
afterAll(() => servers.stop());

/** Ports of a process whose schedules are on DynamoDB, and which waits there where it is told to. */
function schedulesOf(clock: ManualClock, held?: Fault): Ports['schedules'] {
  const service = new FaultyService(({ operation, input }) => {
    const { Item } = input as { readonly Item?: { readonly pk: { readonly S: string } } };
    return operation === 'PutItem' && Item?.pk.S === 'schedule' ? held : undefined;
  });
  return connect(environment, { clock, random: systemRandom }, clientsOver(service, servers.endpoints)).schedules;
}

it('a sweep between the mark and the entry leaves the mark', async () => {
  const runs: Run[] = [];
  const app = new Celeriac('marks', { logger: silentLogger });
  const note = declareNote(app, runs, () => world.clock.nowMs());
  const world = new World(app, { logger: silentLogger, patienceMs: 0 });
  const clock = world.clock as ManualClock;

  let reached = (): void => {};
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const free = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const editor: Ports = {
    ...world.ports,
    schedules: schedulesOf(clock, async (_request, forward) => {
      reached();
      await free;
      return forward();
    }),
  };
  const sweeper: Ports = { ...world.ports, schedules: schedulesOf(clock) };
  app.use(editor);
  const put = app.schedules.put('edited#1', { task: note.s(), schedule: clocked(new Date(START + MINUTE)) });
  await held;
  // The mark is there, its entry is not: another process sweeps, and again.
  for (let sweep = 0; sweep < 2; sweep += 1) await app.sweep({}, sweeper);
  expect(await dueOf(sweeper.schedules, START + MINUTE)).toEqual([['edited#1', START + MINUTE]]);
  letGo();
  await put;
  await app.sweep({}, sweeper);
  app.use(world.ports);
  await world.advance('5m');
  expect(runs.map(({ entry, scheduledMs }) => [entry, scheduledMs])).toEqual([['edited#1', START + MINUTE]]);
});
