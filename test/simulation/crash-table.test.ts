/**
 * The crash table: one delivery, its process stopped at each port call in turn, before the call takes
 * effect and after it did but before the answer came. Redelivery must bring the same end: one final
 * state, the children once, one dead letter per reject, and an effect again only where the outcome was
 * not yet committed.
 */
import { Reject, type Celeriac } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { type Crash, dying, newCrashLog, NO_CRASH, tapped } from '../support/port-taps.ts';
import { FetchError, newWorld } from '../support/worlds.ts';

interface End {
  readonly states: Record<string, string>;
  readonly effects: number;
  readonly children: string[];
  readonly deadLetters: number;
  readonly calls: string[];
  readonly crashed: boolean;
}

interface Program {
  readonly name: string;
  declare(app: Celeriac, effects: string[]): void;
  send(app: Celeriac): Promise<{ id: string }>;
}

const chainOf = (app: Celeriac): Promise<{ id: string }> =>
  app.send('parent', [1], {
    taskId: 'parent-id',
    link: {
      task: 'child',
      args: ['link'],
      kwargs: {},
      options: { task_id: 'link-id' },
      subtask_type: null,
      immutable: false,
    },
    linkError: {
      task: 'child',
      args: ['errback'],
      kwargs: {},
      options: { task_id: 'errback-id' },
      subtask_type: null,
      immutable: false,
    },
  });

const PROGRAMS: readonly Program[] = [
  {
    name: 'success with a link',
    declare: (app, effects) => app.task('parent', (x: number) => (effects.push('run'), x + 1)),
    send: chainOf,
  },
  {
    name: 'success without a result, with a link',
    declare: (app, effects) => app.task('parent', { ignoreResult: true }, (x: number) => (effects.push('run'), x + 1)),
    send: chainOf,
  },
  {
    name: 'failure with an errback',
    declare: (app, effects) =>
      app.task('parent', () => {
        effects.push('run');
        throw new FetchError('down');
      }),
    send: chainOf,
  },
  {
    name: 'one retry within SQS delay, then success',
    declare: (app, effects) =>
      app.task('parent', { bind: true }, (self, x: number) => {
        effects.push('run');
        if (self.request.retries === 0) throw self.retry({ countdown: 600 });
        return x;
      }),
    send: chainOf,
  },
  {
    name: 'one retry by timer, then success',
    declare: (app, effects) =>
      app.task('parent', { bind: true }, (self, x: number) => {
        effects.push('run');
        if (self.request.retries === 0) throw self.retry({ countdown: '2h' });
        return x;
      }),
    send: chainOf,
  },
  {
    name: 'goes on in another part, then success',
    declare: (app, effects) =>
      app.task('parent', { bind: true, maxParts: 5 }, (self, x: number) => {
        effects.push('run');
        if (self.state === undefined) throw self.goOn(x);
        return x;
      }),
    send: chainOf,
  },
  {
    name: 'goes on after checkpoints, then success',
    declare: (app, effects) =>
      app.task('parent', { bind: true, maxParts: 9 }, async (self, x: number) => {
        effects.push('run');
        if (self.state === 'last') return x;
        await self.checkpoint('one');
        await self.checkpoint('two');
        throw self.goOn('last');
      }),
    send: chainOf,
  },
  {
    name: 'reject to the dead-letter queue',
    declare: (app, effects) =>
      app.task('parent', () => {
        effects.push('run');
        throw new Reject('bad');
      }),
    send: chainOf,
  },
  {
    name: 'unknown task, deferred until it is given up',
    declare: () => {},
    send: chainOf,
  },
];

async function play(program: Program, crash: Crash): Promise<End> {
  const log = newCrashLog();
  const effects: string[] = [];
  const children: string[] = [];
  let first = true;
  const { app, world } = newWorld(
    (celeriac) => {
      program.declare(celeriac, effects);
      celeriac.task('child', { bind: true }, (self) => {
        children.push(self.request.id);
      });
    },
    { resultExpires: '30d' },
    {
      wrapPorts: (ports) => {
        if (!first) return ports;
        first = false;
        return tapped(ports, dying(crash, log), ['broker', 'backend', 'timers']);
      },
    },
  );
  // A sender that does not know the tasks' names: one of them is none.
  app.taskNames = () => undefined;
  const { id } = await program.send(app);
  await world.drain('20d');
  const records = world.backend.all();
  return {
    states: Object.fromEntries(
      [id, 'link-id', 'errback-id'].map((key) => [key, records.find((record) => record.id === key)?.status ?? 'none']),
    ),
    effects: effects.length,
    children,
    deadLetters: world.deadLetters().length,
    calls: log.calls,
    crashed: log.crashed,
  };
}

/** `broker.send` of a dead letter is the one call that may repeat: a letter is a report, not an effect. */
describe.each(PROGRAMS)('$name', (program) => {
  it('ends the same, wherever the process stops', async () => {
    const uninterrupted = await play(program, NO_CRASH);
    expect(uninterrupted.crashed).toBe(false);
    expect(uninterrupted.calls.length).toBeGreaterThan(0);
    const table: string[] = [];
    for (let call = 1; call <= uninterrupted.calls.length; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const end = await play(program, { call, when });
        const where = `${when} call ${call}, ${uninterrupted.calls[call - 1]}`;
        table.push(where);
        expect(end.crashed, where).toBe(true);
        expect(end.states, where).toEqual(uninterrupted.states);
        expect(end.children.toSorted(), where).toEqual(uninterrupted.children.toSorted());
        // Before the commit took effect the run counts as lost and is repeated; after it, never.
        const committed = uninterrupted.calls.indexOf('backend.commit') + 1;
        const uncommitted = call < committed || (call === committed && when === 'before');
        // The task's body runs between the claim's answer and the commit.
        const repeated = uncommitted && call > uninterrupted.calls.indexOf('backend.claim') + 1;
        expect(end.effects, where).toBe(uninterrupted.effects + (repeated ? 1 : 0));
        expect(end.deadLetters, where).toBeGreaterThanOrEqual(uninterrupted.deadLetters);
        expect(end.deadLetters, where).toBeLessThanOrEqual(uninterrupted.deadLetters + 1);
        if (uninterrupted.deadLetters === 0) expect(end.deadLetters, where).toBe(0);
      }
    }
    expect(table.length).toBe(uninterrupted.calls.length * 2);
  });
});
