/** What a service refuses has the SDK's name, and is tried as often as the SDK tries it. */
import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as sqs from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';

import * as lean from '../../lib/aws/lean/index.ts';
import { retryAfterOf, StandardRetries } from '../../lib/aws/lean/retries.ts';
import { isPassing } from '../../lib/base/passing.ts';
import { type Answering, commandOf, pairOf, Recorder, type ServiceName } from './wire.ts';

interface Ended {
  readonly name: string;
  readonly message: string;
  readonly fault: unknown;
  readonly status: unknown;
  readonly requestId: unknown;
  readonly attempts: unknown;
  readonly tries: number;
  readonly passing: boolean;
  readonly retryable: unknown;
}

async function ends(
  service: ServiceName,
  answer: (number: number) => Answering,
): Promise<Record<'sdk' | 'lean', Ended>> {
  const handlers = { sdk: new Recorder(answer), lean: new Recorder(answer) };
  const pair = await pairOf(service, { requestHandler: handlers.sdk, md5: false }, { requestHandler: handlers.lean });
  const what =
    service === 'SQS'
      ? ({
          service,
          operation: 'SendMessage',
          input: { QueueUrl: 'https://sqs.eu-central-1.amazonaws.com/1/a', MessageBody: 'a' },
        } as const)
      : ({ service, operation: 'GetItem', input: { TableName: 'a', Key: {} } } as const);
  const of = async (library: 'sdk' | 'lean'): Promise<Ended> => {
    const error = await pair[library].send(commandOf(library, what)).then(
      () => expect.fail('it succeeded'),
      (thrown: unknown) => thrown as sqs.SQSServiceException,
    );
    const { httpStatusCode, requestId, attempts } = error.$metadata;
    return {
      name: error.name,
      // The SDK says of what it cannot read how to look at it.
      message: error.name === 'SyntaxError' ? '' : error.message,
      fault: error.$fault,
      status: httpStatusCode,
      requestId,
      attempts,
      tries: handlers[library].requests.length,
      passing: isPassing(error),
      retryable: error.$retryable,
    };
  };
  return { sdk: await of('sdk'), lean: await of('lean') };
}

const isException = ([name, value]: [string, unknown]): boolean =>
  typeof value === 'function' && value.prototype instanceof Error && !name.endsWith('ServiceException');
const namesOf = (client: object): string[] =>
  Object.entries(client)
    .filter(isException)
    .map(([name]) => name);

// As the service writes them in its older protocol, beside those that are the same in both.
const QUERY_CODES = [
  'NonExistentQueue',
  'BatchEntryIdsNotDistinct',
  'BatchRequestTooLong',
  'EmptyBatchRequest',
  'InvalidBatchEntryId',
  'MessageNotInflight',
  'PurgeQueueInProgress',
  'QueueDeletedRecently',
  'TooManyEntriesInBatchRequest',
  'UnsupportedOperation',
  'NobodyKnowsThis',
]
  .map((name) => `AWS.SimpleQueueService.${name}`)
  .concat(
    ['AccessDenied', 'Disabled', 'InvalidKeyUsage', 'InvalidState', 'NotFound', 'Throttling'].map(
      (name) => `KMS.${name}Exception`,
    ),
    [
      'KMS.OptInRequired',
      'QueueAlreadyExists',
      'ReceiptHandleIsInvalid',
      'OverLimit',
      'RequestThrottled',
      'InvalidSecurity',
    ],
    [
      'AccessDenied',
      'InvalidParameterValue',
      'Throttling',
      'ThrottlingException',
      'InternalError',
      'ServiceUnavailable',
    ],
  );

