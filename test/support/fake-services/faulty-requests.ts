/**
 * A bad day of SQS and DynamoDB, between an SDK client's `send` and the service: what is drawn from a world's seed
 * happens request by request, so that it also happens between two requests of one operation. What comes back is what
 * a client's caller sees when the client's own retries have come to an end.
 */
import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  type BatchStatementErrorCodeEnum,
  type BatchStatementResponse,
  BatchWriteItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SendMessageBatchResult,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import type { Clock } from '../../../lib/base/time.ts';
import { type FaultPlan, never } from '../../../lib/testing/faults.ts';
import { CURRENT_INVOCATION } from '../../../lib/testing/simulated-invocation.ts';
import type { Send } from './services.ts';

export interface FaultyRequestsOptions {
  readonly plan: FaultPlan;
  readonly clock: Clock;
  /** Chance that a request takes up to a fifth of a second: what others send meanwhile overtakes it. */
  readonly slow: number;
  readonly deleteExpired: () => void;
  readonly isFifo: (queueUrl: string | undefined) => boolean;
  readonly isDead: (queueUrl: string | undefined) => boolean;
}

const LONGEST_FREEZE_MS = 600_000;
const LONGEST_WAIT_MS = 200;
const LATE_COPY_SECONDS = 120;
const LATE_SECONDS = 5;
const MAX_DELAY_SECONDS = 900;
// Chance that DynamoDB deletes what has expired just before a request: up to two days late, and so at any moment.
const DELETION = 0.005;
// Chance that a receipt is void: another delivery has taken its place.
const VOID_RECEIPT = 0.05;

/** Errors of requests that did nothing. */
const REFUSALS = [
  () => error('ThrottlingException', { $fault: 'client', $retryable: { throttling: true } }),
  () => error('ProvisionedThroughputExceededException', { $fault: 'client' }),
  () => error('InternalServerError', { $fault: 'server' }),
  () => error('TransactionInProgressException', { $fault: 'client' }),
  () => error('ServiceUnavailable', { $fault: 'server', $metadata: { httpStatusCode: 503 } }),
  () => error('ExpiredTokenException', { $fault: 'client' }),
  () => error('Error', { code: 'ECONNRESET' }),
];

/** Errors of requests that did what they should. */
const LOST_ANSWERS = [
  () => error('TimeoutError', {}),
  () => error('Error', { code: 'ECONNRESET' }),
  () => error('InternalServerError', { $fault: 'server', $metadata: { httpStatusCode: 500 } }),
  () => error('ServiceUnavailable', { $fault: 'server', $metadata: { httpStatusCode: 503 } }),
];

const STATEMENT_ERRORS: readonly BatchStatementErrorCodeEnum[] = [
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'InternalServerError',
  'TransactionConflict',
];

function error(name: string, fields: object): Error {
  return Object.assign(new Error(`fault: ${name}`), { name, ...fields });
}

export class FaultyRequests {
  readonly #of: FaultyRequestsOptions;

  constructor(of: FaultyRequestsOptions) {
    this.#of = of;
  }

  /** The same service at the other end of a bad wire. Outside of an invocation a test is talking to its world. */
  to(service: Send): Send {
    return async (command) => {
      const { plan, clock, slow } = this.#of;
      const invocation = CURRENT_INVOCATION.getStore();
      if (invocation === undefined) return service(command);
      if (invocation.dead) return never();
      if (plan.hit('crash')) {
        invocation.dead = true;
        return never();
      }
      if (plan.hit('freeze')) await clock.sleep(Math.round(plan.draw(LONGEST_FREEZE_MS)));
      if (slow > 0 && plan.on && plan.draw(1) < slow) await clock.sleep(Math.round(plan.draw(LONGEST_WAIT_MS)));
      if (plan.on && plan.draw(1) < DELETION) this.#of.deleteExpired();
      if (plan.hit('error')) throw this.#one(REFUSALS)();
      if (command instanceof ChangeMessageVisibilityCommand && plan.on && plan.draw(1) < VOID_RECEIPT)
        throw error('ReceiptHandleIsInvalid', { $fault: 'client' });
      const answer = await this.#inPart(command, service);
      if (plan.hit('crash')) {
        invocation.dead = true;
        return never();
      }
      if (plan.hit('lostResponse')) throw this.#one(LOST_ANSWERS)();
      return answer;
    };
  }

