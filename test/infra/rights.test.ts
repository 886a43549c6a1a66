/** Each role may do what its code does, and no more: one life of a service in which every function and caller does all that it may. */
import { readdirSync, readFileSync } from 'node:fs';
import { Celeriac, silentLogger } from 'celeriac';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RULES, SWEEPER } from '../../lib/local/actors.ts';
import { rightsAsked } from '../support/iam/asked.ts';
import { type Granted, grantedBy, kinds, missedWithout, unusedOf } from '../support/iam/gate.ts';
import { decide } from '../support/iam/policy.ts';
import { rolesOf, type ServiceRoles } from '../support/iam/roles.ts';
import { Scenario, scenarioRoles, WORKER } from '../support/iam/scenario.ts';

const roles = scenarioRoles();
const { gate } = roles;
let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start(roles);
  await scenario.live();
});
afterAll(() => scenario.stop());

// Granted, though nothing here uses it: what Lambda itself does with the function's role.
const OF_LAMBDA: readonly (readonly [RegExp, string])[] = [
  [/^logs:(?:CreateLogStream|PutLogEvents) /, "Lambda writes the function's log with it"],
  [/^sqs:GetQueueAttributes /, 'Lambda refuses to make an event source mapping without it'],
];
// Of senders.
const FREED: readonly [RegExp, string] = [
  /^dynamodb:DeleteItem rights-state unique#\*/,
  'a key is free again where SQS refuses its message for good',
];
const JUSTIFIED: Readonly<Record<string, readonly (readonly [RegExp, string])[]>> = {
  [WORKER]: [
    ...OF_LAMBDA,
    [
      /^dynamodb:GetItem rights-state parked#\*/,
      'a place in a line is looked at where others changed its key meanwhile',
    ],
    [/^dynamodb:GetItem rights-state rate#\*/, 'a line that was refused is read, where the refusal brings no item'],
  ],
  [SWEEPER]: OF_LAMBDA,
  locks: [],
  history: [],
  explain: [],
  letters: [[/^sqs:.* rights-orders/, 'of a FIFO queue the same is asked as of the other one']],
  pause: [],
  enqueue: [FREED],
  outbox: [],
  results: [],
  manage: [],
  schedules: [FREED],
};

it('every role may do everything that it did', () => {
  expect(gate.denied).toEqual([]);
  expect(kinds(gate.of(RULES))).toEqual([`${RULES} sqs:SendMessage rights-default`]);
});

describe.each(Object.entries(JUSTIFIED))('%s', (role, justified) => {
  const isJustified = (right: Granted): boolean => justified.some(([pattern]) => pattern.test(told(right)));

  it('used everything that it is granted', () => {
    const unused = unusedOf(roles.statementsOf(role), gate.of(role));
    expect(unused.filter((right) => !isJustified(right)).map(told)).toEqual([]);
    // A reason that nothing needs any more is none.
    for (const [pattern] of justified) expect(unused.map(told)).toContainEqual(expect.stringMatching(pattern));
  });

  it('cannot do without any of it', () => {
    const statements = roles.statementsOf(role);
    const needed = grantedBy(statements).filter((right) => !isJustified(right));
    expect(needed.length).toBeGreaterThan(0);
    const idle = needed.filter((right) => missedWithout(statements, right, gate.of(role)).length === 0);
    expect(idle.map(told)).toEqual([]);
  });
});

it('an operator may what all others may, and look into queues and empty them', () => {
  const rightsOfRole = (role: string): string[] => [...new Set(grantedBy(roles.statementsOf(role)).map(told))];
  const parts = ['enqueue', 'results', 'manage', 'schedules', 'locks', 'history', 'letters', 'pause', 'explain'];
  const granted = grantedBy(roles.statementsOf('operate'));
  const purges = granted.filter((right) => /PurgeQueue/.test(told(right)));
  const looks = granted.filter((right) => /ReceiveMessage/.test(told(right)) && !/dlq|dead/i.test(told(right)));
  expect(rightsOfRole('operate').toSorted()).toEqual(
    [...new Set([...parts.flatMap(rightsOfRole), ...[...purges, ...looks].map(told)])].toSorted(),
  );
  expect(purges).toHaveLength(3);
  // Of a FIFO queue nobody takes a look.
  expect(looks).toHaveLength(2);
  for (const right of [...purges, ...looks])
    expect(missedWithout(roles.statementsOf('operate'), right, gate.of('operate'))).not.toEqual([]);
});

const TASK = "b'celery-task-meta-1'";
const RESULTS = { TableName: 'rights-results' };
const STATE = { TableName: 'rights-state' };
const state = (pk: string, sk = 'x', more: object = {}): object => ({ pk: { S: pk }, sk: { S: sk }, ...more });
const put = (Item: object): readonly [string, object] => [
  'DynamoDB_20120810.BatchWriteItem',
  batch({ PutRequest: { Item } }),
];
const drop = (Key: object): readonly [string, object] => [
  'DynamoDB_20120810.BatchWriteItem',
  batch({ DeleteRequest: { Key } }),
];
const batch = (request: object): object => ({ RequestItems: { 'rights-state': [request] } });
const query = (pk: string): readonly [string, object] => [
  'DynamoDB_20120810.Query',
  { ...STATE, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: pk } } },
];
const send = (queue: string): readonly [string, object] => [
  'AmazonSQS.SendMessage',
  { QueueUrl: `http://host/0/${queue}` },
];
const receive = (queue: string): readonly [string, object] => [
  'AmazonSQS.ReceiveMessage',
  { QueueUrl: `http://host/0/${queue}` },
];

