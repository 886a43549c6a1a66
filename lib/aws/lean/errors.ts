/** What a service refuses, as the SDK names it. */
import { decode } from './json.ts';

export interface Metadata {
  readonly httpStatusCode?: number | undefined;
  readonly requestId?: string | undefined;
  readonly extendedRequestId?: string | undefined;
  readonly cfId?: string | undefined;
  attempts?: number;
  totalRetryDelay?: number;
  clockSkewCorrected?: boolean;
}

export interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

export class ServiceException extends Error {
  readonly $fault: 'client' | 'server';
  readonly $metadata: Metadata;

  constructor(options: {
    readonly name: string;
    readonly message: string;
    readonly $fault?: 'client' | 'server';
    readonly $metadata: Metadata;
  }) {
    super(options.message);
    this.name = options.name;
    this.$fault = options.$fault ?? 'client';
    this.$metadata = options.$metadata;
  }
}

export class ConditionalCheckFailedException extends ServiceException {}
export class ResourceNotFoundException extends ServiceException {}

const CLASSES: Readonly<Record<string, typeof ServiceException>> = {
  ConditionalCheckFailedException,
  ResourceNotFoundException,
};

export function metadataOf({ statusCode, headers }: Answer): Metadata {
  return {
    httpStatusCode: statusCode,
    requestId: headers['x-amzn-requestid'] ?? headers['x-amzn-request-id'] ?? headers['x-amz-request-id'],
    extendedRequestId: headers['x-amz-id-2'],
    cfId: headers['x-amz-cf-id'],
  };
}

/** @param body what the answer says, as JSON; empty where it said nothing. */
export function exceptionOf(answer: Answer, body: Record<string, unknown>, queryCompatible: boolean): ServiceException {
  const [queryCode, queryType] = queryCompatible ? (answer.headers['x-amzn-query-error'] ?? '').split(';') : [];
  const header = answer.headers['x-amzn-errortype'];
  const said = body['__type'];
  const code = body[Object.keys(body).find((key) => key.toLowerCase() === 'code') ?? 'Code'];
  // SQS names an error in its older protocol's way beside the newer one, and that name counts.
  const order = queryCompatible ? [queryCode || code, header, said] : [said, code, header];
  const raw = bare(order.find((each) => each !== undefined) ?? 'Unknown');
  const name = queryCompatible ? (QUERY_NAMES[raw] ?? raw) : raw;
  const message = body['message'] ?? body['Message'];
  const known = FAULTS[name];
  const error = new (CLASSES[name] ?? ServiceException)({
    name,
    message: typeof message === 'string' && message !== '' ? message : 'UnknownError',
    $fault: known ?? (answer.statusCode < 500 ? 'client' : 'server'),
    $metadata: metadataOf(answer),
  });
  const { message: _message, Message: _Message, name: _name, stack: _stack, ...members } = body;
  Object.assign(error, decode(members));
  if (queryCode) Object.assign(error, { Code: queryCode, Type: queryType });
  if (name === 'ReplicatedWriteConflictException') Object.assign(error, { $retryable: {} });
  return error;
}

function bare(code: unknown): string {
  const text = String(code).split(',')[0]?.split(':')[0] ?? '';
  return text.includes('#') ? (text.split('#')[1] ?? '') : text;
}

// Of these alone the fault is not what the status says.
const FAULTS: Readonly<Record<string, 'client' | 'server'>> = { InternalServerError: 'server' };

const PREFIX = 'AWS.SimpleQueueService.';
/** SQS's names of its older protocol, where they differ. Compared with the SDK's own in the tests. */
const QUERY_NAMES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'BatchEntryIdsNotDistinct',
      'BatchRequestTooLong',
      'EmptyBatchRequest',
      'InvalidBatchEntryId',
      'MessageNotInflight',
      'PurgeQueueInProgress',
      'QueueDeletedRecently',
      'TooManyEntriesInBatchRequest',
      'UnsupportedOperation',
    ].map((name) => [`${PREFIX}${name}`, name]),
  ),
  [`${PREFIX}NonExistentQueue`]: 'QueueDoesNotExist',
  QueueAlreadyExists: 'QueueNameExists',
  'KMS.AccessDeniedException': 'KmsAccessDenied',
  'KMS.DisabledException': 'KmsDisabled',
  'KMS.InvalidKeyUsageException': 'KmsInvalidKeyUsage',
  'KMS.InvalidStateException': 'KmsInvalidState',
  'KMS.NotFoundException': 'KmsNotFound',
  'KMS.OptInRequired': 'KmsOptInRequired',
  'KMS.ThrottlingException': 'KmsThrottled',
};

export function abortError(signal: AbortSignal): Error {
  const error =
    signal.reason instanceof Error
      ? new Error('Request aborted', { cause: signal.reason })
      : new Error(signal.reason === undefined ? 'Request aborted' : String(signal.reason));
  error.name = 'AbortError';
  return error;
}