  #one<T>(of: readonly T[]): T {
    const drawn = of[Math.floor(this.#of.plan.draw(of.length))];
    if (drawn === undefined) throw new RangeError('nothing to draw from');
    return drawn;
  }

  /** Of several some, and `true` for those that are not done. One at least is: nothing done is an error of the whole request. */
  #left(count: number): boolean[] {
    const left = Array.from({ length: count }, () => this.#of.plan.hit('partialFailure'));
    if (left.every(Boolean)) left[0] = false;
    return left;
  }

  #inPart(command: unknown, service: Send): Promise<object> {
    if (command instanceof SendMessageBatchCommand) return this.#sendMany(command.input, service);
    if (command instanceof SendMessageCommand) return this.#sendOne(command.input, service);
    if (command instanceof BatchExecuteStatementCommand) return this.#statements(command.input, service);
    if (command instanceof BatchGetItemCommand) return this.#gets(command.input, service);
    if (command instanceof BatchWriteItemCommand) return this.#writes(command.input, service);
    if (command instanceof QueryCommand && this.#of.plan.hit('partialFailure'))
      return this.#shortPage(command, service);
    return service(command);
  }

  // ---------------------------------------------------------------- SQS

  async #sendOne(input: SendMessageCommand['input'], service: Send): Promise<object> {
    const answer = await service(new SendMessageCommand({ ...input, ...this.#late(input.QueueUrl, input) }));
    if (this.#deliversTwice(input.QueueUrl)) await this.#copy(input, service);
    return answer;
  }

  async #sendMany({ QueueUrl, Entries = [] }: SendMessageBatchCommand['input'], service: Send): Promise<object> {
    const untold = new Set<string | undefined>();
    const failed = new Set<string | undefined>();
    const taken: SendMessageBatchRequestEntry[] = [];
    for (const entry of Entries) {
      const bad = this.#of.plan.hit('partialFailure');
      // Reported as not taken, or not reported at all; and in either case it may have been taken.
      if (bad) this.#one([untold, failed]).add(entry.Id);
      if (!bad || this.#of.plan.draw(2) < 1) taken.push({ ...entry, ...this.#late(QueueUrl, entry) });
    }
    const answer: SendMessageBatchResult =
      taken.length === 0
        ? { Successful: [], Failed: [] }
        : ((await service(new SendMessageBatchCommand({ QueueUrl, Entries: taken }))) as SendMessageBatchResult);
    for (const { Id: _id, ...parts } of taken)
      if (this.#deliversTwice(QueueUrl)) await this.#copy({ QueueUrl, ...parts }, service);
    const known = (id: string | undefined): boolean => !untold.has(id) && !failed.has(id);
    return {
      Successful: answer.Successful?.filter(({ Id }) => known(Id)),
      Failed: [
        ...(answer.Failed?.filter(({ Id }) => known(Id)) ?? []),
        ...[...failed].map((Id) => ({ Id, Code: 'InternalError', Message: 'fault: not taken', SenderFault: false })),
      ],
    };
  }

  /** Only a standard queue may deliver late, out of order and twice. */
  #isPlain(url: string | undefined): boolean {
    return !this.#of.isFifo(url) && !this.#of.isDead(url);
  }

  #late(
    url: string | undefined,
    { DelaySeconds: seconds = 0 }: { readonly DelaySeconds?: number | undefined },
  ): object {
    if (!this.#isPlain(url) || !this.#of.plan.hit('reorder')) return {};
    return { DelaySeconds: Math.min(MAX_DELAY_SECONDS, seconds + Math.ceil(this.#of.plan.draw(LATE_SECONDS))) };
  }

  #deliversTwice(url: string | undefined): boolean {
    return this.#isPlain(url) && this.#of.plan.hit('duplicate');
  }

  async #copy(input: SendMessageCommand['input'], service: Send): Promise<void> {
    const late = (input.DelaySeconds ?? 0) + Math.ceil(this.#of.plan.draw(LATE_COPY_SECONDS));
    await service(new SendMessageCommand({ ...input, DelaySeconds: Math.min(MAX_DELAY_SECONDS, late) }));
  }

  // ----------------------------------------------------------- DynamoDB

  async #statements(input: BatchExecuteStatementCommand['input'], service: Send): Promise<object> {
    const statements = input.Statements ?? [];
    const left = this.#left(statements.length);
    // An error of the service itself says nothing about whether the statement was done.
    const codes = left.map((bad) => (bad ? this.#one(STATEMENT_ERRORS) : undefined));
    const isDone = codes.map(
      (code) => code === undefined || (code === 'InternalServerError' && this.#of.plan.draw(2) < 1),
    );
    const Statements = statements.filter((_, index) => isDone[index]);
    const { Responses = [] } = (await service(new BatchExecuteStatementCommand({ Statements }))) as {
      readonly Responses?: BatchStatementResponse[];
    };
    const answers = Responses.values();
    return {
      Responses: codes.map((Code, index) => {
        const answer = isDone[index] === true ? answers.next().value : undefined;
        return Code === undefined ? answer : { Error: { Code, Message: `fault: ${Code}` } };
      }),
    };
  }

  async #gets(input: BatchGetItemCommand['input'], service: Send): Promise<object> {
    const [[table, asked] = []] = Object.entries(input.RequestItems ?? {});
    if (table === undefined || asked?.Keys === undefined) return service(new BatchGetItemCommand(input));
    const left = this.#left(asked.Keys.length);
    const part = (wanted: boolean): object => ({
      ...asked,
      Keys: asked.Keys?.filter((_, index) => left[index] === wanted),
    });
    const answer = await service(new BatchGetItemCommand({ RequestItems: { [table]: part(false) as typeof asked } }));
    return left.some(Boolean) ? { ...answer, UnprocessedKeys: { [table]: part(true) } } : answer;
  }

  async #writes(input: BatchWriteItemCommand['input'], service: Send): Promise<object> {
    const [[table, requests] = []] = Object.entries(input.RequestItems ?? {});
    if (table === undefined || requests === undefined) return service(new BatchWriteItemCommand(input));
    const left = this.#left(requests.length);
    const part = (wanted: boolean): typeof requests => requests.filter((_, index) => left[index] === wanted);
    const answer = await service(new BatchWriteItemCommand({ RequestItems: { [table]: part(false) } }));
    return left.some(Boolean) ? { ...answer, UnprocessedItems: { [table]: part(true) } } : answer;
  }

  /** A page may end before its limit. */
  #shortPage({ input }: QueryCommand, service: Send): Promise<object> {
    const shorter = 1 + Math.floor(this.#of.plan.draw(Math.min(input.Limit ?? 3, 3)));
    return service(new QueryCommand({ ...input, Limit: shorter }));
  }
}
