/** The example blog, looked into and operated by the command `celeriac`, each time a process of its own. */
import { Ajv } from 'ajv';

import { SCHEMAS } from '../../lib/cli/schemas.ts';
import { type Answer, celeriacProcess, jsonOf } from '../support/celeriac.ts';
import type { Emulator } from './emulator.ts';
import { equal, type Report, until } from './report.ts';

const WAIT = ['--wait', '--timeout', '120s'] as const;
const SETTLE_MS = 3000;
const ENTRIES = ['heartbeat', 'publish-drafts', 'weekly-report'];

type Line = Record<string, unknown>;

/** `celeriac` against the emulator: nothing but `AWS_ENDPOINT_URL` says that it is none of AWS. */
class Operator {
  readonly #variables: Record<string, string>;
  readonly #ajv = new Ajv({ strict: false, formats: { 'date-time': true } });

  constructor(variables: Readonly<Record<string, string>>) {
    this.#variables = { ...variables };
  }

  /** @throws Error unless it ends with 0 */
  async done(...args: readonly string[]): Promise<Answer> {
    const answer = await celeriacProcess({ variables: this.#variables }, ...args);
    if (answer.code !== 0)
      throw new Error(`celeriac ${args.join(' ')} ended with ${answer.code}: ${answer.printed}${answer.complained}`);
    return answer;
  }

  /** Its lines as JSON, each held by its schema. */
  async lines(...args: readonly string[]): Promise<Line[]> {
    const lines = jsonOf(await this.done(...args, '--app', 'blog', '--json'));
    const schema = SCHEMAS[`${args[0]} ${args[1]}`] ?? SCHEMAS[args[0] ?? ''] ?? false;
    for (const line of lines)
      if (!this.#ajv.validate(schema, line))
        throw new Error(`celeriac ${args.join(' ')}: ${JSON.stringify([line, this.#ajv.errors])}`);
    return lines;
  }
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
