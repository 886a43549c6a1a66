/** Celery's result document: what both our readers and Python's find under `result` (celery/backends/base.py). */
import { cut, describe, errorText } from '../base/error-text.ts';
import { DecryptionFailed, InvalidResult, TaskError } from '../base/errors.ts';
import { decodeJson, encodeJson } from './json.ts';
import { ENCRYPTED_VALUE, TYPE } from './json-typed.ts';
import {
  MAX_ERROR_FIELDS_CHARACTERS,
  MAX_ERROR_MESSAGE_CHARACTERS,
  MAX_ERROR_NAME_CHARACTERS,
} from '../base/limits.ts';
import { type OwnErrorFields, ownErrorFields, restoreOwn } from '../base/own-errors.ts';
import { isException } from '../base/states.ts';

/** How Celery writes an exception down. `exc_module` null: the reader makes a class of that name. */
export interface ExceptionDocument {
  readonly exc_type: string;
  readonly exc_message: readonly unknown[];
  readonly exc_module: string | null;
  /** Of an error of ours. */
  readonly celeriac?: OwnErrorFields;
}

export interface ResultDocument {
  readonly status: string;
  readonly result: unknown;
  readonly traceback: string | null;
  readonly children: readonly unknown[];
  /** ISO 8601, for final states. */
  readonly dateDone: string | null;
  readonly taskId: string;
  readonly parentId?: string | null;
  readonly groupId?: string | null;
  readonly extended?: ExtendedFields;
}

/** What Celery adds with `result_extended`. */
export interface ExtendedFields {
  readonly name?: string;
  readonly args?: unknown;
  readonly kwargs?: unknown;
  readonly worker?: string;
  readonly retries?: number;
  readonly queue?: string;
}

const CELERY_EXCEPTIONS = 'celery.exceptions';
// Python's own classes under these names: an `except` there catches ours.
const MODULES: Readonly<Record<string, string>> = {
  MaxRetriesExceededError: CELERY_EXCEPTIONS,
  ChordError: CELERY_EXCEPTIONS,
  NotRegistered: CELERY_EXCEPTIONS,
  TaskRevokedError: CELERY_EXCEPTIONS,
  TimeLimitExceeded: CELERY_EXCEPTIONS,
  SoftTimeLimitExceeded: CELERY_EXCEPTIONS,
  WorkerLostError: CELERY_EXCEPTIONS,
  TypeError: 'builtins',
  SyntaxError: 'builtins',
};

/** Never throws, and bounded: `error` is whatever a task threw. */
export function exceptionDocument(error: unknown): ExceptionDocument {
  // A thrown value that is no Error arrives as one too: Python cannot read anything else under FAILURE.
  const { name, message } = errorText(error);
  const remote = remoteParts(error);
  if (remote !== undefined)
    return { exc_type: name, exc_message: boundedArguments(remote.args), exc_module: remote.module };
  const own = boundedFields(error);
  return {
    exc_type: name,
    exc_message: [message],
    exc_module: Object.hasOwn(MODULES, name) ? (MODULES[name] ?? null) : null,
    ...(own === undefined ? {} : { celeriac: own }),
  };
}

function remoteParts(error: unknown): Pick<TaskError, 'args' | 'module'> | undefined {
  try {
    if (!(error instanceof TaskError) || !Array.isArray(error.args)) return undefined;
    return { args: error.args, module: typeof error.module === 'string' ? error.module : null };
  } catch {
    return undefined;
  }
}

/** What our own errors carry beside their message, where it can be read and is not too long. */
function boundedFields(error: unknown): OwnErrorFields | undefined {
  let code: string | undefined;
  try {
    const own = ownErrorFields(error);
    if (own === undefined) return undefined;
    code = cut(own.code, MAX_ERROR_NAME_CHARACTERS);
    if (encodeJson(own).length <= MAX_ERROR_FIELDS_CHARACTERS) return own;
  } catch {
    // Fields that throw, or are no JSON.
  }
  return code === undefined ? undefined : { code };
}

/** Exception arguments that are no JSON become text, as Celery stores their repr; too much of them is cut. */
function boundedArguments(args: readonly unknown[]): readonly unknown[] {
  try {
    if (encodeJson(args).length <= MAX_ERROR_MESSAGE_CHARACTERS) return args;
  } catch {
    const texts = args.map(describe);
    if (texts.join('').length <= MAX_ERROR_MESSAGE_CHARACTERS) return texts;
  }
  return [cut(args.map(describe).join(', '), MAX_ERROR_MESSAGE_CHARACTERS)];
}

export function tracebackOf(error: unknown): string | null {
  return errorText(error).stack;
}

