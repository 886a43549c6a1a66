/** A signature is a call written down: frozen plain data in Celery's own form (celery/canvas.py). */

/** Options as they stand inside a signature: Celery's names, snake_case, JSON only. */
export type SignatureOptions = Readonly<Record<string, unknown>>;

/** `R` is the result's type; it exists for the compiler only. */
export interface Signature<R = unknown> {
  /** Name of the task; of a composite Celery's own, such as `celery.chain`. */
  readonly task: string;
  /** Arguments, which come after those that its parent gives. */
  readonly args: readonly unknown[];
  /** Keyword arguments; of a composite its parts. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Options of its message, in Celery's names. */
  readonly options: SignatureOptions;
  /**
   * The kind of a composite (`'chain'`, `'group'`, `'chord'`, `'xmap'`, `'xstarmap'`, `'chunks'`); null for a single
   * task.
   */
  readonly subtask_type: string | null;
  /** Whether it leaves out what its parent gives. */
  readonly immutable: boolean;
  // In a box: the compiler takes `undefined` out of an optional property when it infers.
  /** Types only: its result. */
  readonly __result?: { readonly value: R };
}

/** What `signature(name, parts)` is made of; what is left out is empty. */
export interface SignatureParts {
  /** Arguments. Default: none. */
  readonly args?: readonly unknown[];
  /** Keyword arguments. Default: none. */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** Options of its message, in Celery's names (`task_id`, `link_error`). Default: none. */
  readonly options?: SignatureOptions;
  /** Whether it leaves out what its parent gives. Default false. */
  readonly immutable?: boolean;
  /** The kind of a composite, in Celery's word. Default null: a single task. */
  readonly subtaskType?: string | null;
}

/**
 * Arguments without those at the end that are undefined: `delay(1, undefined)` is `delay(1)`. As null they would keep
 * the default of a parameter from taking its place.
 */
export function givenArguments(args: readonly unknown[]): readonly unknown[] {
  const last = args.findLastIndex((argument) => argument !== undefined);
  return last === args.length - 1 ? args : args.slice(0, last + 1);
}

export function signature<R = unknown>(task: string, parts: SignatureParts = {}): Signature<R> {
  return Object.freeze({
    task,
    args: Object.freeze([...givenArguments(parts.args ?? [])]),
    kwargs: Object.freeze({ ...parts.kwargs }),
    options: Object.freeze({ ...parts.options }),
    subtask_type: parts.subtaskType ?? null,
    immutable: parts.immutable ?? false,
  });
}

/** The same signature with other arguments, options and the like. */
export function withParts(sig: Signature, parts: Omit<SignatureParts, 'subtaskType'>): Signature {
  const { task, subtask_type: subtaskType, args, kwargs, options, immutable } = sig;
  return signature(task, { subtaskType, args, kwargs, options, immutable, ...parts });
}

/** The arguments a signature runs with once its parent's results are known: those come first, unless immutable. */
export function applyPartial(sig: Signature, sent: readonly unknown[]): readonly unknown[] {
  return sig.immutable ? sig.args : [...sent, ...sig.args];
}

/** A signature from untrusted data, or undefined where it is none. */
export function readSignature(value: unknown): Signature | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const data = value as Record<string, unknown>;
  if (typeof data['task'] !== 'string') return undefined;
  const record = (field: unknown): Record<string, unknown> =>
    typeof field === 'object' && field !== null && !Array.isArray(field) ? (field as Record<string, unknown>) : {};
  return signature(data['task'], {
    args: Array.isArray(data['args']) ? data['args'] : [],
    kwargs: record(data['kwargs']),
    options: record(data['options']),
    immutable: data['immutable'] === true,
    subtaskType: typeof data['subtask_type'] === 'string' ? data['subtask_type'] : null,
  });
}

const PARTS = ['tasks', 'header', 'body', 'task'] as const;
const LINKS = ['link', 'link_error', 'chord'] as const;

/** A signature and every one within: what a composite is made of, and whoever is called afterwards. */
export function* signaturesIn(sig: Signature): Generator<Signature> {
  yield sig;
  const parts = sig.subtask_type === null ? [] : PARTS.map((name) => sig.kwargs[name]);
  for (const part of [...parts, ...LINKS.map((name) => sig.options[name])])
    for (const item of Array.isArray(part) ? (part as readonly unknown[]) : [part]) {
      const inner = readSignature(item);
      if (inner !== undefined) yield* signaturesIn(inner);
    }
}
