/** What is said of a request that failed: word by word, since people act on it. */
import { TaskService } from 'celeriac/infra';
import { describe, expect, it } from 'vitest';

import { CallBudgetOver } from '../../lib/aws/call-budget.ts';
import { operationalError } from '../../lib/aws/call-errors.ts';

const request = {
  service: 'DynamoDB',
  operation: 'GetItem',
  resource: 'table results',
  endpoint: 'https://there',
  region: 'eu-central-1',
  tries: 3,
  last: undefined,
};
const FAILED = 'DynamoDB GetItem (table results) to https://there failed (region eu-central-1): ';
const named = (name: string, message: string, more: object = {}): Error =>
  Object.assign(new Error(message), { name, ...more });

describe('the error in words', () => {
  it.each<[unknown, string]>([
    [named('Odd', 'it is odd'), 'Odd: it is odd.'],
    [named('Odd', 'it is odd.'), 'Odd: it is odd.'],
    [named('Odd', 'an Odd one'), 'an Odd one.'],
    [named('Odd', ''), 'Odd.'],
    [named('Odd', 'it is odd', { code: 'EODD' }), 'EODD: it is odd.'],
    [named('Odd', '', { code: 'EODD' }), 'EODD.'],
    [named('Odd', '', { errors: [new Error('one'), new Error('two')] }), 'Odd: one; two.'],
    [named('Odd', 'x'.repeat(600)), `Odd: ${'x'.repeat(500)}.`],
    [{ name: 5, message: 5, code: 5 }, 'Error.'],
    ['down', 'Error.'],
    [undefined, 'Error.'],
  ])('%#', (error, words) => {
    expect(operationalError(error, request).message).toBe(FAILED + words);
  });

  it.each([
    [{ resource: undefined }, 'DynamoDB GetItem to https://there failed (region eu-central-1)'],
    [{ endpoint: undefined }, 'DynamoDB GetItem (table results) was not sent (region eu-central-1)'],
    [{ region: undefined }, 'DynamoDB GetItem (table results) to https://there failed (region unknown)'],
  ])('%j', (more, words) => {
    expect(operationalError(named('Odd', ''), { ...request, ...more }).message).toBe(`${words}: Odd.`);
  });
});

describe('a call whose time is over', () => {
  const over = new CallBudgetOver(5);

  it('tells of the newest error, which is its cause', () => {
    const last = named('Odd', 'it is odd');
    const told = operationalError(over, { ...request, last });
    expect(told.message).toBe(`${FAILED}no request succeeded within 5 s; the last of 3 tries: Odd: it is odd.`);
    expect(told).toMatchObject({ cause: last, timedOut: true });
  });

  it.each([
    [request, FAILED],
    [undefined, 'A request to AWS failed: '],
  ])('which nobody answered: %#', (failed, words) => {
    const told = operationalError(over, failed);
    expect(
      told.message.startsWith(`${words}no request succeeded within 5 s (no answer at all). Check AWS_REGION`),
    ).toBe(true);
    expect(told).toMatchObject({ cause: over, timedOut: true, retryable: true });
  });
});

describe('what helps', () => {
  it.each<[Error, boolean, string]>([
    [named('Error', 'Region is missing'), false, 'Set AWS_REGION.'],
    [named('CredentialsProviderError', 'none'), false, 'No credentials were found'],
    [named('Error', 'Could not load credentials from any providers'), false, 'No credentials were found'],
    [named('Error', 'Resolved credential object is not valid'), false, 'No credentials were found'],
    [named('ExpiredTokenException', ''), false, 'These credentials are not valid there'],
    [named('AccessDeniedException', ''), false, 'The credentials do not allow it'],
    [named('Odd', '', { $metadata: { httpStatusCode: 403 } }), false, 'The credentials do not allow it'],
    [named('QueueDoesNotExist', ''), false, 'It is not there'],
    [named('ThrottlingException', ''), true, 'The service is busy'],
    [named('Error', '', { code: 'ECONNREFUSED' }), true, 'Check AWS_REGION'],
    [named('TimeoutError', ''), true, 'Check AWS_REGION'],
  ])('%s', (error, retryable, hint) => {
    const told = operationalError(error, request);
    expect(told.message).toContain(`. ${hint}`);
    expect(told).toMatchObject({ retryable, timedOut: false, cause: error });
  });

  it.each([
    ['SendMessage', ['grantEnqueue']],
    ['ReceiveMessage', ['grantDeadLetters', 'grantOperate']],
    ['PurgeQueue', ['grantOperate']],
    ['GetQueueAttributes', ['grantExplain', 'grantPause', 'grantOperate']],
    ['DisableRule', ['grantSchedules']],
    // Each of a table's keys is another one's.
    ['Query', expect.arrayContaining(['grantHistory', 'grantLocks', 'grantSchedules', 'grantOperate'])],
  ])('of %s that is not allowed: the grant that is meant, and one that there is', (operation, grants) => {
    const told = operationalError(named('AccessDeniedException', ''), { ...request, operation });
    const said = told.message.match(/grant\w+/g) ?? [];
    expect(said).toEqual(grants);
    for (const grant of said) expect(TaskService.prototype).toHaveProperty(grant);
  });

  it.each([
    [{ $fault: 'client', $metadata: { httpStatusCode: 400 } }, false],
    [{ $fault: 'server', $metadata: { httpStatusCode: 500 } }, true],
    [{ $fault: 'client', $metadata: { httpStatusCode: 404 } }, false],
  ])('nothing is said of others: %j', (more, retryable) => {
    const told = operationalError(named('Odd', '', more), request);
    expect(told.message).toBe(`${FAILED}Odd.`);
    expect(told.retryable).toBe(retryable);
  });
});
