/** docs/tasks.md names every option, with the default that holds, and what it shows is run. */
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import { type AppOptions, Celeriac, type QueueOptions, type RetryOptions, type TaskOptions } from 'celeriac';
import { World } from 'celeriac/testing';

import { durationSeconds } from '../../lib/base/duration.ts';
import { resolveSettings } from '../../lib/options/settings.ts';
import { resolveTaskOptions } from '../../lib/options/task-options.ts';
import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/tasks.md', 'utf8');

/** The rows of a section's table: the names in code of the first cell, and the second cell. */
function rowsOf(heading: string, table = 0): { readonly names: readonly string[]; readonly second: string }[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const tables = section.split(/\n(?!\|)/).map((part) => part.trim());
  const rows = tables.filter((part) => part.startsWith('|'))[table] ?? '';
  return rows
    .split('\n')
    .slice(2)
    .map((row) => {
      const [first = '', second = ''] = row.slice(1).split('|');
      return { names: [...first.matchAll(/`(\w+)[^`]*`/g)].map(([, name = '']) => name), second: second.trim() };
    });
}

const namesIn = (heading: string, table = 0): string[] =>
  rowsOf(heading, table)
    .flatMap(({ names }) => names)
    .toSorted();

/** The options that the code takes: an unknown one is answered with the list of them. */
function optionsOf(refused: () => unknown): string[] {
  try {
    refused();
  } catch (error) {
    const [, list = ''] = /Allowed are ([\w, ]+)\./.exec(String(error)) ?? [];
    return list.split(', ').toSorted();
  }
  throw new Error('The unknown option was taken.');
}

const stray = { stray: true };

describe('each option has a row, and each row is an option', () => {
  const app = new Celeriac('page');
  const task = app.task('page.task', () => 1);
  const retry = app.task('page.retry', { bind: true }, (self) => self.retry(stray as RetryOptions));

  it.each([
    ['Options of a task', () => app.task('page.other', stray as TaskOptions, () => 1)],
    ['Options of an app', () => new Celeriac('page', stray as AppOptions)],
    ['Options of a queue', () => new Celeriac('page', { queues: { default: stray as QueueOptions } })],
    ['Retry', () => retry()],
  ])('%s', (heading, refused) => {
    expect(namesIn(heading)).toEqual(optionsOf(refused));
  });

  it('Options of a call', async () => {
    const error: unknown = await task.applyAsync([], stray as object).catch((cause: unknown) => cause);
    expect(namesIn('Options of a call')).toEqual(
      optionsOf(() => {
        throw error;
      }),
    );
  });
});

describe('defaults are those that hold', () => {
  const settings = resolveSettings('page');
  const valueOf = (resolved: object, name: string, written: unknown): unknown => {
    const values = resolved as Readonly<Record<string, unknown>>;
    if (!(`${name}Seconds` in values)) return values[name];
    return values[`${name}Seconds`] === durationSeconds(written, name) ? written : values[`${name}Seconds`];
  };

  it.each([
    ['Options of a task', resolveTaskOptions('page', {}, settings), 8],
    ['Options of an app', { ...settings, queues: { default: {} } }, 16],
    ['Options of a queue', settings.queues['default'] ?? {}, 1],
  ])('%s', (heading, resolved, atLeast) => {
    const checked = rowsOf(heading).flatMap(({ names: [name = ''], second }) => {
      const [, code] = /^`([^`]*[^)`])`$/.exec(second) ?? [];
      if (code === undefined) return [];
      // Written as JavaScript: quotes and keys as people write them.
      const written: unknown = JSON.parse(code.replaceAll("'", '"').replaceAll(/(\w+):/g, '"$1":'));
      return [[name, written, valueOf(resolved, name, written) ?? false] as const];
    });
    expect(checked.map(([name, , actual]) => [name, actual])).toEqual(
      checked.map(([name, written]) => [name, written]),
    );
    expect(checked.length).toBeGreaterThanOrEqual(atLeast);
  });
});

it('each part of `self` and of its request has a row', async () => {
  const app = new Celeriac('page');
  let seen: readonly (readonly string[])[] = [];
  const look = app.task('page.look', { bind: true }, (self) => {
    seen = [Object.keys(self), Object.keys(self.request)];
  });
  const world = new World(app);
  await look.delay();
  await world.run();
  expect(namesIn('`self`')).toEqual(seen[0]?.toSorted());
  expect(namesIn('`self`', 1)).toEqual([...(seen[1] ?? []), 'schedule'].toSorted());
});

const IN_WORLD = `import { World } from 'celeriac/testing';\n`;

describe('what it shows', () => {
  it('tasks that are sent', () => {
    const output = runExample(page, ['// tasks.ts', '// send.ts'], {
      'send.ts': {
        before: `${IN_WORLD}import { app as shop, resize } from './tasks.ts';\nconst world = new World(shop);`,
        after: `const charged = await app.result('charge-o-1').get();
console.log(value, JSON.stringify(charged), charge.taskName);
const free = await charge.delay('o-2', 0);
await world.drain();
console.log(await free.state(), world.deadLetters('default').length);
const images = await resize.delay(['a', 'b']);
console.log(await images.get());`,
      },
    });
    const lines = output.trim().split('\n');
    expect(lines).toContain('3 {"order":"o-1","cents":1200,"attempt":2} orders.charge');
    expect(lines).toContain('2');
    expect(lines.some((line) => line.startsWith('REJECTED '))).toBe(true);
  });

  it('a retry', () => {
    const output = runExample(page, ['// retry.ts'], {
      'retry.ts': {
        before: IN_WORLD,
        after: `const world = new World(app);
const startedMs = world.clock.nowMs();
const result = await poll.delay('o-1');
console.log(await result.get(), (world.clock.nowMs() - startedMs) / 1000 >= 60);`,
      },
    });
    expect(output.trim().split('\n')).toContain('200 true');
  });

  it('class tasks', () => {
    const output = runExample(page, ['// classes.ts'], {
      'classes.ts': {
        before: IN_WORLD,
        after: `const world = new World(app);
console.log(await (await ship.delay('o-1')).get());
await ship.delay('');
await world.drain();
console.log(told.join());`,
      },
    });
    const lines = output.trim().split('\n');
    expect(lines).toContain('o-1 shipped at attempt 1');
    expect(lines).toContainEqual(
      expect.stringMatching(/^orders\.ship failed: Error: no order \(36 characters of id\)$/),
    );
  });
});