/** @throws NotSerializable when `result` is no JSON; its path starts with `result`. */
export function writeDocument(document: ResultDocument): string {
  const base = {
    status: document.status,
    traceback: document.traceback,
    children: document.children,
    date_done: document.dateDone,
    ...(document.groupId == null ? {} : { group_id: document.groupId }),
    ...(document.parentId == null ? {} : { parent_id: document.parentId }),
    ...document.extended,
    task_id: document.taskId,
  };
  // Arguments may be Python's, with its NaN.
  const text = encodeJson(base, 'meta', { asPython: true });
  // A task that returns nothing has the result null, as None has in Python.
  const result = document.result === undefined ? 'null' : encodeJson(document.result, 'result');
  return `{"result":${result},${text.slice(1)}`;
}

export function writeException(
  status: string,
  error: unknown,
  document: Omit<ResultDocument, 'status' | 'result' | 'traceback'>,
): string {
  return writeDocument({ ...document, status, result: exceptionDocument(error), traceback: tracebackOf(error) });
}

/**
 * @param parse decodes typed values; `decodeJsonKeepingTypes` leaves them as they are.
 * @throws InvalidResult
 */
export function readDocument(text: string, parse: (text: string) => unknown = decodeJson): ResultDocument {
  let data: unknown;
  try {
    data = parse(text);
  } catch (error) {
    throw new InvalidResult(`A stored result is not JSON: ${errorText(error).message}`);
  }
  if (typeof data !== 'object' || data === null || typeof (data as { status?: unknown }).status !== 'string') {
    throw new InvalidResult('A stored result has no status.');
  }
  const record = data as Record<string, unknown>;
  const string = (field: string): string | null => (typeof record[field] === 'string' ? record[field] : null);
  return {
    status: String(record['status']),
    result: record['result'] ?? null,
    traceback: string('traceback'),
    children: Array.isArray(record['children']) ? record['children'] : [],
    dateDone: string('date_done'),
    taskId: string('task_id') ?? '',
    parentId: string('parent_id'),
    groupId: string('group_id'),
    extended: extendedIn(record),
  };
}

/** Those of the fields that are there, and are what they should be. */
export function extendedIn({
  name,
  args,
  kwargs,
  worker,
  retries,
  queue,
}: Readonly<Record<string, unknown>>): ExtendedFields {
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(args == null ? {} : { args }),
    ...(kwargs == null ? {} : { kwargs }),
    ...(typeof worker === 'string' ? { worker } : {}),
    ...(typeof retries === 'number' ? { retries } : {}),
    ...(typeof queue === 'string' ? { queue } : {}),
  };
}

const NATIVE: Readonly<Record<string, new (message?: string) => Error>> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
};

/**
 * The error behind an exception document, with the remote name, message and stack text. Classes come
 * from a fixed list: a name in stored data never chooses what code runs.
 */
export function restoreError(document: ResultDocument): Error {
  const data = document.result;
  const fields = typeof data === 'object' && data !== null ? (data as Partial<ExceptionDocument>) : {};
  const name = typeof fields.exc_type === 'string' ? fields.exc_type : 'Error';
  const given: unknown = fields.exc_message;
  const args: readonly unknown[] = Array.isArray(given) ? given : given === undefined ? [] : [given];
  const module = typeof fields.exc_module === 'string' ? fields.exc_module : null;
  const error = construct(name, args, module, fields.celeriac);
  const stack = document.traceback ?? `${name}: ${error.message}\n    (no stack was stored)`;
  Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  return error;
}

function construct(name: string, args: readonly unknown[], module: string | null, own: unknown): Error {
  const message = typeof args[0] === 'string' ? args[0] : undefined;
  if (args.length <= 1 && message !== undefined) {
    const Native = Object.hasOwn(NATIVE, name) ? NATIVE[name] : undefined;
    if (Native) return new Native(message);
    // Python's have no code; there the module tells which are Celery's own.
    const celerys = MODULES[name] === CELERY_EXCEPTIONS && module === CELERY_EXCEPTIONS;
    const error = restoreOwn(name, message, own, celerys);
    if (error) return error;
  }
  return new TaskError(name, args, module);
}

export function isExceptionDocument(document: ResultDocument): boolean {
  return isException(document.status);
}

/** Whether its result is a token: its reader has no codec, or not the key. */
export function isEncrypted({ result }: Pick<ResultDocument, 'result'>): boolean {
  return (result as { readonly [TYPE]?: unknown } | null | undefined)?.[TYPE] === ENCRYPTED_VALUE;
}

/** @param result what of it is to be read @throws DecryptionFailed for what is still encrypted. */
export function refuseEncrypted(document: ResultDocument, result: unknown = document.result): void {
  if (!isEncrypted({ result })) return;
  const { taskId } = document;
  throw new DecryptionFailed(
    `The result of task ${taskId} is encrypted and was not decrypted: this app has no \`codec\`, or its codec lacks the key. Give it the keys of the app that stored it.`,
  );
}
