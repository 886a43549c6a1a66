/** What signatures are made of: kinds, copies with something changed, lists within. */
import { InvalidSignature } from '../base/errors.ts';
import { readSignature, type Signature, signature, type SignatureOptions, withParts } from '../wire/signature.ts';
import { listOf } from '../wire/links.ts';

/** What becomes of a chord whose header has failed members. */
export type ChordPolicy = 'celery' | 'failFast' | 'settled';

export type SignatureKind = 'task' | 'chain' | 'group' | 'chord' | 'map' | 'starmap' | 'chunks';

const KINDS: Readonly<Record<string, SignatureKind>> = {
  'celery.chain': 'chain',
  'celery.group': 'group',
  'celery.chord': 'chord',
  'celery.map': 'map',
  'celery.starmap': 'starmap',
  'celery.chunks': 'chunks',
};
// `subtask_type` of those, in Celery's words.
const SUBTASK_TYPES: Readonly<Record<string, string>> = {
  'celery.chain': 'chain',
  'celery.group': 'group',
  'celery.chord': 'chord',
  'celery.map': 'xmap',
  'celery.starmap': 'xstarmap',
  'celery.chunks': 'chunks',
};

/**
 * A chain's last step and a chord's body have the id of the whole, since its result is theirs. Where they are
 * composites themselves, what their parts are named after must be another.
 */
export const SEED = 'celeriac_seed';

export function kindOf(sig: Signature): SignatureKind {
  return sig.subtask_type === null ? 'task' : (KINDS[sig.task] ?? 'task');
}

const ONE_MESSAGE: ReadonlySet<SignatureKind> = new Set(['task', 'map', 'starmap']);

/** Whether it is one message; every other one is sent by its parts. */
export function isOneMessage(sig: Signature): boolean {
  return ONE_MESSAGE.has(kindOf(sig));
}

export function composite(
  task: string,
  kwargs: Readonly<Record<string, unknown>>,
  options: SignatureOptions = {},
): Signature {
  return signature(task, { kwargs, options, subtaskType: SUBTASK_TYPES[task] ?? null });
}

/** The same signature with more options. */
export function withOptions(sig: Signature, options: SignatureOptions): Signature {
  return withParts(sig, { options: { ...sig.options, ...options } });
}

export function withKwargs(sig: Signature, kwargs: Readonly<Record<string, unknown>>): Signature {
  return withParts(sig, { kwargs: { ...sig.kwargs, ...kwargs } });
}

export function immutable(sig: Signature): Signature {
  return withParts(sig, { immutable: true });
}

/** Links add up; everything else replaces. */
export function merged(options: SignatureOptions, more: SignatureOptions): SignatureOptions {
  return Object.fromEntries(
    Object.entries(more).map(([name, value]) =>
      name === 'link' || name === 'link_error' ? [name, [...listOf(options[name]), ...listOf(value)]] : [name, value],
    ),
  );
}

export function signaturesIn(sig: Signature, field: string): readonly Signature[] {
  const value = sig.kwargs[field];
  if (!Array.isArray(value)) throw new InvalidSignature(`${sig.task} has no ${field}.`);
  return readAll(value, field);
}

export function readAll(values: readonly unknown[], field: string): readonly Signature[] {
  return values.map((value, index) => {
    const read = isSignature(value) ? value : readSignature(value);
    if (read === undefined) throw new InvalidSignature(`${field}[${index}] is no signature.`);
    return read;
  });
}

/** Ours are frozen: they have been read already, and a large group need not be copied. */
export function isSignature(value: unknown): value is Signature {
  return typeof value === 'object' && value !== null && Object.isFrozen(value) && 'subtask_type' in value;
}
