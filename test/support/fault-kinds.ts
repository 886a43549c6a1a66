/** The services' bad answers by name: whole requests that are refused or lost, and requests that are done in part. */
import { type Random, systemClock } from '../../lib/base/time.ts';
import type { Answer, Fault, Input, Plan, ServiceRequest } from './service-faults.ts';

/** How often each kind comes, as a part of all requests. */
export type FaultChances = Partial<Record<FaultKind, number>>;

const PREFIX = { SQS: 'com.amazonaws.sqs#', DynamoDB: 'com.amazonaws.dynamodb.v20120810#' } as const;

/** Refused, before anything was done. */
export function refused(type: string | Readonly<Record<ServiceRequest['service'], string>>, status = 400): Fault {
  return ({ service }) => {
    const name = typeof type === 'string' ? type : type[service];
    return Promise.resolve({ status, body: { __type: `${PREFIX[service]}${name}`, message: `${name}, as told to` } });
  };
}

/** A connection that ends before the answer. */
export function broken(code: 'ECONNRESET' | 'ETIMEDOUT'): Fault {
  return () =>
    Promise.reject(
      Object.assign(new Error(`connection lost: ${code}`), { code, ...(code === 'ETIMEDOUT' ? TIMED_OUT : {}) }),
    );
}
const TIMED_OUT = { name: 'TimeoutError' };

/** The same once the request is done. */
export function doneAnd(fault: Fault): Fault {
  return async (request, forward, random) => {
    const answer = await forward();
    return answer.status === 200 ? fault(request, forward, random) : answer;
  };
}

