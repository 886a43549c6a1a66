/** `celeriac ping`: whether the service answers. */
import type { CommandModule, JsonSchema } from '../command.ts';
import { NotReachable } from '../failures.ts';
import { reach, type Reached } from '../../operate/reach.ts';
import { span } from '../format.ts';
import { type CommonOptions, notes, onService } from '../tools.ts';

/** A line of `celeriac ping --json`. */
export const PING_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    what: { enum: ['queues', 'results', 'state'] },
    name: { type: 'string' },
    ok: { type: 'boolean' },
    ms: { type: 'number', minimum: 0 },
    error: { type: 'string' },
  },
  required: ['what', 'name', 'ok', 'ms'],
  additionalProperties: false,
};

export const ping: CommandModule = {
  define(command, tools) {
    onService(command)
      .description(
        'Asks queues and tables for an answer. Workers are not woken: on Lambda there are none while nothing runs.',
      )
      .addHelpText(
        'after',
        notes(
          ['ping', 'ping --app shop --region eu-central-1'],
          'sqs:GetQueueAttributes on all queues; dynamodb:BatchGetItem on both tables',
        ),
      )
      .action((options: CommonOptions) =>
        tools.with(options, async ({ service, output }) => {
          const answers = await reach(service.environment, await service.app.ports(), service.depths);
          output.say(`${service.app.name}, found by ${service.place}`);
          output.list(
            answers.map((answer) => ({ ...answer })),
            [
              { head: 'WHAT', of: ({ what }: Reached) => what },
              { head: 'NAME', of: ({ name }: Reached) => name },
              {
                head: 'ANSWER',
                of: ({ ok, ms, error }: Reached) => (ok ? `pong in ${span(ms)}` : (error ?? '')),
                style: ({ ok }: Reached) => (ok ? 'green' : 'red'),
              },
            ],
            '',
          );
          const silent = answers.filter(({ ok }) => !ok).length;
          if (silent > 0) throw new NotReachable(`${silent} of ${answers.length} did not answer.`);
        }),
      );
  },
};
