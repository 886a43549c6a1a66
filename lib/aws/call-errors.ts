/** What a public call throws where a service cannot be asked: which request, where it went, and what to set. */
import { OperationalError } from '../base/errors.ts';
import { isPassing } from '../base/passing.ts';
import { CallBudgetOver } from './call-budget.ts';

/** A request that failed. */
export interface FailedRequest {
  /** As in `DynamoDB`. */
  readonly service: string;
  /** As in `GetItem`. */
  readonly operation: string;
  /** The table or the queue. */
  readonly resource: string | undefined;
  /** Where it was sent; undefined where it was never sent. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** Tries that reached the network and failed, and the newest one's error. */
  readonly tries: number;
  readonly last: unknown;
}

interface Facts {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly status: number | undefined;
}

interface Kind {
  readonly is: (facts: Facts) => boolean;
  /** Whether the same call may succeed later with nothing changed. */
  readonly retryable: boolean;
  readonly hint: string | ((request: FailedRequest | undefined) => string);
}

const IN_STACK = 'in the CDK stack';
const DEPLOYED = `the grants of the service ${IN_STACK}`;
const ALL_GRANTS = `service.grantEnqueue(fn), grantResults(fn), grantManage(fn), grantSchedules(fn), grantLocks(fn), grantHistory(fn), grantExplain(fn) or grantDeadLetters(fn) ${IN_STACK}, or grantOperate(role) for whatever celeriac and its monitor do`;
// Of requests of which one grant or two are meant; tables are used by all of them.
const GRANTS: Readonly<Record<string, string>> = {
  SendMessage: `service.grantEnqueue(fn) ${IN_STACK}`,
  SendMessageBatch: `service.grantEnqueue(fn) ${IN_STACK}`,
  ReceiveMessage: `service.grantDeadLetters(fn) ${IN_STACK}, or grantOperate(role)`,
  ChangeMessageVisibility: `service.grantDeadLetters(fn) ${IN_STACK}, or grantOperate(role)`,
  DeleteMessage: `service.grantDeadLetters(fn) ${IN_STACK}, or grantOperate(role)`,
  DeleteMessageBatch: `service.grantDeadLetters(fn) ${IN_STACK}, or grantOperate(role)`,
  GetQueueAttributes: `service.grantExplain(fn), grantPause(role) or grantOperate(role) ${IN_STACK}`,
  PurgeQueue: `service.grantOperate(role) ${IN_STACK}`,
  EnableRule: `service.grantSchedules(fn) ${IN_STACK}`,
  DisableRule: `service.grantSchedules(fn) ${IN_STACK}`,
  GetEventSourceMapping: `service.grantPause(role) or grantOperate(role) ${IN_STACK}`,
  UpdateEventSourceMapping: `service.grantPause(role) or grantOperate(role) ${IN_STACK}`,
  GetMetricStatistics: `service.grantPause(role) or grantOperate(role) ${IN_STACK}`,
};
const CONNECTION =
  /^(?:ECONNREFUSED|ECONNRESET|ECONNABORTED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ETIMEDOUT|EPIPE|EPROTO|ERR_TLS.*|CERT.*|.*_CERT.*|TimeoutError)$/;
const BAD_CREDENTIALS =
  /UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|ExpiredToken|MissingAuthenticationToken/;
const DENIED = /AccessDenied|Unauthorized|Forbidden|OptInRequired|KmsAccessDenied/i;
const MISSING = /ResourceNotFound|QueueDoesNotExist|NonExistentQueue/;
const BUSY = /Throttl|TooManyRequests|ThroughputExceeded|RequestLimitExceeded|OverLimit|SlowDown|LimitExceeded/;

