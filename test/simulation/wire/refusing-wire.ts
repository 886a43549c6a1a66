/** The same refusals as of ports, request by request: of a batch one entry or statement alone. */
import {
  BatchExecuteStatementCommand,
  type BatchStatementErrorCodeEnum,
  type BatchStatementResponse,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { SendMessageBatchCommand, type SendMessageBatchResult, SendMessageCommand } from '@aws-sdk/client-sqs';

import { CURRENT_INVOCATION } from '../../../lib/testing/simulated-invocation.ts';
import type { Send } from '../../support/fake-services/services.ts';
import { messageId, placeOf, type Refusal, refusalError, type Refusals } from '../world/refusals.ts';

const CODES: Readonly<Record<string, BatchStatementErrorCodeEnum>> = {
  ValidationException: 'ValidationError',
  ItemCollectionSizeLimitExceededException: 'ItemCollectionSizeLimitExceeded',
  AccessDeniedException: 'AccessDenied',
  ResourceNotFoundException: 'ResourceNotFound',
};

/** Outside of an invocation a test is talking to its world. */
export function refusingWire(refusals: Refusals, service: Send): Send {
  return async (command) => {
    if (CURRENT_INVOCATION.getStore() === undefined || refusals.size === 0) return service(command);
    if (command instanceof BatchExecuteStatementCommand) return statements(command.input, refusals, service);
    if (command instanceof SendMessageBatchCommand) return entries(command.input, refusals, service);
    const refusal =
      command instanceof UpdateItemCommand
        ? ofUpdate(command.input, refusals)
        : command instanceof SendMessageCommand
          ? ofMessage(command.input.QueueUrl, command.input.MessageBody, refusals)
          : undefined;
    if (refusal !== undefined) throw refusalError(refusal);
    return service(command);
  };
}

const TASK_KEY = /^b'celery-task-meta-(.*)'$/s;
const CHORD_KEY = /^b'chord-unlock-(.*)'$/s;

function ofUpdate(input: UpdateItemCommand['input'], refusals: Refusals): Refusal | undefined {
  const { Key = {}, ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = input;
  const names = new Set(Object.values(ExpressionAttributeNames));
  const values = Object.values(ExpressionAttributeValues);
  const key = Key['id']?.S ?? '';
  const chord = CHORD_KEY.exec(key)?.[1];
  if (chord !== undefined) return markOf(refusals.get(placeOf(chord, Number(values.flatMap(({ NS = [] }) => NS)[0]))));
  const id = TASK_KEY.exec(key)?.[1];
  // A mark of a group names its members.
  if (id === undefined)
    return names.has('done')
      ? values.map(({ S = '' }) => markOf(refusals.get(S))).find((refusal) => refusal !== undefined)
      : undefined;
  const isClaim = names.has('started');
  const isCommit = ['committed', 'status', 'ttl'].every((name) => names.has(name)) && !names.has('name');
  return ofWrite(refusals.get(id), { isClaim, isCommit, isSuccess: values.some(({ S }) => S === 'SUCCESS') });
}

function markOf(refusal: Refusal | undefined): Refusal | undefined {
  return refusal?.at === 'mark' ? refusal : undefined;
}

interface Write {
  readonly isClaim: boolean;
  readonly isCommit: boolean;
  readonly isSuccess: boolean;
}

function ofWrite(refusal: Refusal | undefined, { isClaim, isCommit, isSuccess }: Write): Refusal | undefined {
  switch (refusal?.at) {
    case 'claim':
      return isClaim ? refusal : undefined;
    case 'commit':
      return isCommit ? refusal : undefined;
    case 'outcome':
      return isCommit && isSuccess ? refusal : undefined;
    case 'send':
    case 'mark':
    case undefined:
    default:
      return undefined;
  }
}

async function statements(
  { Statements = [] }: BatchExecuteStatementCommand['input'],
  refusals: Refusals,
  service: Send,
): Promise<object> {
  const refused = Statements.map(({ Statement = '', Parameters = [] }) => {
    const id = Parameters.flatMap(({ S = '' }) => TASK_KEY.exec(S)?.[1] ?? [])[0] ?? '';
    const isClaim = Statement.startsWith('INSERT');
    const isSuccess = Parameters.some(({ S }) => S === 'SUCCESS');
    return ofWrite(refusals.get(id), { isClaim, isCommit: !isClaim, isSuccess });
  });
  const left = Statements.filter((_, index) => refused[index] === undefined);
  const answer: { readonly Responses?: BatchStatementResponse[] } =
    left.length === 0 ? {} : await service(new BatchExecuteStatementCommand({ Statements: left }));
  const answers = (answer.Responses ?? []).values();
  return {
    Responses: refused.map((refusal) =>
      refusal === undefined
        ? answers.next().value
        : { Error: { Code: CODES[refusal.error] ?? 'ValidationError', Message: 'refused' } },
    ),
  };
}

function ofMessage(url: string | undefined, body: string | undefined, refusals: Refusals): Refusal | undefined {
  if (/-dead(?:\.fifo)?$/.test(url ?? '')) return undefined;
  const refusal = refusals.get(messageId(body ?? ''));
  return refusal?.at === 'send' ? refusal : undefined;
}

async function entries(
  { QueueUrl, Entries = [] }: SendMessageBatchCommand['input'],
  refusals: Refusals,
  service: Send,
): Promise<object> {
  const refusalOf = (body?: string): Refusal | undefined => ofMessage(QueueUrl, body, refusals);
  const left = Entries.filter(({ MessageBody }) => refusalOf(MessageBody) === undefined);
  const answer: Partial<SendMessageBatchResult> =
    left.length === 0 ? {} : await service(new SendMessageBatchCommand({ QueueUrl, Entries: left }));
  const failed = Entries.flatMap(({ Id, MessageBody }) => {
    const refusal = refusalOf(MessageBody);
    return refusal === undefined ? [] : [{ Id, Code: refusal.error, Message: 'refused', SenderFault: true }];
  });
  return { ...answer, Failed: [...(answer.Failed ?? []), ...failed] };
}
