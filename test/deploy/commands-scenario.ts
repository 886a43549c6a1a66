/** The example blog, looked into and operated by the command `celeriac`, each time a process of its own. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv } from 'ajv';

import { SCHEMAS } from '../../lib/cli/schemas.ts';
import { type Answer, celeriacProcess, jsonOf } from '../support/celeriac.ts';
import { COMMON_COMMANDS } from '../support/process-commands.ts';
import type { Emulator } from './emulator.ts';
import { equal, type Report, until } from './report.ts';

const WAIT = ['--wait', '--timeout', '120s'] as const;
const SETTLE_MS = 3000;
const ENTRIES = ['heartbeat', 'publish-drafts', 'weekly-report'];

type Line = Record<string, unknown>;

/** `celeriac` against the emulator: nothing but `AWS_ENDPOINT_URL` says that it is none of AWS. */
class Operator {
  readonly #variables: Record<string, string>;
  /** Commands, with their subcommands, that were run. */
  readonly ran = new Set<string>();
  readonly #ajv = new Ajv({ strict: false, formats: { 'date-time': true } });

  constructor(variables: Readonly<Record<string, string>>) {
    this.#variables = { ...variables };
  }

  /** @throws Error unless it ends with 0 */
  async done(...args: readonly string[]): Promise<Answer> {
    this.ran.add(commandOf(args));
    const answer = await celeriacProcess({ variables: this.#variables }, ...args);
    if (answer.code !== 0)
      throw new Error(`celeriac ${args.join(' ')} ended with ${answer.code}: ${answer.printed}${answer.complained}`);
    return answer;
  }

  /** Its lines as JSON, each held by its schema. */
  async lines(...args: readonly string[]): Promise<Line[]> {
    const lines = jsonOf(await this.done(...args, '--app', 'blog', '--json'));
    const schema = SCHEMAS[commandOf(args)] ?? false;
    for (const line of lines)
      if (!this.#ajv.validate(schema, line))
        throw new Error(`celeriac ${args.join(' ')}: ${JSON.stringify([line, this.#ajv.errors])}`);
    return lines;
  }
}

function commandOf([first = '', second = '']: readonly string[]): string {
  const whole = `${first} ${second}`;
  return COMMON_COMMANDS.includes(whole) ? whole : first;
}

export async function commandsScenario(report: Report, emulator: Emulator): Promise<void> {
  const operator = new Operator(emulator.environment);
  await report.step('celeriac call --wait, result', async () => {
    const [task] = await operator.lines('call', 'mail.welcome', 'ada@example.com', ...WAIT);
    equal(task?.['result'], 'sent to ada@example.com');
    equal(await operator.lines('result', String(task?.['id'])), [task]);
  });
  await report.step('celeriac inspect queues, by the name of the stack', async () => {
    const { printed } = await operator.done('inspect', 'queues', '--stack', 'CeleriacBlog');
    equal(
      printed.split('\n').flatMap((line) => /^(default|mail) /.exec(line)?.[1] ?? []),
      ['default', 'mail'],
    );
  });
  await report.step('celeriac inspect registered, stats, scheduled; ping', async () => {
    const names = (await operator.lines('inspect', 'registered')).map(({ name }) => name);
    if (!names.includes('comments.check')) throw new Error(names.join(', '));
    await operator.lines('inspect', 'stats');
    await operator.lines('inspect', 'scheduled');
    equal(
      (await operator.lines('ping')).map(({ ok }) => ok),
      [true, true, true],
    );
  });
  await report.step('celeriac pause: tasks stay where they are; resume: they run', () => pausedAndResumed(operator));
  await report.step('celeriac dlq: list, redrive with other arguments', () => redriven(operator));
  await report.step('celeriac schedules list', async () => {
    const names = async (): Promise<string[]> =>
      (await operator.lines('schedules', 'list')).map(({ name }) => String(name)).toSorted();
    // The first sweep after a deployment writes them into the table.
    await until('the entries', names, (seen) => seen.join() === ENTRIES.join(), 90);
  });
  await report.step(
    'celeriac schedules check, put, rename, show, disable, enable, follow-code, run, dump, load, delete',
    () => scheduled(operator, emulator.folder),
  );
  await report.step('celeriac explain, events, stats, inspect active, reserved, parked', () => lookedAt(operator));
  await report.step('celeriac revoke, purge, peek, locks, dlq show, drop', () => changed(operator));
  await report.step('every command that works on a service was run', async () =>
    // It serves until it is told to end: test/cli starts it.
    equal([...operator.ran].toSorted(), COMMON_COMMANDS.filter((name) => name !== 'monitor').toSorted()),
  );
}

async function scheduled(operator: Operator, folder: string): Promise<void> {
  const lines = (...args: readonly string[]): Promise<Line[]> => operator.lines('schedules', ...args);
  const to = ['--task', 'mail.welcome', '--args', '["tick@example.com"]', '--every', '9h'] as const;
  const [checked] = await lines('check', 'late', ...to);
  const stored = (await lines('list')).map(({ name }) => name);
  // What is checked is not stored.
  equal([checked?.['name'], stored.includes('late')], ['late', false]);
  const [put] = await lines('put', 'late', ...to);
  await lines('rename', 'late', 'nightly');
  equal([put?.['name'], (await lines('show', 'nightly'))[0]?.['name']], ['late', 'nightly']);
  // One that a rule fires: the rule is switched too.
  equal((await lines('disable', 'publish-drafts'))[0]?.['choice'], false);
  const [followed] = await lines('follow-code', 'publish-drafts');
  equal([followed?.['choice'], followed?.['enabled']], [null, true]);
  equal((await lines('disable', 'nightly'))[0]?.['enabled'], false);
  equal((await lines('enable', 'nightly'))[0]?.['enabled'], true);
  const [sent] = await lines('run', 'nightly');
  equal((await operator.lines('result', String(sent?.['id']), ...WAIT))[0]?.['result'], 'sent to tick@example.com');
  const { printed } = await operator.done('schedules', 'dump', '--app', 'blog');
  const fixture = join(folder, 'fixture.json');
  writeFileSync(fixture, printed);
  const [loaded] = await lines('load', fixture);
  equal(loaded?.['stored'], []);
  equal(await lines('delete', 'nightly', '--yes'), [{ name: 'nightly', deleted: true }]);
}

async function lookedAt(operator: Operator): Promise<void> {
  const [task] = await operator.lines('call', 'mail.welcome', 'zoe@example.com', ...WAIT);
  const id = String(task?.['id']);
  equal((await operator.lines('explain', id))[0]?.['state'], 'SUCCESS');
  await until(
    'the end in the history',
    () => operator.lines('events', '--since', '10m', '--no-follow', '--task', 'mail.welcome'),
    (ends) => ends.some((end) => end['id'] === id),
    60,
  );
  const tasks = (await operator.lines('stats')).map((line) => line['task']);
  if (!tasks.includes('mail.welcome')) throw new Error(tasks.join());
  for (const what of ['active', 'reserved', 'parked']) equal(await operator.lines('inspect', what), []);
}

async function changed(operator: Operator): Promise<void> {
  const { app } = await import('../../examples/blog/tasks.ts');
  const later = async (): Promise<string> =>
    (await operator.done('call', 'mail.welcome', 'x', '--countdown', '10m', '--app', 'blog')).printed.trim();
  const id = await later();
  await operator.lines('revoke', id);
  equal((await operator.lines('explain', id))[0]?.['state'], 'REVOKED');
  await later();
  const [purged] = await operator.lines('purge', 'mail', '--yes');
  equal([purged?.['queue'], purged?.['purged']], ['mail', true]);
  equal(await operator.lines('peek', 'mail'), []);
  const lock = await app.locks.acquire('import');
  equal((await operator.lines('locks', 'list')).length, 1);
  equal((await operator.lines('locks', 'free', 'import', '--yes'))[0]?.['owner'], lock?.owner);
  const empty = JSON.stringify([{ id: 'c21', author: 'eve', text: '' }]);
  const letter = (await operator.done('call', 'comments.check', '--args', empty, '--app', 'blog')).printed.trim();
  const own = ['--queue', 'default', '--id', letter] as const;
  const letters = (): Promise<Line[]> => operator.lines('dlq', 'list', '--letters', ...own);
  await until('a dead letter', letters, (found) => found.length === 1, 60);
  equal((await operator.lines('dlq', 'show', letter))[0]?.['id'], letter);
  equal((await operator.lines('dlq', 'drop', ...own, '--yes'))[0]?.['dropped'], 1);
}

async function pausedAndResumed(operator: Operator): Promise<string> {
  const [paused] = await operator.lines('pause', 'mail', '--why', 'the relay is down', '--yes');
  equal([paused?.['queue'], paused?.['why'], paused?.['eventSource']], ['mail', 'the relay is down', 'off']);
  const { printed } = await operator.done('call', 'mail.welcome', 'bob@example.com', '--app', 'blog');
  const id = printed.trim();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  equal((await operator.lines('result', id))[0]?.['state'], 'PENDING');
  const queues = await operator.lines('inspect', 'queues');
  equal(queues.find(({ queue }) => queue === 'mail')?.['state'], 'paused');
  await operator.lines('resume', 'mail');
  const [ended] = await operator.lines('result', id, ...WAIT);
  equal(ended?.['result'], 'sent to bob@example.com');
  return `${SETTLE_MS / 1000} s`;
}

async function redriven(operator: Operator): Promise<void> {
  const empty = JSON.stringify([{ id: 'c20', author: 'eve', text: '' }]);
  const sent = await operator.done('call', 'comments.check', '--args', empty, '--app', 'blog');
  const id = sent.printed.trim();
  // Of one queue: each that is looked through takes a second.
  const own = ['--queue', 'default', '--id', id] as const;
  const letters = (): Promise<Line[]> => operator.lines('dlq', 'list', '--letters', ...own);
  const [letter] = await until('a dead letter', letters, (seen) => seen.length === 1, 60);
  equal(letter?.['task'], 'comments.check');
  const groups = await operator.lines('dlq', 'list', ...own);
  equal(groups.length, 1, JSON.stringify(groups));
  const mended = JSON.stringify([{ id: 'c20', author: 'eve', text: 'hello' }]);
  const [done] = await operator.lines('dlq', 'redrive', ...own, '--args', mended, '--yes');
  equal([done?.['sent'], done?.['complete']], [1, true]);
  const [ended] = await operator.lines('result', id, ...WAIT);
  equal(ended?.['result'], { comment: 'c20', spam: false, score: 0 });
  equal(await letters(), []);
}