const WRONGS: Readonly<Record<string, readonly [string, object]>> = {
  'forge a result': ['DynamoDB_20120810.UpdateItem', { ...RESULTS, Key: { id: { S: TASK } } }],
  'write a result whole': ['DynamoDB_20120810.PutItem', { ...RESULTS, Item: { id: { S: TASK } } }],
  'delete a result': ['DynamoDB_20120810.DeleteItem', { ...RESULTS, Key: { id: { S: TASK } } }],
  'read a result': ['DynamoDB_20120810.GetItem', { ...RESULTS, Key: { id: { S: TASK } } }],
  'read results by a statement': [
    'DynamoDB_20120810.ExecuteStatement',
    { Statement: 'SELECT * FROM "rights-results" WHERE "id" = ?', Parameters: [{ S: TASK }] },
  ],
  'mark a member of a group': ['DynamoDB_20120810.UpdateItem', { ...STATE, Key: state('group#1', 'part#0#000000') }],
  'put a whole count of members': [
    'DynamoDB_20120810.PutItem',
    { ...STATE, Item: state('group#1', 'part#0#000000', { done: { NS: ['0'] } }) },
  ],
  'the same in a batch': put(state('group#1', 'part#0#000000', { done: { NS: ['0'] } })),
  'forget a group': drop(state('group#1')),
  'read how far a group is': query('group#1'),
  'define a group': ['DynamoDB_20120810.PutItem', { ...STATE, Item: state('group#1', 'root', { body: { B: '' } }) }],
  'take a key': ['DynamoDB_20120810.UpdateItem', { ...STATE, Key: state('unique#1') }],
  'free a key': ['DynamoDB_20120810.DeleteItem', { ...STATE, Key: state('unique#1') }],
  'read what is debounced': ['DynamoDB_20120810.GetItem', { ...STATE, Key: state('debounce#1') }],
  'forget what is debounced': ['DynamoDB_20120810.DeleteItem', { ...STATE, Key: state('debounce#1') }],
  'store a timer': put(state('timer#1')),
  'read timers': query('timer#1'),
  'pause a queue': ['DynamoDB_20120810.PutItem', { ...STATE, Item: state('paused') }],
  'change a schedule entry': ['DynamoDB_20120810.PutItem', { ...STATE, Item: state('schedule') }],
  'read schedule entries': query('schedule'),
  'take a lock away': ['DynamoDB_20120810.UpdateItem', { ...STATE, Key: state('lock#3', 'user#mine') }],
  'list locks': query('lock#3'),
  'forge a history': ['DynamoDB_20120810.PutItem', { ...STATE, Item: state('history#1#2') }],
  'read the history': query('history#1#2'),
  'forge statistics': ['DynamoDB_20120810.PutItem', { ...STATE, Item: state('stats#minute') }],
  'have a minute counted again': ['DynamoDB_20120810.PutItem', { ...STATE, Item: state('history-roll') }],
  'send a task': send('rights-default'),
  'write a dead letter': send('rights-default-dead'),
  "write another queue's dead letter": send('rights-orders-dead.fifo'),
  'send to the lost queue': send('rights-lost'),
  'take a task': receive('rights-default'),
  "take another queue's task": receive('rights-orders.fifo'),
  'read dead letters': receive('rights-default-dead'),
};

// What of these each may do; all others are refused.
const MAY: Readonly<Record<string, readonly string[]>> = {
  pause: ['pause a queue'],
  locks: ['take a lock away', 'list locks'],
  history: ['read a result', 'read the history'],
  // Whether the task that stands for a key has ended is read.
  enqueue: [
    'read a result',
    'define a group',
    'take a key',
    'free a key',
    'read what is debounced',
    'store a timer',
    'send a task',
  ],
  results: ['read a result', 'read how far a group is'],
  manage: ['forge a result', 'delete a result', 'read a result', 'forget a group', 'read how far a group is'],
  schedules: [
    'forge a result',
    'read a result',
    'define a group',
    'take a key',
    'free a key',
    'read what is debounced',
    'store a timer',
    'change a schedule entry',
    'read schedule entries',
    'send a task',
  ],
  letters: ['forge a result', 'delete a result', 'read a result', 'send a task', 'read dead letters'],
  [WORKER]: [
    'forge a result',
    'delete a result',
    'read a result',
    'mark a member of a group',
    'put a whole count of members',
    'the same in a batch',
    'forget a group',
    'read how far a group is',
    'define a group',
    'take a key',
    'free a key',
    'read what is debounced',
    'forget what is debounced',
    'store a timer',
    'take a lock away',
    'forge a history',
    'have a minute counted again',
    'send a task',
    'write a dead letter',
    'take a task',
  ],
  [SWEEPER]: [
    'forge a result',
    'delete a result',
    'read a result',
    'store a timer',
    'read timers',
    'change a schedule entry',
    'forge a history',
    'read the history',
    'forge statistics',
    'have a minute counted again',
    'send a task',
    'write a dead letter',
    "write another queue's dead letter",
  ],
};

