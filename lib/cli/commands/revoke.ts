/** `celeriac revoke`: keeps tasks from starting, and with `--terminate` ends those that run. */
import type { CommandModule, JsonSchema } from '../command.ts';
import { REVOKED } from '../../base/states.ts';
import { taskId } from './result.ts';
import { SHORTEST_TO_CHANGE, wholeId } from '../whole-id.ts';
import { stateStyle } from '../task-text.ts';
import { type CommonOptions, notes, onService } from '../tools.ts';

interface RevokeOptions extends CommonOptions {
  readonly terminate?: boolean;
}

/** A line of `celeriac revoke --json`. */
export const REVOKE_SCHEMA: JsonSchema = {
  type: 'object',
  properties: { id: { type: 'string' }, state: { type: 'string' } },
  required: ['id', 'state'],
  additionalProperties: false,
};

export const revoke: CommandModule = {
  define(command, tools) {
    onService(
      command.argument('<ids...>', 'ids of tasks, or their beginnings', (id: string, ids: readonly string[] = []) => [
        ...ids,
        taskId(id),
      ]),
    )
      .description('Keeps tasks from starting. Shows the state that each has after it: what has ended stays as it is.')
      .option('--terminate', 'ends those that run, too: they are told within seconds')
      .addHelpText(
        'after',
        notes(
          ['revoke 0d3c8f5e-…', 'revoke 0d3c8f5e-… 7f3a11d0-… --terminate'],
          'service.grantManage: dynamodb:UpdateItem, GetItem, DeleteItem on the results table',
        ),
      )
      .action((given: readonly string[], { terminate = false, ...options }: RevokeOptions) =>
        tools.with(options, async ({ service, output }) => {
          // All of them or none.
          const ids: string[] = [];
          for (const id of given) ids.push(await wholeId(id, service, output, SHORTEST_TO_CHANGE));
          const states = await service.app.control.revoke(ids, { terminate });
          const rows = ids.map((id, index) => ({ id, state: states[index] ?? '' }));
          output.list(
            rows,
            [
              { head: 'ID', of: ({ id }) => id },
              { head: 'STATE', of: ({ state }) => state, style: ({ state }) => stateStyle(state) },
            ],
            '',
          );
          if (!terminate && rows.some(({ state }) => state === 'STARTED'))
            output.say('What runs goes on, and is not started again. End it, too: --terminate');
          else if (rows.some(({ state }) => state === REVOKED))
            output.say('It cannot be taken back: send a revoked task anew, under another id.');
        }),
      );
  },
};
