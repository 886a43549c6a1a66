/** Each role may do with large arguments and results what its code does, and no more. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SWEEPER } from '../../lib/local/actors.ts';
import { rightsAsked } from '../support/iam/asked.ts';
import { type Granted, grantedBy, missedWithout, unusedOf } from '../support/iam/gate.ts';
import { liveLarge } from '../support/iam/large-life.ts';
import { decide } from '../support/iam/policy.ts';
import { LARGE } from '../support/iam/program.ts';
import { Scenario, scenarioRoles, WORKER } from '../support/iam/scenario.ts';

const roles = scenarioRoles(true);
const { gate } = roles;
let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start(roles, true);
  await liveLarge(scenario);
});
afterAll(() => scenario.stop());

const of = (Bucket: string, Key?: string): Record<string, unknown> => ({
  Bucket,
  ...(Key === undefined ? {} : { Key }),
});
const ON = 'rights-payloads';
const WRONGS: Readonly<Record<string, readonly [string, Record<string, unknown>]>> = {
  'store arguments': ['S3.PutObject', of(ON, 'messages/a/b')],
  'read arguments': ['S3.GetObject', of(ON, 'messages/a/b')],
  'delete arguments': ['S3.DeleteObject', of(ON, 'messages/a/b')],
  'store a result': ['S3.PutObject', of(ON, 'results/a/b')],
  'read a result': ['S3.GetObject', of(ON, 'results/a/b')],
  'delete a result': ['S3.DeleteObject', of(ON, 'results/a/b')],
  'list what is stored': ['S3.ListBucket', of(ON)],
  'store something else': ['S3.PutObject', of(ON, 'other')],
  'read something else': ['S3.GetObject', of(ON, 'other')],
  'read of another bucket': ['S3.GetObject', of('others', 'results/a/b')],
  'list another bucket': ['S3.ListBucket', of('others')],
};
const READS_RESULTS = ['read a result', 'list what is stored'];
const MAY: Readonly<Record<string, readonly string[]>> = {
  [WORKER]: [
    'store arguments',
    'read arguments',
    'store a result',
    'read a result',
    'delete a result',
    'list what is stored',
  ],
  [SWEEPER]: ['store arguments', 'store a result', ...READS_RESULTS],
  enqueue: ['store arguments'],
  outbox: ['store arguments'],
  schedules: ['store arguments'],
  results: READS_RESULTS,
  history: READS_RESULTS,
  explain: READS_RESULTS,
  manage: ['delete a result'],
  locks: [],
  pause: [],
  letters: ['store arguments', 'read arguments', 'store a result', ...READS_RESULTS],
};

it('every role may do everything that it did', () => {
  expect(gate.denied).toEqual([]);
});

describe.each(Object.keys(MAY))('%s', (role) => {
  const onBucket = (right: Granted): boolean => right.action.startsWith('s3:');

  it('used everything that it is granted', () => {
    const unused = unusedOf(roles.statementsOf(role), gate.of(role));
    expect(unused.filter(onBucket).map(told)).toEqual([]);
  });

  it('cannot do without any of it', () => {
    const statements = roles.statementsOf(role);
    const idle = grantedBy(statements)
      .filter(onBucket)
      .filter((right) => missedWithout(statements, right, gate.of(role)).length === 0);
    expect(idle.map(told)).toEqual([]);
  });
});

it.each(Object.entries(MAY))('%s may do of what would be wrong only what it is for', (role, may) => {
  const allowed = Object.entries(WRONGS).filter(([, [target, input]]) =>
    rightsAsked(target, input).every((asked) => decide(roles.statementsOf(role), asked).allowed),
  );
  expect(allowed.map(([what]) => what)).toEqual(may);
});

it('a right to the bucket that is not there is told by the call that needs it', async () => {
  const { echo, app } = scenario.as('enqueue');
  const { id } = await echo.delay(LARGE);
  await scenario.deliver();
  const denied = {
    name: 'OperationalError',
    message: expect.stringMatching(/not authorized to perform: s3:GetObject .*grantResults\(fn\)/),
  };
  await expect(app.result(id).get({ timeout: 0 })).rejects.toMatchObject(denied);
  await expect(scenario.as('results').echo.delay(LARGE)).rejects.toMatchObject({
    name: 'EnqueueFailed',
    message: expect.stringContaining('not authorized to perform: s3:PutObject'),
  });
  expect(gate.takeDenied().map((told) => told.split(' ').slice(0, 2).join(' '))).toEqual([
    'enqueue s3:GetObject',
    'results s3:PutObject',
  ]);
});

function told({ action, resource }: Granted): string {
  return `${action} ${resource.replace(/^arn:aws:s3:::[^/]+\/?/, '')}`;
}
