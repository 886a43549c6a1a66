/** Ids that nobody has: whatever takes the id of a task or a group refuses them, before anything is asked or written. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { celeriac } from '../support/celeriac.ts';
import { counting, tapped } from '../support/port-taps.ts';

const TAKERS: Readonly<Record<string, (app: Celeriac, id: string) => unknown>> = {
  'result()': (app, id) => app.result(id),
  'groupResult()': (app, id) => app.groupResult(id),
  'control.revoke()': (app, id) => app.control.revoke(id),
  'control.revoke() of several': (app, id) => app.control.revoke(['good', id]),
  'control.terminate()': (app, id) => app.control.terminate(id),
  'explain()': (app, id) => app.explain(id),
  'history.task()': (app, id) => app.history.task(id),
  'deadLetters.show()': (app, id) => app.deadLetters.show(id),
  'deadLetters.list()': (app, id) => app.deadLetters.list({ id }),
  'deadLetters.redrive()': (app, id) => app.deadLetters.redrive({ id }),
  'deadLetters.drop()': (app, id) => app.deadLetters.drop({ id: ['good', id] }),
  'applyAsync()': (app, id) => app.send('t', [], { taskId: id }),
};

describe.each(Object.entries(TAKERS))('%s', (_name, take) => {
  it.each([[''], ['\uD800'], [7], [null], [{}]])('refuses %j', async (id) => {
    const app = new Celeriac('ids');
    app.task('t', () => {});
    const world = new World(app);
    const calls: string[] = [];
    app.use(tapped(world.ports, counting(calls)));
    // Untyped callers, and variables that were never set.
    await expect(async () => take(app, id as string)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(calls).toEqual([]);
  });
});

it.each([
  [['result', '']],
  [['revoke', 'good', '']],
  [['explain', '']],
  [['dlq', 'show', '']],
  [['dlq', 'list', '--id', '']],
  [['dlq', 'redrive', '--id', '', '--yes']],
  // Of a variable that is not set: otherwise the only letter that lies there would be gone.
  [['dlq', 'drop', '--id', '', '--yes']],
])('celeriac %j', async (args) => {
  const { code, complained } = await celeriac(...args);
  expect([code, complained]).toEqual([2, expect.stringContaining('Give the id of a task')]);
});
