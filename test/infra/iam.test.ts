/** The judge itself: IAM's rules on small examples, and what a refused request looks like to an SDK. */
import { BatchExecuteStatementCommand, DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';

import { OPERATOR, RULES } from '../../lib/local/actors.ts';
import { type LocalServer, startDynamodb, startSqs } from '../../lib/local/servers.ts';
import { arnOfQueue, arnOfTable, rightsAsked } from '../support/iam/asked.ts';
import { grantedBy, IamGate, missedWithout, unusedOf } from '../support/iam/gate.ts';
import { type Asked, type Condition, decide, matches, type Statement } from '../support/iam/policy.ts';

const TABLE = arnOfTable('tab');

function allow(Action: string | string[], Resource: string | string[] = TABLE, Condition?: Condition): Statement {
  return { Effect: 'Allow', Action, Resource, ...(Condition === undefined ? {} : { Condition }) };
}

function asked(action: string, resource = TABLE, context: Asked['context'] = {}): Asked {
  return { action, resource, context };
}

const keys = (...values: string[]): Asked['context'] => ({ 'dynamodb:LeadingKeys': values });
const ONLY_A = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['a#*', 'b'] } };

describe('a decision', () => {
  it.each<[string, Statement[], Asked, boolean]>([
    ['nothing is allowed by itself', [], asked('dynamodb:GetItem'), false],
    ['the very action', [allow('dynamodb:GetItem')], asked('dynamodb:GetItem'), true],
    ['an action has no case', [allow('SQS:sendmessage')], asked('sqs:SendMessage'), true],
    ['another action', [allow('dynamodb:GetItem')], asked('dynamodb:PutItem'), false],
    ['UpdateItem is not PartiQLUpdate', [allow('dynamodb:UpdateItem')], asked('dynamodb:PartiQLUpdate'), false],
    ['a wildcard', [allow('dynamodb:Get*')], asked('dynamodb:GetItem'), true],
    ['a wildcard of one character', [allow('dynamodb:Get?tem')], asked('dynamodb:GetItem'), true],
    [
      'a dot is a dot',
      [allow('dynamodb:GetItem', arnOfTable('a.b'))],
      asked('dynamodb:GetItem', arnOfTable('a-b')),
      false,
    ],
    ['another table', [allow('dynamodb:GetItem')], asked('dynamodb:GetItem', arnOfTable('t2')), false],
    [
      'an explicit deny',
      [allow('*', '*'), { ...allow('dynamodb:*'), Effect: 'Deny' }],
      asked('dynamodb:GetItem'),
      false,
    ],
    [
      'a deny of something else',
      [allow('*', '*'), { ...allow('sqs:*', '*'), Effect: 'Deny' }],
      asked('dynamodb:GetItem'),
      true,
    ],
    ['keys that fit', [allow('*', TABLE, ONLY_A)], asked('dynamodb:GetItem', TABLE, keys('a#1', 'b')), true],
    ['one key that does not', [allow('*', TABLE, ONLY_A)], asked('dynamodb:GetItem', TABLE, keys('a#1', 'c')), false],
    ['ForAllValues of no key', [allow('*', TABLE, ONLY_A)], asked('dynamodb:Scan'), true],
    [
      'two statements do not share a request between them',
      ['a#*', 'b'].map((key) => allow('*', TABLE, { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': key } })),
      asked('dynamodb:BatchWriteItem', TABLE, keys('a#1', 'b')),
      false,
    ],
    [
      'ForAnyValue of no key',
      [allow('*', TABLE, { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': 'a' } })],
      asked('dynamodb:GetItem'),
      false,
    ],
    ['a key that is not there', [allow('*', '*', { StringEquals: { x: 'y' } })], asked('sqs:SendMessage', '*'), false],
    [
      'Null of a key that is not there',
      [allow('*', '*', { Null: { s: 'true' } })],
      asked('sqs:SendMessage', '*'),
      true,
    ],
    [
      'Null of a key that is there',
      [allow('*', '*', { Null: { s: 'true' } })],
      asked('sqs:SendMessage', '*', { s: ['x'] }),
      false,
    ],
    ['Bool', [allow('*', '*', { Bool: { s: true } })], asked('sqs:SendMessage', '*', { s: ['true'] }), true],
  ])('%s', (_what, statements, request, allowed) => {
    expect(decide(statements, request).allowed).toBe(allowed);
  });

  it('ArnLike compares part by part', () => {
    const of = (pattern: string): boolean =>
      decide(
        [allow('*', '*', { ArnLike: { 'aws:SourceArn': pattern } })],
        asked('sqs:SendMessage', '*', { 'aws:SourceArn': ['arn:aws:events:eu:1:rule/a-b'] }),
      ).allowed;
    expect(['arn:aws:events:eu:1:rule/a-*', 'arn:aws:events:*:1:rule/*', 'arn:aws:*:rule/a-b'].map(of)).toEqual([
      true,
      true,
      false,
    ]);
    expect(matches('arn:aws:*:rule/a-b', 'arn:aws:events:eu:1:rule/a-b')).toBe(true);
  });

  it('judges nothing that it does not know', () => {
    const strange = [allow('*', '*', { NumericLessThan: { x: '1' } }), { ...allow('*', '*'), NotPrincipal: '*' }];
    for (const statement of strange)
      expect(() => decide([statement], asked('sqs:SendMessage', '*'))).toThrow('not understood here');
    expect(() => decide([allow('*', '*', { StringEquals: { x: 'y' } })], asked('a:B', '*', { x: ['y', 'z'] }))).toThrow(
      'ForAllValues',
    );
    for (const target of ['DynamoDB_20120810.TransactGetItems', 'AmazonSNS.Publish', 'AmazonSQS.StartMessageMoveTask'])
      expect(() => rightsAsked(target, {})).toThrow('not understood here');
  });
});

it('rights that nothing used, and what fails without one', () => {
  const both = allow(['dynamodb:GetItem', 'dynamodb:PutItem'], TABLE, ONLY_A);
  const recorded = [asked('dynamodb:GetItem', TABLE, keys('a#1')), asked('dynamodb:PutItem', TABLE, keys('b', 'a#2'))];
  expect(unusedOf([both], recorded).map(({ action, key }) => [action, key])).toEqual([['dynamodb:GetItem', 'b']]);
  const missed = grantedBy([both]).map((right) => missedWithout([both], right, recorded).map(({ action }) => action));
  expect(missed).toEqual([['dynamodb:GetItem'], [], ['dynamodb:PutItem'], ['dynamodb:PutItem']]);
});

describe('a refused request', () => {
  const EVERYBODY = { Principal: { AWS: '*' } };
  const gate = new IamGate({
    statementsOf: (actor) =>
      actor === 'reader'
        ? [allow(['dynamodb:PartiQLInsert', 'dynamodb:Query'], TABLE, ONLY_A), allow('sqs:*', '*')]
        : undefined,
    resourceStatements: (arn) => [
      {
        ...allow('sqs:SendMessage', arn),
        ...EVERYBODY,
        Effect: 'Deny',
        Condition: { StringEquals: { never: 'there' } },
      },
      ...(arn.endsWith(':shut') ? [{ ...allow('sqs:*', arn), ...EVERYBODY, Effect: 'Deny' as const }] : []),
      {
        ...allow('sqs:SendMessage', arn, { ArnLike: { 'aws:SourceArn': 'arn:aws:events:*:*:rule/mine-*' } }),
        Principal: { Service: 'events.amazonaws.com' },
      },
    ],
    rulesOn: (arn) =>
      (arn.endsWith(':ticked') ? ['mine-1', 'yours-1'] : ['mine-1']).map(
        (name) => `arn:aws:events:us-east-1:0:rule/${name}`,
      ),
  });

  async function over<T>(start: typeof startSqs, run: (endpoint: string) => Promise<T>): Promise<T> {
    const server: LocalServer = await start(0, gate.authorize);
    try {
      return await run(server.endpoint);
    } finally {
      await server.stop();
    }
  }
  const config = (endpoint: string, accessKeyId = 'reader'): object => ({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey: 'x' },
    maxAttempts: 1,
  });

  it('is the error that AWS gives', async () => {
    await over(startDynamodb, async (endpoint) => {
      const client = new DynamoDBClient(config(endpoint));
      await expect(
        client.send(new PutItemCommand({ TableName: 'tab', Item: { pk: { S: 'b' } } })),
      ).rejects.toMatchObject({
        name: 'AccessDeniedException',
        message:
          'User: arn:aws:sts::000000000000:assumed-role/reader/reader is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/tab because no identity-based policy allows the dynamodb:PutItem action',
      });
      // What is allowed comes through: the table is not there.
      const query = {
        TableName: 'tab',
        KeyConditionExpression: '#k = :k',
        ExpressionAttributeNames: { '#k': 'pk' },
        ExpressionAttributeValues: { ':k': { S: 'b' } },
      };
      await expect(client.send(new QueryCommand(query))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
      const insert = (key: string): object => ({
        Statement: `INSERT INTO "tab" VALUE {'pk': ?}`,
        Parameters: [{ S: key }],
      });
      const { Responses = [] } = await client.send(
        new BatchExecuteStatementCommand({ Statements: [insert('c'), insert('b')] as never }),
      );
      expect(Responses.map(({ Error: error }) => error?.Code)).toEqual(['AccessDenied', 'InternalServerError']);
      client.destroy();
    });
    await over(startSqs, async (endpoint) => {
      const send = (queue: string, actor?: string): Promise<unknown> =>
        new SQSClient(config(endpoint, actor)).send(
          new SendMessageBatchCommand({ QueueUrl: `${endpoint}/0/${queue}`, Entries: [{ Id: '0', MessageBody: 'x' }] }),
        );
      await expect(send('shut')).rejects.toMatchObject({
        message: expect.stringMatching(
          /perform: sqs:sendmessage on resource: .*:shut with an explicit deny in a resource-based policy$/,
        ),
        $metadata: { httpStatusCode: 403 },
      });
      for (const actor of ['reader', OPERATOR, RULES])
        await expect(send('open', actor)).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
      // One of the rules that send there is none of the service's.
      await expect(send('ticked', RULES)).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
      await expect(send('open', 'nobody')).rejects.toThrow();
    });
    expect(gate.denied).toEqual([
      'reader dynamodb:PartiQLInsert tab c',
      'reader dynamodb:PutItem tab b',
      `reader sqs:SendMessage ${arnOfQueue('shut').replace(/.*:/, '')}`,
      'rules sqs:SendMessage ticked',
    ]);
  });
});
