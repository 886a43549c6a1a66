/**
 * The crash table again, on the AWS adapters over HTTP: real conditional writes, real queues. Time is
 * injected, so a lease ends without waiting for it.
 */
import { Celeriac, Reject, silentLogger } from 'celeriac';
import { ManualClock } from 'celeriac/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../lib/aws/connect.ts';
import { peekDeadLetters, SqsPoller } from '../../lib/aws/poller.ts';
import type { BatchResponse } from '../../lib/ports/delivery.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import { systemClock, systemIds, systemRandom } from '../../lib/base/time.ts';
import { consume } from '../../lib/worker/consume.ts';
import { type Crash, type CrashLog, dying, newCrashLog, NO_CRASH, tapped } from '../support/port-taps.ts';
import { type Servers, startServers } from '../support/servers.ts';
import { FetchError } from '../support/worlds.ts';

let servers: Servers;
let clouds = 0;

beforeAll(async () => {
  servers = await startServers();
});
afterAll(() => servers.stop());

interface Program {
  readonly name: string;
  declare(app: Celeriac, effects: string[]): void;
}

const PROGRAMS: readonly Program[] = [
  {
    name: 'success with a link',
    declare: (app, effects) => app.task('parent', (x: number) => (effects.push('run'), x + 1)),
  },
  {
    name: 'failure with an errback',
    declare: (app, effects) =>
      app.task('parent', () => {
        effects.push('run');
        throw new FetchError('down');
      }),
  },
  {
    name: 'one retry by timer, then success',
    declare: (app, effects) =>
      app.task('parent', { bind: true }, (self, x: number) => {
        effects.push('run');
        if (self.request.retries === 0) throw self.retry({ countdown: '2h' });
        return x;
      }),
  },
  {
    name: 'reject to the dead-letter queue',
    declare: (app, effects) =>
      app.task('parent', () => {
        effects.push('run');
        throw new Reject('bad');
      }),
  },
];

interface Stage {
  readonly app: Celeriac;
  readonly ports: Ports;
  readonly clock: ManualClock;
  readonly environment: Environment;
}

async function newStage(): Promise<Stage> {
  clouds += 1;
  const app = new Celeriac(`crash${clouds}`, { logger: silentLogger, timerShards: 1, resultExpires: '30d' });
  const environment = await servers.provision(app);
  const clock = new ManualClock(systemClock.nowMs());
  const ports: Ports = {
    ...connect(environment, { clock: systemClock, random: systemRandom }, servers),
    clock,
    ids: systemIds,
    random: systemRandom,
    logger: silentLogger,
  };
  app.use(ports);
  return { app, ports, clock, environment };
}

/** Runs what is in the queue until nothing is left, timers of the next hours included. */
async function drain({ app, ports, clock, environment }: Stage, first: CrashLog, crash: Crash): Promise<void> {
  const poller = new SqsPoller(servers.sqs, 'default', environment.queues['default'] ?? '');
  const live = new AbortController().signal;
  let mayCrash = true;
  for (let idle = 0; idle < 2;) {
    const batch = await poller.receive(0, live);
    if (batch.length === 0) {
      idle += 1;
      clock.moveTo(clock.nowMs() + 3_600_000);
      await app.sweep();
      continue;
    }
    idle = 0;
    const invocation = { deadlineMs: clock.nowMs() + 60_000, requestId: 'invocation' };
    const idsOf = ({ batchItemFailures }: BatchResponse): string[] =>
      batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    let kept: string[];
    if (mayCrash) {
      const crashing = tapped(ports, dying(crash, first), ['broker', 'backend', 'timers']);
      const work = consume(batch, invocation, app, crashing).then(idsOf);
      kept = await Promise.race([work, crashed(first).then(() => batch.map(({ messageId }) => messageId))]);
    } else {
      kept = idsOf(await consume(batch, invocation, app, ports));
    }
    mayCrash = false;
    // A busy server may also have answered too late: what is kept comes again.
    while (kept.length > 0) {
      // SQS shows the messages again once the lease is over.
      clock.moveTo(clock.nowMs() + 120_000);
      const again = batch.filter(({ messageId }) => kept.includes(messageId));
      kept = idsOf(await consume(again, { deadlineMs: clock.nowMs() + 60_000, requestId: 'again' }, app, ports));
    }
    await poller.delete(batch.map((delivery) => delivery.receipt));
  }
}

async function crashed(log: CrashLog): Promise<void> {
  while (!log.crashed) await systemClock.sleep(5);
  // A call that takes effect before its answer is lost is on its way to the server.
  await systemClock.sleep(30);
}

async function play(
  program: Program,
  crash: Crash,
): Promise<{ readonly end: unknown; readonly effects: number; readonly calls: string[] }> {
  const stage = await newStage();
  const effects: string[] = [];
  const children: string[] = [];
  program.declare(stage.app, effects);
  stage.app.task('child', { bind: true }, (self) => {
    children.push(self.request.id);
  });
  const child = (label: string): Parameters<Celeriac['sendMany']>[0][number] => ({
    task: 'child',
    args: [label],
    kwargs: {},
    options: { task_id: `${label}-id` },
    subtask_type: null,
    immutable: false,
  });
  await stage.app.send('parent', [1], { taskId: 'parent-id', link: child('link'), linkError: child('errback') });
  const log = newCrashLog();
  await drain(stage, log, crash);
  const records = await stage.ports.backend.get(['parent-id', 'link-id', 'errback-id'], stage.clock.nowMs());
  const deadLetters = await peekDeadLetters(servers.sqs, stage.environment.deadLetterQueues['default'] ?? '');
  return {
    end: {
      states: records.map((record) => record?.status),
      children: children.toSorted((left, right) => left.localeCompare(right)),
      lettered: deadLetters.length > 0,
    },
    effects: effects.length,
    calls: log.calls,
  };
}

describe.each(PROGRAMS)('$name', (program) => {
  it('ends the same, wherever the process stops', async () => {
    const uninterrupted = await play(program, NO_CRASH);
    expect(uninterrupted.calls).toContain('backend.claim');
    for (let call = 1; call <= uninterrupted.calls.length; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const where = `${when} call ${call}, ${uninterrupted.calls[call - 1]}`;
        const played = await play(program, { call, when });
        expect(played.end, where).toEqual(uninterrupted.end);
        const committed = uninterrupted.calls.indexOf('backend.commit') + 1;
        const uncommitted = call < committed || (call === committed && when === 'before');
        const repeated = uncommitted && call > uninterrupted.calls.indexOf('backend.claim') + 1;
        expect(played.effects, where).toBe(uninterrupted.effects + (repeated ? 1 : 0));
      }
    }
  });
});
