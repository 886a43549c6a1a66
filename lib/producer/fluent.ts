/** Signatures as users hold them: frozen plain data, with methods that make new ones or send them. */
import type { ApplyOptions } from '../options/apply-options.ts';
import { applyHere, sendSignature, toOutboxItem } from '#deployed/producer/sending';
import { chainOf, kindOf, merged, type SignatureKind } from '../canvas/build.ts';
import { skewed, type SkewOptions } from '../canvas/skew.ts';
import { shown } from '../base/checks.ts';
import { InvalidSignature } from '../base/errors.ts';
import type { GroupResult } from '../results/group-result.ts';
import { PLAIN_DATA } from '../wire/json.ts';
import type { App } from './app.ts';
import type { OutboxItem } from './outbox.ts';
import type { AsyncResult } from '../results/result.ts';
import { type Signature, type SignatureOptions, withParts } from '../wire/signature.ts';
import { toSignatureOptions } from '../options/signature-options.ts';
import type { CanvasSignature } from './canvas-types.ts';

/** Where a signature that is sent by itself goes: the app of its task, or the current one. */
export type FindApp = () => App;

const APPS = new WeakMap<Signature, FindApp>();

class Fluent implements Signature {
  readonly task: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly options: SignatureOptions;
  readonly subtask_type: string | null;
  readonly immutable: boolean;

  constructor(sig: Signature) {
    this.task = sig.task;
    this.args = sig.args;
    this.kwargs = sig.kwargs;
    this.options = sig.options;
    this.subtask_type = sig.subtask_type;
    this.immutable = sig.immutable;
    Object.freeze(this);
  }

  delay(...args: readonly unknown[]): Promise<AsyncResult | GroupResult> {
    return this.applyAsync(args);
  }

  async applyAsync(args: readonly unknown[] = [], options: ApplyOptions = {}): Promise<AsyncResult | GroupResult> {
    return sendSignature(appOf(this), withArguments(this, args), options);
  }

  async apply(args: readonly unknown[] = [], options: ApplyOptions = {}): Promise<AsyncResult | GroupResult> {
    const whole = withArguments(this, args);
    return applyHere(appOf(this), whole, options);
  }

  async toTransactItem(args: readonly unknown[] = [], options: ApplyOptions = {}): Promise<OutboxItem> {
    return toOutboxItem(appOf(this), withArguments(this, args), options);
  }

  set({ immutable, ...options }: ApplyOptions & { readonly immutable?: boolean }): Signature {
    const own = toSignatureOptions(options);
    const kwargs = options.kwargs === undefined ? this.kwargs : { ...this.kwargs, ...options.kwargs };
    return changed(this, { options: { ...this.options, ...own }, kwargs, immutable: immutable ?? this.immutable });
  }

  clone(args: readonly unknown[] = [], options: ApplyOptions = {}): Signature {
    const { args: all } = withArguments(this, args);
    return fluent(withParts(this, { args: all }), APPS.get(this)).set(options);
  }

  skew(options: SkewOptions = {}): Signature {
    return changed(this, { kwargs: skewed(this, options).kwargs });
  }

  link(sig: Signature): Signature {
    return this.#with({ link: [checkedSignature(sig, 'link(): the argument')] });
  }

  linkError(sig: Signature): Signature {
    return this.#with({ link_error: [checkedSignature(sig, 'linkError(): the argument')] });
  }

  onError(sig: Signature): Signature {
    return this.linkError(sig);
  }

  stamp(stamps: Readonly<Record<string, unknown>>): Signature {
    const known = this.options['stamped_headers'];
    const names = new Set([...(Array.isArray(known) ? (known as readonly string[]) : []), ...Object.keys(stamps)]);
    const stamped = { ...stamps, stamped_headers: [...names] };
    if (!OF_PARTS.has(kindOf(this))) return this.#with(stamped);
    return changed(this, { kwargs: stampInside(this.kwargs, stamps) });
  }

  pipe(next: unknown): Signature {
    return fluent(chainOf([this, checkedSignature(next, 'pipe(): the argument')]), APPS.get(this));
  }

  #with(options: SignatureOptions): Signature {
    const own = Object.entries(merged(this.options, options)).map(([name, value]) => [name, frozenList(value)]);
    return changed(this, { options: { ...this.options, ...Object.fromEntries(own) } });
  }
}
// Data with methods: what is sent and stored are the fields alone.
Object.defineProperty(Fluent.prototype, PLAIN_DATA, { value: true });

// Whose stamps are those of their parts: a map is one message, stamped as such.
const OF_PARTS: ReadonlySet<SignatureKind> = new Set(['chain', 'group', 'chord']);

/** @throws InvalidSignature which names what was given. */
export function checkedSignature(value: unknown, what: string): Signature {
  if (typeof value === 'object' && value !== null && 'task' in value && 'subtask_type' in value)
    return value as Signature;
  throw new InvalidSignature(`${what} is no signature: ${shown(value)} given. Give signatures, such as task.s(...).`);
}

function frozenList(value: unknown): unknown {
  return Array.isArray(value) ? Object.freeze(value) : value;
}

/** Every signature within a composite, wherever it stands. */
function stampInside(
  kwargs: Readonly<Record<string, unknown>>,
  stamps: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return Object.freeze(value.map(visit));
    return typeof value === 'object' && value !== null && 'subtask_type' in value
      ? new Fluent(value as Signature).stamp(stamps)
      : value;
  };
  return Object.fromEntries(
    Object.entries(kwargs).map(([name, value]) => [name, name === 'it' ? value : visit(value)]),
  );
}

function changed(sig: Fluent, parts: Parameters<typeof withParts>[1]): Signature {
  return fluent(withParts(sig, parts), APPS.get(sig));
}

function withArguments(sig: Signature, args: readonly unknown[]): Signature {
  if (args.length === 0 || sig.immutable) return sig;
  if (kindOf(sig) === 'map' || kindOf(sig) === 'starmap')
    throw new InvalidSignature(`A ${kindOf(sig)} takes no arguments.`);
  return withParts(sig, { args: [...args, ...sig.args] });
}

/** Gives a signature its methods. */
export function fluent<S extends CanvasSignature = CanvasSignature>(sig: Signature, find?: FindApp): S {
  const made = new Fluent(sig);
  if (find !== undefined) APPS.set(made, find);
  return made as unknown as S;
}

function appOf(sig: Signature): App {
  const find = APPS.get(sig);
  if (find === undefined) throw new InvalidSignature('There is no app to send this signature with.');
  return find();
}

/** The app of the first part that has one. */
export function appAmong(parts: readonly Signature[]): FindApp | undefined {
  for (const part of parts) {
    const find = APPS.get(part);
    if (find !== undefined) return find;
  }
  return undefined;
}