it('a service whose tasks are neither unique nor debounced grants nothing for it', () => {
  const plain = rolesOf(new Celeriac('rights', { logger: silentLogger }), {
    enqueue: (service, grantee) => void service.grantEnqueue(grantee),
  });
  for (const [role, may] of Object.entries({ enqueue: 3, [WORKER]: 15 })) {
    const allowed = allowedTo(plain, role);
    expect(allowed).toHaveLength(may);
    expect(allowed.filter((what) => /key|debounced/.test(what))).toEqual([]);
  }
});

it("with history: 'off' nobody may write one, and the sweeper may not read what stands there from before", () => {
  const off = rolesOf(new Celeriac('rights', { history: 'off', logger: silentLogger }), {});
  for (const role of [WORKER, SWEEPER]) {
    const [kept, without] = [allowedTo(roles, role), allowedTo(off, role)];
    expect(kept.filter((what) => OF_HISTORY.test(what)).length).toBeGreaterThan(1);
    expect(without.filter((what) => OF_HISTORY.test(what))).toEqual([]);
    expect(JSON.stringify(off.statementsOf(role))).not.toMatch(/history|stats#/);
  }
});
const OF_HISTORY = /history|statistics|minute/;

it.each(Object.entries(MAY))('%s may do of what would be wrong only what it is for', (role, may) => {
  expect(allowedTo(roles, role)).toEqual(may);
});

it('a grant that is not there is told by the call that needs it', async () => {
  const [sender, reader] = [scenario.as('enqueue'), scenario.as('results')];
  const sent = await sender.add.delay(1, 2);
  const denied = {
    name: 'OperationalError',
    message: expect.stringMatching(
      /AccessDenied.*not authorized to perform: dynamodb:.*grantResults\(fn\), grantManage\(fn\), .*grantLocks\(fn\), grantHistory\(fn\)/,
    ),
  };
  await expect(sender.app.groupResult('a')).rejects.toMatchObject(denied);
  await expect(sent.revoke()).rejects.toMatchObject(denied);
  await expect(reader.app.result(sent.id).revoke()).rejects.toMatchObject(denied);
  await expect(sender.app.schedules.list()).rejects.toMatchObject(denied);
  await expect(reader.add.delay(1, 2)).rejects.toMatchObject({
    name: 'EnqueueFailed',
    message: expect.stringContaining('not authorized to perform: sqs:sendmessage on resource'),
  });
  expect(gate.takeDenied()).toEqual([
    'enqueue dynamodb:Query rights-state group',
    'enqueue dynamodb:Query rights-state schedule',
    "enqueue dynamodb:UpdateItem rights-results b'celery",
    "results dynamodb:UpdateItem rights-results b'celery",
    'results sqs:SendMessage rights-default',
  ]);
});

it('no policy comes near the size that IAM takes', () => {
  // 10,240 characters for all inline policies of a role, white space not counted; rules may take half of them.
  for (const role of Object.keys(JUSTIFIED)) expect(JSON.stringify(roles.statementsOf(role)).length).toBeLessThan(4500);
});

it('every command of the adapters was asked for', () => {
  const made = new Set(gate.recorded.map(({ action }) => action.replace(/.*:/, '')));
  // Making queues and tables is the local cloud's; how much lies in queues is asked by who looks after them, who empties them too.
  const others = new Set(['provision.ts', 'sqs-depths.ts', 'sqs-purges.ts']);
  const sources = readdirSync('lib/aws').filter((file) => file.endsWith('.ts') && !others.has(file));
  const commands = sources.flatMap((file) => [
    ...readFileSync(`lib/aws/${file}`, 'utf8').matchAll(/new (?:sdk\.)?(\w+?)(?:Batch)?Command\(/g),
  ]);
  const operations = new Set(commands.map(([, operation = '']) => operation));
  expect(operations.size).toBeGreaterThan(10);
  expect([...operations].filter((operation) => !made.has(operation))).toEqual(['BatchExecuteStatement']);
  expect(made).toContain('PartiQLInsert');
  expect(made).toContain('PartiQLUpdate');
});

function allowedTo({ statementsOf }: ServiceRoles, role: string): readonly string[] {
  const allowed = Object.entries(WRONGS).filter(([, [target, input]]) =>
    rightsAsked(target, input as Record<string, unknown>).every((asked) => decide(statementsOf(role), asked).allowed),
  );
  return allowed.map(([what]) => what);
}

/** Of a queue or a table its name; of objects those of a bucket, as in `messages/*`. */
function shortened(resource: string): string {
  return resource.replace(/^arn:aws:s3:::[^/]+\/|^.*[:/]/, '');
}

function told({ action, resource, key }: Granted): string {
  return [action, shortened(resource), ...(key === undefined ? [] : [key])].join(' ');
}
