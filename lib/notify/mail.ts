/** Mails about failures, in Celery's words where it has any. All that a message or an error holds is a stranger's. Pure. */
import { cut } from '../base/error-text.ts';
import {
  MAX_DIGEST_KINDS,
  MAX_MAIL_BYTES,
  MAX_NOTICE_ERROR_CHARACTERS,
  MAX_NOTICE_REPR_CHARACTERS,
  MAX_NOTICE_STACK_CHARACTERS,
} from '../base/limits.ts';
import { REJECTED } from '../base/states.ts';
import type { Failure, Mail } from '../ports/notices.ts';
import { byFrequency, type FailureCount, type FailureCounts, OTHER_KINDS } from './counts.ts';
import { boundedBytes, plainLine, plainLines, subjectLine } from './plain-text.ts';

/** What every mail of a service says. */
export interface MailPlace {
  /** Name of the app. */
  readonly app: string;
  readonly windowSeconds: number;
  /** Address of the monitor, without a slash at its end. */
  readonly monitorUrl?: string | undefined;
}

/** How many of a kind failed beside those that were told at once. */
export interface Digest {
  /** Milliseconds since the epoch. */
  readonly fromMs: number;
  /** Excluded. */
  readonly untilMs: number;
  readonly counts: FailureCounts;
  /** How many of each were told in a mail of their own. */
  readonly toldAtOnce: ReadonlyMap<string, number>;
}

/** As Celery's: `[shop] Error: Task orders.charge (id): ValueError('no card')`. */
export function failureMail(failure: Failure, place: MailPlace): Mail {
  const { task, id, error, state, stack } = failure;
  const what = state === REJECTED ? 'Rejected' : 'Error';
  const lines = [
    `Task ${plainLine(task)} with id ${plainLine(id)} ${state === REJECTED ? 'was rejected' : 'raised exception'}:`,
    indented(cut(error, MAX_NOTICE_ERROR_CHARACTERS)),
    '',
    ...table(factsOf(failure)),
    ...(stack === undefined || stack === ''
      ? []
      : ['', 'The stack:', '', indented(cut(stack, MAX_NOTICE_STACK_CHARACTERS))]),
    '',
    ...linkLines(place, id),
    `What fails the same way within ${duration(place.windowSeconds)} is counted, and told in one mail.`,
  ];
  return mailOf(`[${place.app}] ${what}: Task ${task} (${id}): ${error}`, lines);
}

/** What failed in a window beside what was told at once; undefined where nothing did. */
export function digestMail({ fromMs, untilMs, counts, toldAtOnce }: Digest, place: MailPlace): Mail | undefined {
  const untold = (key: string, { count }: FailureCount): number => count - (toldAtOnce.get(key) ?? 0);
  const kinds = byFrequency(counts).filter(([key, count]) => untold(key, count) > 0);
  if (kinds.length === 0) return undefined;
  const total = kinds.reduce((sum, [, { count }]) => sum + count, 0);
  const shown = kinds.slice(0, MAX_DIGEST_KINDS);
  const left = kinds.slice(MAX_DIGEST_KINDS);
  const more = left.reduce((sum, [, { count }]) => sum + count, 0);
  const tasks = new Set(kinds.filter(([key]) => key !== OTHER_KINDS).map(([, { task }]) => task));
  const [only] = tasks;
  const of = tasks.size === 1 && only !== undefined ? `Task ${only}` : `${tasks.size} tasks`;
  return mailOf(`[${place.app}] ${times(total, 'error')} in ${duration((untilMs - fromMs) / 1000)}: ${of}`, [
    `From ${time(fromMs)} to ${time(untilMs)} ${times(total, 'task')} failed, ${times(kinds.length, 'kind')} of failures:`,
    ...shown.flatMap(([key, each]) => ['', ...kindLines(key, each, toldAtOnce.get(key) ?? 0, place)]),
    ...(left.length === 0 ? [] : ['', `And ${times(more, 'failure')} of ${times(left.length, 'other kind')}.`]),
  ]);
}

function kindLines(key: string, each: FailureCount, atOnce: number, place: MailPlace): string[] {
  const { count, task, error, id, queue, firstMs, lastMs } = each;
  if (key === OTHER_KINDS) return [`${times(count, 'failure')} of kinds that there was no room to count.`];
  return [
    `${times(count, 'time')}: ${plainLine(task)}: ${plainLine(error)}`,
    `  first ${time(firstMs)}, last ${time(lastMs)}, queue ${plainLine(queue)}${atOnce > 0 ? '; the first was told at once' : ''}`,
    `  the last: ${place.monitorUrl === undefined ? plainLine(id) : taskUrl(place.monitorUrl, id)}`,
  ];
}

/** Lines of a stranger's that cannot pass for ours. */
function indented(text: string): string {
  return `  ${plainLines(text).trimEnd().replaceAll('\n', '\n  ')}`;
}

type Facts = readonly (readonly [name: string, value: string | undefined])[];

function factsOf(failure: Failure): Facts {
  const { task, id, queue, worker, state, retries, deliveries, repr, startedMs, endedMs, times, deadLetter } = failure;
  const shown = (text: string | undefined): string | undefined => (text === undefined ? undefined : plainLine(text));
  return [
    ['Task', plainLine(task)],
    ['Id', plainLine(id)],
    ['Queue', plainLine(queue)],
    ['Worker', shown(worker)],
    ['Arguments', repr === undefined ? undefined : plainLine(cut(repr, MAX_NOTICE_REPR_CHARACTERS))],
    ['State', state],
    ['Retries', String(retries)],
    ['Deliveries', deliveries === undefined ? undefined : String(deliveries)],
    ['Started', startedMs === undefined ? 'it did not run' : time(startedMs)],
    ['Ended', time(endedMs)],
    ['Times', times === undefined ? undefined : `${times.toLocaleString('en')}, of which this is the last`],
    ['Dead letter', shown(deadLetter)],
  ];
}

function table(facts: Facts): string[] {
  const given = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
  const width = Math.max(...given.map(([name]) => name.length)) + 2;
  return given.map(([name, value]) => `${`${name}:`.padEnd(width)}${value}`);
}

function linkLines({ monitorUrl }: MailPlace, id: string): string[] {
  return monitorUrl === undefined ? [] : [taskUrl(monitorUrl, id), ''];
}

function taskUrl(monitorUrl: string, id: string): string {
  // Where a half of a surrogate pair has no form for an address.
  return `${monitorUrl.replace(/\/+$/, '')}/tasks/${encodeURIComponent(id.toWellFormed())}`;
}

function mailOf(subject: string, lines: readonly string[]): Mail {
  return { subject: subjectLine(subject), text: boundedBytes(`${lines.join('\n')}\n`, MAX_MAIL_BYTES) };
}

/** To the second, in UTC: readers of one mail may live in several zones. */
function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function times(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

function duration(seconds: number): string {
  if (seconds % 3600 === 0) return times(seconds / 3600, 'hour');
  return seconds % 60 === 0 ? times(seconds / 60, 'minute') : times(seconds, 'second');
}
