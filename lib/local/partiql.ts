/**
 * Stands before the local DynamoDB server and understands what that server does not: the PartiQL statements
 * of lib/aws/dynamodb-batch.ts and lib/aws/dynamodb-schedules.ts, so that batches go the same way here as on AWS, transactions of writes, and the
 * question about a table's time to live that Celery's backend asks. Everything else is passed on as it is.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { errorMessage } from '../base/error-text.ts';
import { forward, read } from './forward.ts';
import { type Ask, Transactions, Turns } from './transactions.ts';

type Values = Record<string, unknown>;
interface Statement {
  readonly Statement: string;
  readonly Parameters: readonly unknown[];
}

const TARGET = 'DynamoDB_20120810.';
const JSON_TYPE = 'application/x-amz-json-1.0';
const INSERT = /^INSERT INTO "([^"]+)" VALUE \{(.+)\}$/;
// Of the table of results, and of that of states. They stand first in a WHERE.
const KEYS: ReadonlySet<string> = new Set(['id', 'pk', 'sk']);
const UPDATE = /^UPDATE "([^"]+)" (SET .+) WHERE (.+)$/;

/** A server to be listened on; `target` is the DynamoDB server behind it, which listens nowhere. */
export function partiqlProxy(target: Server): Server {
  const turns = new Turns();
  const transactions = new Transactions();
  return createServer((incoming, outgoing) => {
    const serve = async (): Promise<void> => {
      const body = await read(incoming);
      if (incoming.headers['x-amz-target'] !== `${TARGET}TransactWriteItems`)
        return turns.together(() => handle(incoming, body, outgoing, target));
      const request = JSON.parse(body.toString('utf8')) as Values;
      const answer = await turns.alone(() => transactions.write(request, askOf(incoming, target)));
      outgoing.writeHead(answer.status, { 'content-type': JSON_TYPE }).end(JSON.stringify(answer.body));
    };
    serve().catch((error: unknown) => {
      outgoing.writeHead(500).end(errorMessage(error));
    });
  });
}

function askOf(incoming: IncomingMessage, target: Server): Ask {
  return async (operation, input) => {
    const headers = { ...incoming.headers, 'x-amz-target': `${TARGET}${operation}` };
    const { status, body } = await forward(headers, Buffer.from(JSON.stringify(input)), target);
    return { status, body: JSON.parse(body.toString('utf8')) as Values };
  };
}

async function handle(
  incoming: IncomingMessage,
  body: Buffer,
  outgoing: ServerResponse,
  target: Server,
): Promise<void> {
  if (incoming.headers['x-amz-target'] === `${TARGET}BatchExecuteStatement`) {
    const { Statements } = JSON.parse(body.toString('utf8')) as { readonly Statements: readonly Statement[] };
    const Responses = await Promise.all(Statements.map((statement) => execute(statement, incoming, target)));
    outgoing.writeHead(200, { 'content-type': JSON_TYPE }).end(JSON.stringify({ Responses }));
    return;
  }
  if (incoming.headers['x-amz-target'] === `${TARGET}DescribeTimeToLive`) {
    outgoing.writeHead(200, { 'content-type': JSON_TYPE }).end(JSON.stringify(TIME_TO_LIVE));
    return;
  }
  const answer = await forward(incoming.headers, body, target);
  outgoing.writeHead(answer.status, answer.headers).end(answer.body);
}

// As of the tables that infra makes. Nothing is deleted by it here, and every reader filters for itself.
const TIME_TO_LIVE = { TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' } };

async function execute(statement: Statement, incoming: IncomingMessage, target: Server): Promise<object> {
  const call = translate(statement);
  if (call === undefined)
    return { Error: { Code: 'ValidationError', Message: `not understood here: ${statement.Statement}` } };
  const headers = { ...incoming.headers, 'x-amz-target': `${TARGET}${call.operation}` };
  const answer = await forward(headers, Buffer.from(JSON.stringify(call.input)), target);
  if (answer.status === 200) return {};
  const { __type = '', message } = JSON.parse(answer.body.toString('utf8')) as { __type?: string; message?: string };
  const conditional = __type.endsWith('ConditionalCheckFailedException');
  const Code = !conditional
    ? 'InternalServerError'
    : call.operation === 'PutItem'
      ? 'DuplicateItem'
      : 'ConditionalCheckFailed';
  return { Error: { Code, Message: message } };
}

function translate({
  Statement: text,
  Parameters,
}: Statement): { operation: 'PutItem' | 'UpdateItem'; input: Values } | undefined {
  const insert = INSERT.exec(text);
  if (insert) {
    const names = [...(insert[2] ?? '').matchAll(/'([^']+)': \?/g)].map((match) => match[1] ?? '');
    const Item = Object.fromEntries(names.map((name, index) => [name, Parameters[index]]));
    return {
      operation: 'PutItem',
      input: { TableName: insert[1], Item, ConditionExpression: `attribute_not_exists(${names[0]})` },
    };
  }
  const update = UPDATE.exec(text);
  if (!update) return undefined;
  const sets = namesIn(update[2] ?? '');
  const named = namesIn(update[3] ?? '');
  const keys = named.filter((name) => KEYS.has(name));
  const conditions = named.slice(keys.length);
  const placeholders = [...sets, ...conditions];
  const ExpressionAttributeNames = Object.fromEntries(placeholders.map((name) => [`#${name}`, name]));
  const ExpressionAttributeValues: Values = {};
  for (const [index, name] of sets.entries()) ExpressionAttributeValues[`:s${name}`] = Parameters[index];
  for (const [index, name] of conditions.entries())
    ExpressionAttributeValues[`:c${name}`] = Parameters[sets.length + keys.length + index];
  return {
    operation: 'UpdateItem',
    input: {
      TableName: update[1],
      Key: Object.fromEntries(keys.map((name, index) => [name, Parameters[sets.length + index]])),
      UpdateExpression: `SET ${sets.map((name) => `#${name} = :s${name}`).join(', ')}`,
      ConditionExpression: conditions.map((name) => `#${name} = :c${name}`).join(' AND '),
      ExpressionAttributeNames,
      ExpressionAttributeValues,
    },
  };
}

function namesIn(clause: string): string[] {
  return [...clause.matchAll(/"([^"]+)" = \?/g)].map((match) => match[1] ?? '');
}
