/** A look into a queue: a sample of what lies there, which stays there. */
import { cut, errorMessage } from '../base/error-text.ts';
import { InvalidOption } from '../base/errors.ts';
import { MAX_ERROR_LINE_CHARACTERS, SQS_MAX_BATCH_ENTRIES } from '../base/limits.ts';
import { didYouMean } from '../base/nearest.ts';
import type { Environment } from '../options/manifest.ts';
import type { PeekedMessage, Peeks } from '../ports/peeks.ts';
import { decodeHeaders } from '../wire/decode-message.ts';
import { fromRule } from '../wire/rule-message.ts';
import { queueOfLane } from './known-queue.ts';

type Queues = Pick<Environment, 'queues' | 'deadLetterQueues' | 'lanes'>;

/** A message of a sample. Fields that are absent stand nowhere in it. */
export interface Peeked {
  /** SQS's id of the message. */
  readonly messageId: string;
  readonly sent: Date;
  /** How often it was received, this look included. */
  readonly receives: number;
  readonly id?: string;
  readonly task?: string;
  /** Number of the attempt, from 0. */
  readonly retries?: number;
  readonly eta?: Date;
  readonly expires?: Date;
  /** The arguments as their sender had them shown, cut where they are long. */
  readonly args?: string;
  readonly kwargs?: string;
  /** Fair-queue tenant. */
  readonly groupId?: string;
  /** Of a dead letter: why it lies there. */
  readonly reason?: string;
  /** Why nothing can be read of it. */
  readonly unreadable?: string;
  /** The message as it lies there. */
  readonly body: string;
}

/** Where a look goes. */
export interface PeekPlace {
  /** Celery's name of the queue or lane. */
  readonly queue: string;
  /** Its dead-letter queue instead. */
  readonly deadLetter: boolean;
}

/** A sample, and where it was taken. */
export interface Sample extends PeekPlace {
  readonly messages: readonly Peeked[];
}

const LONGEST_REPR_CHARACTERS = 1024;

/**
 * Receives with a visibility of 0: each message is visible again before anybody could miss it, and was received once more.
 *
 * @throws InvalidOption
 */
export async function peekQueue(
  place: PeekPlace,
  { peeks, limit }: { readonly peeks: Peeks; readonly limit: number },
): Promise<Sample> {
  if (!Number.isInteger(limit) || limit < 1 || limit > SQS_MAX_BATCH_ENTRIES)
    throw new InvalidOption(
      `A look shows 1 to ${SQS_MAX_BATCH_ENTRIES} messages, and not ${limit}: a second request would receive the same ones once more.`,
    );
  const found = await peeks.peek({ ...place, limit });
  return { ...place, messages: (found ?? []).map(readPeeked) };
}

/**
 * @param name Celery's name of a queue or lane, or SQS's own of a queue or a dead-letter queue
 * @param dead the dead-letter queue of what is named
 * @throws InvalidOption for what is not there, and for FIFO queues
 */
export function placeToPeek(name: string, environment: Queues, dead = false): PeekPlace {
  const { url, ...place } = placeOf(name, environment, dead);
  if (!url.endsWith('.fifo')) return place;
  // A message that is received holds back what stands behind it in its group, be it for a moment.
  throw new InvalidOption(
    `Queue '${name}' is FIFO: a look would be a delivery, and hide for a moment what stands behind it in its group. ${
      place.deadLetter
        ? 'celeriac dlq list --letters lists its letters.'
        : 'celeriac inspect queues counts what lies there.'
    }`,
  );
}

function placeOf(name: string, environment: Queues, dead: boolean): PeekPlace & { readonly url: string } {
  const { queues, deadLetterQueues } = environment;
  const found = [
    ...Object.entries(queues).map(([queue, url]) => ({ queue, deadLetter: false, url })),
    ...Object.entries(deadLetterQueues).map(([queue, url]) => ({ queue, deadLetter: true, url })),
  ].find(({ queue, deadLetter, url }) => (queue === name && !deadLetter) || physicalName(url) === name);
  const letters = [...new Set(Object.values(deadLetterQueues).map(physicalName))];
  if (found === undefined)
    throw new InvalidOption(
      `There is no queue '${name}'.${didYouMean(name, [...Object.keys(queues), ...letters])} There are ${listed(Object.keys(queues))}, and the dead-letter queues ${listed(letters)}.`,
    );
  if (!dead || found.deadLetter) return found;
  // Lanes share that of their queue.
  const queue = Object.hasOwn(deadLetterQueues, found.queue) ? found.queue : queueOfLane(found.queue, environment);
  const url = Object.hasOwn(deadLetterQueues, queue) ? deadLetterQueues[queue] : undefined;
  if (url !== undefined) return { queue, deadLetter: true, url };
  throw new InvalidOption(`Queue '${name}' has no dead-letter queue that is known here. There are ${listed(letters)}.`);
}

function physicalName(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function readPeeked({ messageId, body, attributes, sentMs, receives, groupId }: PeekedMessage): Peeked {
  const reason = attributes['reason'];
  return {
    messageId,
    sent: new Date(sentMs),
    receives,
    ...contentOf(body),
    ...(groupId === undefined ? {} : { groupId }),
    ...(reason === undefined ? {} : { reason: cut(reason, MAX_ERROR_LINE_CHARACTERS) }),
    body,
  };
}

/** Of its envelope alone: what stands within may be what stopped every worker. */
function contentOf(body: string): Omit<Peeked, 'messageId' | 'sent' | 'receives' | 'groupId' | 'reason' | 'body'> {
  try {
    const { id, task, retries, etaMs, expiresMs, argsrepr, kwargsrepr } = fromRule(decodeHeaders(body));
    return {
      id,
      task,
      retries,
      ...(etaMs === null ? {} : { eta: new Date(etaMs) }),
      ...(expiresMs === null ? {} : { expires: new Date(expiresMs) }),
      ...(argsrepr === '' ? {} : { args: cut(argsrepr, LONGEST_REPR_CHARACTERS) }),
      ...(kwargsrepr === '' ? {} : { kwargs: cut(kwargsrepr, LONGEST_REPR_CHARACTERS) }),
    };
  } catch (error) {
    return { unreadable: cut(errorMessage(error), MAX_ERROR_LINE_CHARACTERS) };
  }
}
