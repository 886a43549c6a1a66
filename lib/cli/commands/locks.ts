/** `celeriac locks`: who alone may do something, and taking that away. */
import { Option } from 'commander';

import type { HeldLock } from '../../flow/lock-book.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { CommandFailed } from '../failures.ts';
import { instant } from '../format.ts';
import { type CommonOptions, notes, onService, onServiceAsking, type Tools } from '../tools.ts';
import { count } from './count.ts';
import { TIME } from './task-schema.ts';

interface ListOptions extends CommonOptions {
  readonly limit: number;
}

interface FreeOptions extends CommonOptions {
  readonly token?: number;
}

/** A lock in `celeriac locks list --json` and `locks free --json`. */
export const LOCK_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    key: { type: 'string' },
    owner: { type: 'string' },
    until: TIME,
    token: { type: 'integer' },
    info: { type: 'string' },
  },
  required: ['key', 'owner', 'until', 'token'],
  additionalProperties: false,
};

const RIGHTS = 'service.grantLocks: dynamodb:Query, GetItem, UpdateItem on items lock#* of the state table';

export const locks: CommandModule = {
  define(command, tools) {
    onService(command.command('list'))
      .description('locks that somebody has')
      .addOption(new Option('--limit <count>', 'at most so many').argParser(count).default(100))
      .addHelpText('after', notes(['locks list', 'locks list --json --limit 1000'], RIGHTS))
      .action((options: ListOptions) => list(options, tools));
    onServiceAsking(command.command('free').argument('<key>', 'what it was acquired by'))
      .description('takes a lock away from whoever has it; its owner notices at its next renewal')
      .addOption(new Option('--token <number>', 'only from whoever has this one, as list shows it').argParser(count))
      .addHelpText('after', notes(['locks free import --token 7', 'locks free import --yes'], RIGHTS))
      .action((key: string, options: FreeOptions) => free(key, options, tools));
  },
};

async function list(options: ListOptions, tools: Tools): Promise<void> {
  await tools.with(options, async ({ service, output }) => {
    const held = await service.app.locks.list({ limit: options.limit });
    const nowMs = tools.terminal.clock.nowMs();
    output.list(
      held.map((lock) => ({ ...lock })),
      [
        { head: 'KEY', of: ({ key }: HeldLock) => key },
        { head: 'HELD BY', of: ({ owner, info }: HeldLock) => info ?? owner },
        { head: 'UNTIL', of: ({ until }: HeldLock) => instant(until, nowMs, options) },
        { head: 'TOKEN', of: ({ token }: HeldLock) => token, right: true },
      ],
      'Nobody has a lock.',
    );
    if (held.length === options.limit) output.say(`There may be more: --limit ${options.limit * 10}`);
  });
}

async function free(key: string, options: FreeOptions, tools: Tools): Promise<void> {
  await tools.with(options, async ({ service, output }) => {
    const { token } = options;
    await tools.ask(`Lock '${key}' is taken from whoever has it: somebody else may work beside them.`, options);
    const lock = await service.app.locks.free(key, token === undefined ? {} : { token });
    if (lock === null)
      throw new CommandFailed(
        token === undefined ? `Nobody has lock '${key}'.` : `Nobody has lock '${key}' with token ${token}.`,
      );
    output.show({ ...lock }, () => `Lock '${key}' is free: ${lock.info ?? lock.owner} had it.`);
  });
}