/** Done, and the answer is damaged on its way: it breaks off, or SQS's digest of a message is not the message's. */
export const DAMAGED: Fault = async (_request, forward) => {
  const answer = await forward();
  const text = JSON.stringify(answer.body);
  if (answer.status !== 200) return answer;
  return text.includes(DIGEST)
    ? { ...answer, arrives: text.replaceAll(/("MD5OfMessageBody":")[0-9a-f]{4}/g, '$1cccc') }
    : { ...answer, arrives: text.slice(0, text.length / 2) };
};
const DIGEST = '"MD5OfMessageBody"';

/** Nobody hears of it: the process that asks is dead. */
export const DIED: Fault = () => Promise.reject(new Error('the process ends here'));

const THROTTLED = refused({ SQS: 'RequestThrottled', DynamoDB: 'ProvisionedThroughputExceededException' });
const TOO_FAST = refused('ThrottlingException');
const BROKEN_SERVER = refused({ SQS: 'InternalError', DynamoDB: 'InternalServerError' }, 500);
const UNAVAILABLE = refused('ServiceUnavailable', 503);
// Credentials that a function's environment is about to renew.
const EXPIRED = refused({ SQS: 'ExpiredToken', DynamoDB: 'ExpiredTokenException' });

/** Each of them passes: a request that is made again may be done. */
const KINDS = {
  throttled: THROTTLED,
  throttledThoughDone: doneAnd(TOO_FAST),
  serverError: BROKEN_SERVER,
  serverErrorThoughDone: doneAnd(UNAVAILABLE),
  reset: broken('ECONNRESET'),
  resetThoughDone: doneAnd(broken('ECONNRESET')),
  timedOut: broken('ETIMEDOUT'),
  timedOutThoughDone: doneAnd(broken('ETIMEDOUT')),
  expiredCredentials: EXPIRED,
  damaged: DAMAGED,
  conflict: refused('TransactionConflictException'),
  inProgress: refused('TransactionInProgressException'),
  partly: (...given) => PARTLY[given[0].operation]?.(...given) ?? given[1](),
  slow: async (_request, forward, random) => {
    await systemClock.sleep(50 + random.next() * 500);
    return forward();
  },
  stale: (request, forward) => (STALE[request.operation] === undefined ? forward() : Promise.resolve(staleOf(request))),
} as const satisfies Record<string, Fault>;

export type FaultKind = keyof typeof KINDS;

const WRITES = /^(?:Put|Update|Delete)Item$/;

function concerns(kind: FaultKind, { operation, input }: ServiceRequest): boolean {
  if (kind === 'conflict' || kind === 'inProgress') return WRITES.test(operation);
  if (kind === 'partly') return operation in PARTLY;
  return kind !== 'stale' || (operation in STALE && !isConsistent(input));
}

/** How often each kind came. */
export type FaultCounts = Partial<Record<FaultKind, number>>;

/** A plan that draws for each request. */
export function randomFaults(kinds: FaultChances, counts: FaultCounts = {}): Plan {
  return (request, random) => {
    for (const [kind, part] of Object.entries(kinds) as [FaultKind, number][])
      if (concerns(kind, request) && random.next() < part) {
        counts[kind] = (counts[kind] ?? 0) + 1;
        return KINDS[kind];
      }
    return undefined;
  };
}

/** All of it, each kind now and then: what work has to get through. */
export const ALL_FAULTS: FaultChances = {
  throttled: 0.01,
  throttledThoughDone: 0.01,
  serverError: 0.005,
  serverErrorThoughDone: 0.005,
  reset: 0.005,
  resetThoughDone: 0.005,
  timedOut: 0.005,
  timedOutThoughDone: 0.005,
  expiredCredentials: 0.005,
  damaged: 0.005,
  conflict: 0.005,
  inProgress: 0.005,
  slow: 0.02,
  partly: 0.2,
  stale: 1,
};

/** Every request the same fault. */
export function always(fault: Fault): Plan {
  return () => fault;
}

// ----------------------------------------------------------- done in part

function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[Math.floor(random.next() * values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

function shuffled<T>(random: Random, values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, order: random.next() }))
    .toSorted((left, right) => left.order - right.order)
    .map(({ value }) => value);
}

interface EntryFault {
  readonly done: boolean;
  /** Absent: nothing is said of it at all. */
  readonly reported?: 'done' | 'failed';
}
const ENTRY_FAULTS: readonly EntryFault[] = [
  { done: true, reported: 'done' },
  { done: true, reported: 'done' },
  { done: false, reported: 'failed' },
  { done: true, reported: 'failed' },
  { done: false },
  { done: true },
];

interface Entry {
  readonly Id: string;
}
// As SQS names what is not the sender's fault.
const SEND_CODES = ['InternalError', 'ServiceUnavailable', 'RequestThrottled'];

const sendSome: Fault = async ({ input }, forward, random) => {
  const entries = input['Entries'] as readonly Entry[];
  const fates = entries.map(() => pick(random, ENTRY_FAULTS));
  const going = entries.filter((_, index) => fates[index]?.done === true);
  const answer = going.length === 0 ? EMPTY : await forward({ ...input, Entries: going });
  if (answer.status !== 200) return answer;
  const told = (said: EntryFault['reported']): Set<string> =>
    new Set(entries.filter((_, index) => fates[index]?.reported === said).map(({ Id }) => Id));
  const [done, failed] = [told('done'), told('failed')];
  const Successful = ((answer.body['Successful'] ?? []) as readonly Entry[]).filter(({ Id }) => done.has(Id));
  const Failed = [...failed].map((Id) => ({ Id, SenderFault: false, Code: pick(random, SEND_CODES), Message: 'busy' }));
  return { status: 200, body: { Successful: shuffled(random, Successful), Failed: shuffled(random, Failed) } };
};

const EMPTY: Answer = { status: 200, body: {} };

// What DynamoDB says of a statement that it has not done; with the last of them it may have.
const STATEMENT_CODES = [
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'TransactionConflict',
  'AccessDenied',
  'ValidationError',
  'InternalServerError',
];

const executeSome: Fault = async ({ input }, forward, random) => {
  const statements = input['Statements'] as readonly object[];
  // An answer that breaks off says nothing of the last one.
  const unsaid = random.next() < 0.4 ? 1 : 0;
  const cut = statements.length - unsaid;
  const fates = statements.map((_, index): EntryFault => (index < cut ? pick(random, ENTRY_FAULTS) : { done: false }));
  const going = statements.filter((_, index) => fates[index]?.done === true);
  const answer = going.length === 0 ? EMPTY : await forward({ Statements: going });
  if (answer.status !== 200) return answer;
  const given = [...((answer.body['Responses'] ?? []) as readonly object[])];
  const Responses = fates.map(({ done, reported }) => {
    const response = done ? given.shift() : undefined;
    if (reported === 'done') return response;
    const Code = pick(random, done ? STATEMENT_CODES.slice(-1) : STATEMENT_CODES);
    return { Error: { Code, Message: 'busy' } };
  });
  return { status: 200, body: { Responses: Responses.slice(0, cut) } };
};

const getSome: Fault = async ({ input }, forward, random) => {
  const [table, asked] = onlyTable<{ readonly Keys: readonly object[] }>(input);
  const keep = asked.Keys.map(() => random.next() < 0.5);
  const [now, later] = [asked.Keys.filter((_, at) => keep[at]), asked.Keys.filter((_, at) => !keep[at])];
  const answer = now.length === 0 ? EMPTY : await forward({ RequestItems: { [table]: { ...asked, Keys: now } } });
  if (answer.status !== 200) return answer;
  const items = ((answer.body['Responses'] ?? {}) as Readonly<Record<string, readonly object[]>>)[table] ?? [];
  const UnprocessedKeys = later.length === 0 ? {} : { [table]: { ...asked, Keys: later } };
  return { status: 200, body: { Responses: { [table]: shuffled(random, items) }, UnprocessedKeys } };
};

const writeSome: Fault = async ({ input }, forward, random) => {
  const [table, requests] = onlyTable<readonly object[]>(input);
  const keep = requests.map(() => random.next() < 0.5);
  const [now, later] = [requests.filter((_, at) => keep[at]), requests.filter((_, at) => !keep[at])];
  const answer = now.length === 0 ? EMPTY : await forward({ RequestItems: { [table]: now } });
  if (answer.status !== 200) return answer;
  return { status: 200, body: { UnprocessedItems: later.length === 0 ? {} : { [table]: later } } };
};

/** A page ends at a megabyte, wherever that is. */
const shortPage: Fault = (request, forward) => forward({ ...request.input, Limit: 1 });

const PARTLY: Readonly<Record<string, Fault>> = {
  SendMessageBatch: sendSome,
  BatchExecuteStatement: executeSome,
  BatchGetItem: getSome,
  BatchWriteItem: writeSome,
  Query: shortPage,
};

function onlyTable<T>(input: Input): [string, T] {
  const [only, ...others] = Object.entries(input['RequestItems'] as Readonly<Record<string, T>>);
  if (only === undefined || others.length > 0) throw new Error('one table is asked at a time');
  return only;
}

// ------------------------------------------------------------ stale reads

/** A replica that has seen none of the writes: what a read may be answered that does not ask for consistency. */
const STALE: Readonly<Record<string, (input: Input) => Input>> = {
  GetItem: () => ({}),
  BatchGetItem: (input) => ({ Responses: { [onlyTable(input)[0]]: [] }, UnprocessedKeys: {} }),
  Query: () => ({ Items: [], Count: 0 }),
};

function staleOf({ operation, input }: ServiceRequest): Answer {
  return { status: 200, body: STALE[operation]?.(input) ?? {} };
}

function isConsistent(input: Input): boolean {
  if (input['RequestItems'] === undefined) return input['ConsistentRead'] === true;
  return onlyTable<{ readonly ConsistentRead?: boolean }>(input)[1].ConsistentRead === true;
}
