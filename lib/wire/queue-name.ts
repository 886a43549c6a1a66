/** Queue names as kombu's SQS transport translates them (kombu/transport/SQS.py, `canonical_queue_name`). */
import { InvalidOption } from '../base/errors.ts';
import { SQS_MAX_QUEUE_NAME_CHARACTERS } from '../base/limits.ts';

const FIFO = '.fifo';

/**
 * The SQS name of a queue: dots become dashes, other punctuation underscores, `.fifo` stays.
 *
 * @throws InvalidOption when it is longer than SQS allows.
 */
export function physicalQueueName(prefix: string, name: string, fifo: boolean): string {
  const plain = `${prefix}${name}`.replace(/\.fifo$/, '');
  const physical = `${plain.replaceAll('.', '-').replace(/[^A-Za-z0-9_-]/g, '_')}${fifo ? FIFO : ''}`;
  if (physical.length <= SQS_MAX_QUEUE_NAME_CHARACTERS) return physical;
  throw new InvalidOption(
    `The queue name '${physical}' has ${physical.length} characters; ${SQS_MAX_QUEUE_NAME_CHARACTERS} are allowed. Shorten queueNamePrefix or the queue's name.`,
  );
}

/** What Celery calls a queue: its FIFO queues end in `.fifo`, whatever they are called here. */
export function celeryQueueName(name: string, fifo: boolean): string {
  return fifo && !name.endsWith(FIFO) ? `${name}${FIFO}` : name;
}

/** What we call a queue that Celery names. */
export function ownQueueName(name: string, declared: Readonly<Record<string, unknown>>): string {
  if (Object.hasOwn(declared, name) || !name.endsWith(FIFO)) return name;
  const plain = name.slice(0, -FIFO.length);
  return Object.hasOwn(declared, plain) ? plain : name;
}