describe('names', () => {
  const body = (type: string): string => JSON.stringify({ __type: type, message: `told: ${type}` });

  it.each([...namesOf(dynamodb), 'ThrottledException', 'UnrecognizedClientException', 'ValidationException', 'Nobody'])(
    'DynamoDB: %s',
    async (name) => {
      // Of these the fault is the model's, whatever the status: the services keep to it.
      for (const status of name === 'InternalServerError' ? [500] : name in dynamodb ? [400] : [400, 500]) {
        const answer = { status, body: body(`com.amazonaws.dynamodb.v20120810#${name}`) };
        const { sdk, lean: own } = await ends('DynamoDB', () => answer);
        expect(own).toEqual(sdk);
        expect(own.name).toBe(name);
      }
    },
  );

  it.each([...namesOf(sqs), 'AccessDenied', 'InvalidParameterValue', 'Nobody'])('SQS: %s', async (name) => {
    for (const status of name in sqs ? [400, 403, 404] : [400, 403, 500]) {
      const { sdk, lean: own } = await ends('SQS', () => ({ status, body: body(`com.amazonaws.sqs#${name}`) }));
      expect(own).toEqual(sdk);
    }
  });

  it.each(QUERY_CODES)('SQS, in its older protocol: %s', async (code) => {
    const headers = { 'x-amzn-query-error': `${code};Sender`, 'x-amzn-requestid': 'r-1' };
    const answer = { status: 400, headers, body: body('com.amazonaws.sqs#Something') };
    const { sdk, lean: own } = await ends('SQS', () => answer);
    expect(own).toEqual(sdk);
  });

  const ODD: readonly (readonly [string, Answering])[] = [
    ['nothing', { body: '' }],
    ['an empty object', { body: '{}' }],
    ['another spelling', { body: '{"__type":"AccessDeniedException","Message":"no"}' }],
    ['a header', { headers: { 'x-amzn-errortype': 'ThrottledException:http://aws/' }, body: '{}' }],
    ['a code', { body: '{"code":"SlowDown","message":"please"}' }],
    ['a web page', { body: '<html>502</html>' }],
    ['half of an answer', { body: '{"__type":"Thrott' }],
    ['null', { body: 'null' }],
  ];
  it.each(
    ODD.flatMap(([what, answer]) =>
      [301, 400, 403, 404, 429, 500, 501, 502, 503, 504].map((status) => [what, status, answer] as const),
    ),
  )('%s, with status %i', async (_what, status, answer) => {
    for (const service of ['SQS', 'DynamoDB'] as const) {
      const { sdk, lean: own } = await ends(service, () => ({ status, ...answer }));
      expect(own).toEqual(sdk);
    }
  });

  it.each(['{', 'garbage', '{"MessageId":"m"', '\u0000'])('success that cannot be read: %s', async (text) => {
    for (const service of ['SQS', 'DynamoDB'] as const) {
      const { sdk, lean: own } = await ends(service, () => ({ body: text }));
      expect(own).toEqual(sdk);
      expect(own).toMatchObject({ name: 'SyntaxError', status: 200, tries: 1, passing: true });
    }
  });

  it('a condition that does not hold tells what stands there', async () => {
    const item = { id: { S: 'a' }, result: { B: Buffer.from('bytes').toString('base64') } };
    const recorder = new Recorder(() => ({
      status: 400,
      body: JSON.stringify({ __type: 'a#ConditionalCheckFailedException', message: 'no', Item: item }),
    }));
    const { lean: client } = await pairOf('DynamoDB', {}, { requestHandler: recorder });
    const sent = client.send(commandOf('lean', { service: 'DynamoDB', operation: 'PutItem', input: { Item: {} } }));
    const error = (await sent.catch((thrown: unknown) => thrown)) as dynamodb.ConditionalCheckFailedException;
    expect(error).toBeInstanceOf(lean.ConditionalCheckFailedException);
    expect(error.Item).toEqual({ id: { S: 'a' }, result: { B: new Uint8Array(Buffer.from('bytes')) } });
  });
});

describe('tries', () => {
  const options = { maxAttempts: 4, baseDelayMs: 50, nowMs: () => 1000 };

  it('pause at random up to a ceiling that doubles, and longer after a throttle', async () => {
    for (const [errorType, first] of [
      ['TRANSIENT', 50],
      ['THROTTLING', 1000],
    ] as const) {
      for (const drawn of [0, 0.5, 0.999_999]) {
        const retries = new StandardRetries({ ...options, random: { next: () => drawn } });
        let token = await retries.acquireInitialRetryToken();
        for (let retry = 0; retry < 3; retry += 1) {
          token = await retries.refreshRetryTokenForRetry(token, { error: undefined, errorType });
          expect(token.getRetryDelay()).toBe(Math.floor(drawn * first * 2 ** retry));
        }
        await expect(retries.refreshRetryTokenForRetry(token, { error: undefined, errorType })).rejects.toThrow();
      }
    }
  });

  it('wait as long as the service asks, within five seconds of their own pause', async () => {
    const retries = new StandardRetries({ ...options, random: { next: () => 0.5 } });
    const token = await retries.acquireInitialRetryToken();
    for (const [askedMs, delayMs] of [
      [10, 25],
      [700, 700],
      [60_000, 5025],
      [-5, 25],
    ] as const) {
      const retryAfterHint = new Date(1000 + askedMs);
      const next = await retries.refreshRetryTokenForRetry(token, {
        error: undefined,
        errorType: 'TRANSIENT',
        retryAfterHint,
      });
      expect(next.getRetryDelay()).toBe(delayMs);
    }
  });

  it.each([
    [{ 'retry-after': '3' }, 4000],
    [{ 'retry-after': '0.5' }, 1500],
    [{ 'retry-after': new Date(60_000).toUTCString() }, 60_000],
    [{ 'x-amz-retry-after': '700' }, 1700],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('read %j', (headers, dueMs) => {
    expect(retryAfterOf(headers as Record<string, string>, 1000)?.getTime()).toBe(dueMs);
  });

  it('grow fewer where nothing is answered, until something is', async () => {
    const retries = new StandardRetries({ ...options, random: { next: () => 0 } });
    const first = await retries.acquireInitialRetryToken();
    const again = (): Promise<boolean> =>
      retries.refreshRetryTokenForRetry(first, { error: undefined, errorType: 'TRANSIENT' }).then(
        () => true,
        () => false,
      );
    let granted = 0;
    while (await again()) granted += 1;
    expect(granted).toBe(Math.floor(500 / 14));
    for (let success = 0; success < 14; success += 1) retries.recordSuccess(first);
    expect(await again()).toBe(true);
    expect(await again()).toBe(false);
  });
});