/** In this order: the first that fits. */
const KINDS: readonly Kind[] = [
  {
    is: ({ message }) => /region is missing/i.test(message),
    retryable: false,
    hint: 'Set AWS_REGION.',
  },
  {
    is: ({ name, message }) =>
      name === 'CredentialsProviderError' || /credential.*(?:load|not valid|missing)|load credentials/i.test(message),
    retryable: false,
    hint: 'No credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them. An emulator takes any.',
  },
  {
    is: ({ name }) => BAD_CREDENTIALS.test(name),
    retryable: false,
    hint: 'These credentials are not valid there: check AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for an emulator set AWS_ENDPOINT_URL.',
  },
  {
    is: ({ name, status }) => DENIED.test(name) || status === 403,
    retryable: false,
    hint: (request) => `The credentials do not allow it: call ${GRANTS[request?.operation ?? ''] ?? ALL_GRANTS}.`,
  },
  {
    is: ({ name }) => MISSING.test(name),
    retryable: false,
    hint: `It is not there: check AWS_REGION, AWS_ENDPOINT_URL and the CELERIAC_* variables, which ${DEPLOYED} set, and that the stack is deployed.`,
  },
  { is: ({ name }) => BUSY.test(name), retryable: true, hint: 'The service is busy: call again later.' },
  {
    is: ({ name, code }) => name === 'CallBudgetOver' || CONNECTION.test(code) || CONNECTION.test(name),
    retryable: true,
    hint: 'Check AWS_REGION, AWS_ENDPOINT_URL (also AWS_ENDPOINT_URL_SQS and AWS_ENDPOINT_URL_DYNAMODB) and the network; in a VPC its endpoints for SQS and DynamoDB, or its NAT. `callTimeout` of the app says how long is waited.',
  },
];

/** @param error what a request threw, or of a batch what one of its entries was refused for. */
export function operationalError(error: unknown, request: FailedRequest | undefined): OperationalError {
  const over = error instanceof CallBudgetOver;
  const cause = over ? (request?.last ?? error) : error;
  const facts = factsOf(cause);
  const kind = KINDS.find(({ is }) => is(facts));
  const tried = over
    ? `no request succeeded within ${error.seconds} s${cause === error ? ' (no answer at all)' : `; the last of ${request?.tries ?? 1} tries: ${describeError(facts)}`}`
    : describeError(facts);
  return new OperationalError(`${describeRequest(request)}: ${tried}.${hintOf(kind, request)}`, {
    cause,
    retryable: kind?.retryable ?? isPassing(cause),
    timedOut: over,
  });
}

function hintOf(kind: Kind | undefined, request: FailedRequest | undefined): string {
  if (kind === undefined) return '';
  return ` ${typeof kind.hint === 'string' ? kind.hint : kind.hint(request)}`;
}

function describeRequest(request: FailedRequest | undefined): string {
  if (request === undefined) return 'A request to AWS failed';
  const { service, operation, resource, endpoint, region } = request;
  const where = endpoint === undefined ? 'was not sent' : `to ${endpoint} failed`;
  const what = `${service} ${operation}${resource === undefined ? '' : ` (${resource})`}`;
  return `${what} ${where} (region ${region ?? 'unknown'})`;
}

function describeError({ name, code, message }: Facts): string {
  const kind = code === '' ? name : code;
  const text = message.replace(/\.$/, '');
  return text === '' ? kind : text.includes(kind) ? text : `${kind}: ${text}`;
}

const LONGEST_TEXT = 500;

function factsOf(error: unknown): Facts {
  const { name, code, message, errors, $metadata } = (error ?? {}) as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly message?: unknown;
    readonly errors?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: unknown };
  };
  // A host with several addresses: Node puts what each answered beside an empty message.
  const each = Array.isArray(errors) ? errors.map((one) => factsOf(one).message).join('; ') : '';
  const text = typeof message === 'string' && message !== '' ? message : each;
  return {
    name: typeof name === 'string' ? name : 'Error',
    code: typeof code === 'string' ? code : '',
    message: text.slice(0, LONGEST_TEXT),
    status: typeof $metadata?.httpStatusCode === 'number' ? $metadata.httpStatusCode : undefined,
  };
}
