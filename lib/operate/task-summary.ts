/** What is stored of a task, for whoever operates a service: its true state, also where readers are not shown it. */
import { PayloadNotFound } from '../base/errors.ts';
import { ENCRYPTED, shownText } from '../base/error-text.ts';
import { progressOf } from '../flow/checkpoint.ts';
import type { TaskRecord } from '../ports/backend.ts';
import type { Ports } from '../ports/ports.ts';
import { PENDING } from '../base/states.ts';
import {
  type ExceptionDocument,
  isEncrypted,
  isExceptionDocument,
  type ResultDocument,
} from '../wire/result-document.ts';
import { visibleDocument } from '../results/result.ts';
import { stateOf } from './goes-on.ts';
import { type ToldRecord, toldRecords } from '../results/told-records.ts';

/** A task as it stands. Absent fields are not known. */
export interface TaskSummary {
  readonly id: string;
  /** PENDING also where nothing is known of it. */
  readonly state: string;
  readonly name?: string;
  readonly queue?: string;
  /** Number of its newest attempt, from 0. */
  readonly retries?: number;
  /** When its newest attempt began. */
  readonly started?: Date;
  /** When it ended. */
  readonly finished?: Date;
  /** What it returned, or the data of a state of its own; absent where readers may not see it, or it has failed. */
  readonly result?: unknown;
  readonly error?: { readonly type: string; readonly message: string };
  readonly traceback?: string;
  /** It was revoked; one that runs goes on unless it is terminated. */
  readonly revoked?: Date;
  /** Its result is kept from readers (`ignoreResult`). */
  readonly ignored?: true;
}

/** As `taskSummaries`, of whoever needs no outcome: none is read that lies elsewhere. */
export async function taskStates(
  ids: readonly string[],
  { backend, clock }: Pick<Ports, 'backend' | 'clock'>,
): Promise<Omit<TaskSummary, 'result' | 'error' | 'traceback'>[]> {
  const records = await backend.get(ids, clock.nowMs(), 'state');
  return ids.map((id, index) => stateOfTask(id, records[index]));
}

/** Reads tasks, in order. */
export async function taskSummaries(
  ids: readonly string[],
  ports: Pick<Ports, 'backend' | 'clock'>,
): Promise<TaskSummary[]> {
  const records = await toldRecords(ids, ports, ports.clock.nowMs());
  return ids.map((id, index) => summaryOf(id, records[index]));
}

function summaryOf(id: string, record: ToldRecord | undefined): TaskSummary {
  return { ...stateOfTask(id, record), ...(record?.gone === true ? GONE : outcomeOf(visibleDocument(id, record))) };
}

function stateOfTask(id: string, record: TaskRecord | undefined): Omit<TaskSummary, 'result' | 'error' | 'traceback'> {
  const document = visibleDocument(id, record);
  const { name, queue, retries } = document.extended ?? {};
  return {
    id,
    // Celery's own workers store no state beside the document.
    state: record === undefined ? (document.status ?? PENDING) : stateOf(record),
    ...(name === undefined ? {} : { name }),
    ...(queue === undefined ? {} : { queue }),
    ...(retries === undefined ? {} : { retries }),
    ...timesOf(record, document),
    ...(record?.ignored === true ? { ignored: true } : {}),
  };
}

function timesOf(
  record: TaskRecord | undefined,
  { dateDone }: ResultDocument,
): Pick<TaskSummary, 'started' | 'finished' | 'revoked'> {
  const finishedMs = record?.finishedMs ?? (dateDone === null ? undefined : Date.parse(dateDone));
  return {
    ...startOf(record),
    ...(finishedMs === undefined || Number.isNaN(finishedMs) ? {} : { finished: new Date(finishedMs) }),
    ...(record?.revokedMs === undefined ? {} : { revoked: new Date(record.revokedMs) }),
  };
}

/** Its parts are one attempt. */
function startOf(record: TaskRecord | undefined): Pick<TaskSummary, 'started'> {
  const startedMs = progressOf(record?.checkpoint, undefined)?.sinceMs ?? record?.startedMs;
  return startedMs === undefined ? {} : { started: new Date(startedMs) };
}

function outcomeOf(document: ResultDocument): Pick<TaskSummary, 'result' | 'error' | 'traceback'> {
  if (document.status === PENDING) return {};
  if (isEncrypted(document)) return isExceptionDocument(document) ? UNKNOWN_ERROR : { result: ENCRYPTED };
  if (!isExceptionDocument(document) && document.result !== null && shownText('') === ENCRYPTED)
    return { result: ENCRYPTED };
  if (!isExceptionDocument(document) || document.result === null) return { result: document.result };
  const { exc_type: type, exc_message: parts } = document.result as ExceptionDocument;
  const message = shownText([parts].flat().map(String).join(' '));
  // It begins with the error's text.
  const traceback = document.traceback === null || message === ENCRYPTED ? {} : { traceback: document.traceback };
  return { error: { type, message }, ...traceback };
}

const GONE = {
  error: { type: PayloadNotFound.errorName, message: 'What it has stored was deleted, or its time is over.' },
};
// Its class is encrypted with it.
const UNKNOWN_ERROR = { error: { type: 'Error', message: ENCRYPTED } };
