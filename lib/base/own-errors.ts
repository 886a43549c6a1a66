/** Our own errors in a stored document: their code, and what they carry beside their message. */
import {
  CeleriacError,
  EnqueueFailed,
  type EnqueueOutcome,
  ERROR_CLASSES,
  Ignore,
  NotSerializable,
  Reject,
  Retry,
  TaskError,
} from './errors.ts';
import { MAX_STORED_OUTCOMES, MAX_STORED_PATH_CHARACTERS } from './limits.ts';

/** Beside Celery's fields of an exception; Python reads those alone. */
export interface OwnErrorFields {
  /** A name tells too little: users have a TimeoutError too. */
  readonly code: string;
  readonly path?: string;
  readonly outcomes?: readonly EnqueueOutcome[];
  readonly dueMs?: number;
  readonly requeue?: boolean;
}

/** What is stored of an error of ours; undefined of any other. */
export function ownErrorFields(error: unknown): OwnErrorFields | undefined {
  if (!CeleriacError.is(error)) return undefined;
  const { code } = error;
  // Celery's own fields tell all of it.
  if (code === TaskError.code) return undefined;
  const { path, outcomes, dueMs, requeue } = error as Partial<NotSerializable & EnqueueFailed & Retry & Reject>;
  switch (code) {
    case NotSerializable.code:
      return { code, path: String(path).slice(0, MAX_STORED_PATH_CHARACTERS) };
    case EnqueueFailed.code:
      // Some of them would pass for all of them.
      return { code, outcomes: outcomes !== undefined && outcomes.length <= MAX_STORED_OUTCOMES ? outcomes : [] };
    case Retry.code:
      return { code, dueMs: dueMs ?? 0 };
    case Reject.code:
      return { code, requeue: requeue === true };
    default:
      return { code };
  }
}

type Fields = Partial<Record<keyof OwnErrorFields, unknown>>;
type Restore = (message: string, fields: Fields) => CeleriacError;

// Whose constructors take more than a message.
const WITH_FIELDS: Readonly<Record<string, Restore>> = {
  [NotSerializable.code]: (message, { path }) => new NotSerializable(typeof path === 'string' ? path : '', message),
  [EnqueueFailed.code]: (message, { outcomes }) => new EnqueueFailed(message, readOutcomes(outcomes)),
  [Retry.code]: (message, { dueMs }) => new Retry(message, typeof dueMs === 'number' ? dueMs : 0, undefined, {}),
  [Reject.code]: (message, { requeue }) => new Reject(message, { requeue: requeue === true }),
  [Ignore.code]: (message) => new Ignore(message),
};

const BY_CODE: ReadonlyMap<string, Restore> = new Map(
  [CeleriacError, ...ERROR_CLASSES.filter(({ code }) => code !== TaskError.code)].map(
    (errorClass) => [errorClass.code, WITH_FIELDS[errorClass.code] ?? ((message) => new errorClass(message))] as const,
  ),
);

const CODES: ReadonlyMap<string, string> = new Map(ERROR_CLASSES.map(({ errorName = '', code }) => [errorName, code]));

/**
 * An error of ours, from untrusted data: by its code, or by its name where that is known to be Celery's.
 * undefined for any other.
 */
export function restoreOwn(name: string, message: string, own: unknown, byName: boolean): CeleriacError | undefined {
  const fields: Fields = typeof own === 'object' && own !== null ? (own as Fields) : {};
  const code = fields.code ?? (byName ? CODES.get(name) : undefined);
  const restore = typeof code === 'string' ? BY_CODE.get(code) : undefined;
  if (restore === undefined) return undefined;
  const error = restore(message, fields);
  // A subclass of the user's own has the code of ours and a name of its own.
  if (error.name !== name) error.name = name;
  return error;
}

function readOutcomes(value: unknown): readonly EnqueueOutcome[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly unknown[]).every(isOutcome) ? (value as readonly EnqueueOutcome[]) : [];
}

function isOutcome(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { ok, id } = value as { readonly ok?: unknown; readonly id?: unknown };
  return typeof ok === 'boolean' && typeof id === 'string';
}
