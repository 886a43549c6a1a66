/** Which dead letters are meant. Pure. */
import { InvalidOption } from '../base/errors.ts';
import { idIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { type Duration, durationSeconds, instantMs } from '../base/duration.ts';
import { declaredQueue } from '../options/declared-queue.ts';
import type { Settings } from '../options/settings.ts';
import type { DeadLetter } from './letter.ts';

/** Which dead letters are meant: those for which all that is said holds. Nothing said: all of them. */
export interface DeadLetterQuery {
  /** Celery's name of the queue, or several. Default: all queues with workers here. */
  readonly queue?: string | readonly string[];
  /** Name of the task. */
  readonly task?: string;
  /** Task id, or several. */
  readonly id?: string | readonly string[];
  /** Name of the error, or text that stands in its message or in the reason; in either case. */
  readonly error?: string;
  /** As `list()` shows it. */
  readonly fingerprint?: string;
  /** Put aside then or later: an instant, or a duration such as `'2h'` before now. */
  readonly since?: Date | string | Duration;
  /** Put aside before then. */
  readonly until?: Date | string | Duration;
}

/** A query, checked. */
export interface LetterFilter {
  readonly queues: readonly string[];
  readonly matches: (letter: DeadLetter) => boolean;
}

export const QUERY_KEYS: readonly (keyof DeadLetterQuery)[] = [
  'queue',
  'task',
  'id',
  'error',
  'fingerprint',
  'since',
  'until',
];

/** @throws InvalidOption, QueueNotFound */
export function resolveQuery(
  query: DeadLetterQuery,
  settings: Pick<Settings, 'queues'>,
  nowMs: number,
  what: string,
  alsoAllowed: readonly string[] = [],
): LetterFilter {
  refuseUnknownKeys(query, new Set([...QUERY_KEYS, ...alsoAllowed]), what);
  const { task, error, fingerprint } = query;
  for (const name of ['task', 'error', 'fingerprint'] as const) text(query[name], `${name} of ${what}`);
  const ids = query.id === undefined ? undefined : new Set([query.id].flat().map((id) => idIn(id, `id of ${what}`)));
  const [sinceMs, untilMs] = [timeOf(query.since, nowMs, 'since', what), timeOf(query.until, nowMs, 'until', what)];
  const wanted = error?.toLowerCase();
  return {
    queues: queuesOf(query.queue, settings, what),
    matches: (letter) =>
      (task === undefined || letter.task === task) &&
      (ids === undefined || (letter.id !== undefined && ids.has(letter.id))) &&
      (fingerprint === undefined || letter.fingerprint === fingerprint) &&
      (wanted === undefined || isAbout(letter, wanted)) &&
      (sinceMs === undefined || letter.failedAt.getTime() >= sinceMs) &&
      (untilMs === undefined || letter.failedAt.getTime() < untilMs),
  };
}

function isAbout({ errorType, error, reason }: DeadLetter, wanted: string): boolean {
  return (
    errorType.toLowerCase() === wanted || error.toLowerCase().includes(wanted) || reason.toLowerCase().includes(wanted)
  );
}

/** Those that have a dead-letter queue: a lane shares that of its queue, and an external queue has none of ours. */
function queuesOf(
  given: DeadLetterQuery['queue'],
  { queues }: Pick<Settings, 'queues'>,
  what: string,
): readonly string[] {
  if (given === undefined)
    return Object.entries(queues).flatMap(([name, { laneOf, external }]) =>
      laneOf === undefined && external !== true ? [name] : [],
    );
  const named = [given].flat().map((name) => declaredQueue(text(name, `queue of ${what}`) ?? '', queues, what));
  return [...new Set(named.map((name) => queues[name]?.laneOf ?? name))];
}

function text(value: unknown, field: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new InvalidOption(`${field}: ${shown(value)} given; text is allowed.`);
}

function timeOf(value: DeadLetterQuery['since'], nowMs: number, name: string, what: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' || (typeof value === 'string' && /^[\d.]+[smhdwy]$/.test(value)))
    return nowMs - durationSeconds(value, `${name} of ${what}`) * 1000;
  return instantMs(value, `${name} of ${what}`);
}
