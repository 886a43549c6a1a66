/** AWS adapters that are wrong in one line: what they would ask, and what they would make of an answer. */
import { BatchExecuteStatementCommand, UpdateItemCommand } from '#aws-sdk';

import type { Faults } from 'celeriac/testing';

import type { Send } from '../../support/fake-services/services.ts';

export interface BrokenAdapter {
  readonly what: string;
  /** One of them is broken. */
  readonly rules: readonly string[];
  readonly client: (send: Send) => Send;
  /** Default: five times as many as usual. */
  readonly faults?: Faults;
}

function asking(change: (command: unknown) => unknown): BrokenAdapter['client'] {
  return (send) => (command) => send(change(command));
}

/** Takes a field of every answer for empty. */
function ignoringField(field: string): BrokenAdapter['client'] {
  return (send) => async (command) => {
    const answer = await send(command);
    return field in answer ? { ...answer, [field]: undefined } : answer;
  };
}

/** A condition whose part that fits always holds. */
function holding(part: RegExp): BrokenAdapter['client'] {
  return asking((command) => {
    if (!(command instanceof UpdateItemCommand)) return command;
    const { ConditionExpression: condition, ExpressionAttributeNames: names } = command.input;
    if (condition === undefined || !part.test(condition)) return command;
    return new UpdateItemCommand({
      ...command.input,
      ConditionExpression: condition.replace(
        part,
        (found) => `(${found} OR attribute_exists(#any) OR attribute_not_exists(#any))`,
      ),
      ExpressionAttributeNames: { ...names, '#any': 'id' },
    });
  });
}

const OWNER = / AND "owner" = \?/;

/** Statements that write a commit, without the owner in their condition. */
const ownerless = asking((command) => {
  if (!(command instanceof BatchExecuteStatementCommand)) return command;
  const Statements = command.input.Statements?.map(({ Statement: text = '', Parameters = [] }) =>
    OWNER.test(text)
      ? { Statement: text.replace(OWNER, ''), Parameters: Parameters.toSpliced(-2, 1) }
      : { Statement: text, Parameters },
  );
  return new BatchExecuteStatementCommand({ Statements });
});

export const BROKEN_ADAPTERS: readonly BrokenAdapter[] = [
  {
    what: 'a claim takes what another delivery leases',
    rules: ['a lease is kept'],
    client: holding(/#lease < :v\d+/),
  },
  {
    what: 'a claim takes what is finished',
    rules: ['a finished item stays as it is', 'no claim of what is committed'],
    client: holding(/^.*attribute_not_exists\(#finished\) AND \(attribute_not_exists\(#attempt\).*$/),
  },
  {
    what: 'a commit asks for no owner',
    rules: ['only an owner writes into its claim', 'a finished item stays as it is'],
    // An owner that stood still while another one took over is who commits late.
    faults: { freeze: 0.03, crash: 0.02 },
    client: (send) => holding(/#owner = :v\d+/)(ownerless(send)),
  },
  {
    what: 'a statement with an error is taken for done',
    rules: ['every task ends', 'no commit without a claim of it', 'only the owner commits', 'reached steps run'],
    faults: { partialFailure: 0.2 },
    client: (send) => async (command) => {
      const answer = await send(command);
      if (!(command instanceof BatchExecuteStatementCommand)) return answer;
      return { Responses: command.input.Statements?.map(() => ({})) };
    },
  },
  {
    what: 'what is left unprocessed of writes is not asked again',
    rules: ['every task ends', 'every tick runs', 'reached steps run', 'nothing in flight'],
    faults: { partialFailure: 0.2 },
    client: ignoringField('UnprocessedItems'),
  },
  {
    what: 'what is left unprocessed of reads is not asked again',
    rules: ['every task ends', 'every tick runs', 'reached steps run', 'right values in order'],
    faults: { partialFailure: 0.2 },
    client: ignoringField('UnprocessedKeys'),
  },
  {
    what: 'entries that SQS did not take are taken for sent',
    rules: ['every task ends', 'every tick runs', 'reached steps run', 'links follow successes'],
    faults: { partialFailure: 0.2 },
    client: (send) => async (command) => {
      const answer = await send(command);
      if (!('Failed' in answer)) return answer;
      const { Entries = [] } = (command as { readonly input: { readonly Entries?: readonly object[] } }).input;
      return { Successful: Entries };
    },
  },
];
