/** The queues of an app: checked once, with every default written down. */
import { type Duration, durationSeconds } from '../base/duration.ts';
import { InvalidOption } from '../base/errors.ts';
import {
  ESM_MAX_BATCH_SIZE,
  ESM_MAX_BATCH_SIZE_WITH_WINDOW,
  ESM_MAX_CONCURRENCY,
  ESM_MAX_WINDOW_SECONDS,
  ESM_MIN_CONCURRENCY,
  SQS_MAX_QUEUE_NAME_CHARACTERS,
} from '../base/limits.ts';
import type { QueueManifest } from './manifest.ts';
import { didYouMean } from '../base/nearest.ts';
import { booleanOption, integerIn, refuseUnknownKeys } from '../base/checks.ts';
import { quoted } from '../base/quote.ts';

/** Options of a queue and of the worker that consumes it. An external queue takes `fifo` only. */
export interface QueueOptions {
  /** Ordered groups on an SQS FIFO queue. Default false. */
  readonly fifo?: boolean;
  /** Most workers at once, 2 to 1,000. Default: as many as Lambda starts. */
  readonly concurrency?: number;
  /** Messages per invocation, 1 to 10 (10,000 with a window). Default 10. */
  readonly batchSize?: number;
  /** How long an invocation waits for its batch to fill. Default 0. */
  readonly batchWindow?: Duration;
  /** Consumed elsewhere, by Celery's workers in Python say: the service has no worker for it. Default false. */
  readonly external?: boolean;
}

const QUEUE_KEYS: ReadonlySet<string> = new Set<keyof QueueOptions>([
  'fifo',
  'concurrency',
  'batchSize',
  'batchWindow',
  'external',
]);
/** Of queues and apps. */
export const NAME: RegExp = /^[A-Za-z0-9_.-]+$/;

/** @throws InvalidOption */
export function resolveQueues(queues: Readonly<Record<string, QueueOptions>>): Record<string, QueueManifest> {
  const resolved: Record<string, QueueManifest> = {};
  for (const [name, options] of Object.entries(queues)) {
    if (!NAME.test(name) || name.length > SQS_MAX_QUEUE_NAME_CHARACTERS) {
      throw new InvalidOption(
        `queues: '${name}' is no queue name; letters, digits, '.', '_' and '-' are allowed, at most ${SQS_MAX_QUEUE_NAME_CHARACTERS} characters.`,
      );
    }
    refuseUnknownKeys(options, QUEUE_KEYS, `queues.${name}`);
    const windowSeconds =
      options.batchWindow === undefined ? 0 : durationSeconds(options.batchWindow, `queues.${name}.batchWindow`);
    const fifo = options.fifo === undefined ? false : booleanOption(options.fifo, `queues.${name}.fifo`);
    if (windowSeconds > ESM_MAX_WINDOW_SECONDS || (fifo && windowSeconds > 0)) {
      throw new InvalidOption(
        `queues.${name}.batchWindow: ${windowSeconds} s given; 0 to ${ESM_MAX_WINDOW_SECONDS} s is allowed, and only 0 on a FIFO queue.`,
      );
    }
    const largestBatch = windowSeconds >= 1 && !fifo ? ESM_MAX_BATCH_SIZE_WITH_WINDOW : ESM_MAX_BATCH_SIZE;
    resolved[name] = {
      fifo,
      ...(options.concurrency === undefined
        ? {}
        : {
            concurrency: integerIn(
              options.concurrency,
              ESM_MIN_CONCURRENCY,
              ESM_MAX_CONCURRENCY,
              `queues.${name}.concurrency`,
            ),
          }),
      ...(options.batchSize === undefined
        ? {}
        : { batchSize: integerIn(options.batchSize, 1, largestBatch, `queues.${name}.batchSize`) }),
      ...(windowSeconds > 0 ? { batchWindowSeconds: windowSeconds } : {}),
      ...(isExternal(name, options) ? { external: true } : {}),
    };
  }
  if (Object.keys(resolved).length === 0)
    throw new InvalidOption('queues: declare at least one queue, such as { default: {} }.');
  return resolved;
}

const OF_WORKERS = ['concurrency', 'batchSize', 'batchWindow'] as const;

function isExternal(name: string, options: QueueOptions): boolean {
  if (options.external === undefined || !booleanOption(options.external, `queues.${name}.external`)) return false;
  const stray = OF_WORKERS.find((key) => options[key] !== undefined);
  if (stray === undefined) return true;
  throw new InvalidOption(
    `queues.${name}.${stray}: given for an external queue, which has no worker here. Leave it out, or leave out \`external\`.`,
  );
}

/** @throws InvalidOption */
export function resolveDefaultQueue(
  given: string | undefined,
  queues: Readonly<Record<string, QueueManifest>>,
): string {
  const names = Object.keys(queues);
  const own = names.filter((name) => queues[name]?.external !== true);
  if (given !== undefined && !names.includes(given))
    throw new InvalidOption(
      `defaultQueue: ${quoted(given)} is not declared. Declared are ${names.join(', ')}.${didYouMean(given, names)}`,
    );
  // An app without workers only sends, to Python say: a queue of theirs is where all goes.
  const candidates = own.length === 0 ? names : own;
  const chosen =
    given ??
    ['default', ...(own.length === 0 ? ['celery'] : []), ...candidates].find((name) => candidates.includes(name));
  if (chosen !== undefined && candidates.includes(chosen)) return chosen;
  throw new InvalidOption(
    `defaultQueue: ${quoted(chosen ?? '')} is external, and ${own.join(', ')} ${own.length === 1 ? 'has a worker' : 'have workers'} here. Name one of those.`,
  );
}
