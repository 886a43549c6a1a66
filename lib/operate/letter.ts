/** A dead letter as it lies there, read as far as it can be: untrusted, like every message. Pure. */
import { cut } from '../base/error-text.ts';
import { MAX_ERROR_LINE_CHARACTERS, MAX_TASK_ID_CHARACTERS, MAX_TASK_NAME_CHARACTERS } from '../base/limits.ts';
import type { ReceivedLetter } from '../ports/dead-letters.ts';
import { decodeHeaders } from '../wire/decode-message.ts';
import type { Message } from '../wire/message.ts';
import { isName } from '../wire/message-bounds.ts';
import { fromRule } from '../wire/rule-message.ts';
import { errorTypeOf, fingerprintOf } from '../base/fingerprint.ts';

/** Why a message was put aside, and whose it is. */
export interface DeadLetter {
  /** SQS's id of the letter. */
  readonly messageId: string;
  /** Celery's name of the queue in whose dead-letter queue it lies. */
  readonly queue: string;
  /** Celery's name of the queue, or its lane, from which it came. */
  readonly originQueue: string;
  /** Task id; absent where it cannot be read. */
  readonly id?: string;
  /** Name of the task; absent where it cannot be read. */
  readonly task?: string;
  /** Number of the attempt that was put aside, from 0; absent where it cannot be read. */
  readonly retries?: number;
  /** Why it was put aside, in few words: what `Reject` was given, `worker lost`, `not registered` and so on. */
  readonly reason: string;
  /** Name and message of the error. */
  readonly error: string;
  /** Name of the error. */
  readonly errorType: string;
  /** The same for letters of the same task, error type and shape of message. */
  readonly fingerprint: string;
  /** When it was put aside. */
  readonly failedAt: Date;
  /** How often its message was delivered. */
  readonly deliveries: number;
  /** The arguments as their sender had them shown, cut where they are long. */
  readonly argsrepr: string;
  /** The same of keyword arguments. */
  readonly kwargsrepr: string;
}

/** A letter, and the receipt that it was read from. */
export interface OpenLetter {
  readonly letter: DeadLetter;
  readonly received: ReceivedLetter;
  /** Its message, where its body lies elsewhere and was read. */
  readonly opened?: Message;
}

const LONGEST_REPR_CHARACTERS = 1024;

/** @param queues that the app declares */
export function readLetter(
  received: ReceivedLetter,
  queue: string,
  queues: Readonly<Record<string, { readonly laneOf?: string }>>,
): DeadLetter {
  const { attributes } = received;
  const told = headersOf(received.body);
  const text = (name: string): string => cut(attributes[name] ?? '', MAX_ERROR_LINE_CHARACTERS);
  const id = told?.id ?? named(attributes['task_id'], MAX_TASK_ID_CHARACTERS);
  const task = told?.task ?? named(attributes['task'], MAX_TASK_NAME_CHARACTERS);
  const error = text('error');
  const failedMs = Date.parse(attributes['failed_at'] ?? '');
  const deliveries = Number(attributes['deliveries'] ?? 0);
  const errorType = errorTypeOf(error);
  return {
    messageId: received.messageId,
    queue,
    originQueue: originOf(attributes['origin_queue'], queue, queues),
    ...(id === undefined ? {} : { id }),
    ...(task === undefined ? {} : { task }),
    ...(told === undefined ? {} : { retries: told.retries }),
    reason: text('reason'),
    error,
    errorType,
    fingerprint: fingerprintOf(task ?? '', error),
    failedAt: new Date(Number.isNaN(failedMs) ? received.sentMs : failedMs),
    deliveries: Number.isSafeInteger(deliveries) && deliveries >= 0 ? deliveries : 0,
    argsrepr: cut(told?.argsrepr ?? '', LONGEST_REPR_CHARACTERS),
    kwargsrepr: cut(told?.kwargsrepr ?? '', LONGEST_REPR_CHARACTERS),
  };
}

type Told = Pick<ReturnType<typeof decodeHeaders>, 'id' | 'task' | 'retries' | 'argsrepr' | 'kwargsrepr'>;

/** Not the body: that may be what stopped every worker. */
function headersOf(body: string): Told | undefined {
  try {
    return fromRule(decodeHeaders(body));
  } catch {
    return undefined;
  }
}

function named(text: string | undefined, most: number): string | undefined {
  return isName(text, most) ? text : undefined;
}

/** Of a queue that shares this dead-letter queue: whoever may send letters must not choose where they go. */
function originOf(
  given: string | undefined,
  queue: string,
  queues: Readonly<Record<string, { readonly laneOf?: string }>>,
): string {
  if (given === undefined || !Object.hasOwn(queues, given)) return queue;
  return (queues[given]?.laneOf ?? given) === queue ? given : queue;
}
