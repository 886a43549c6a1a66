/** Between the options of a call (camelCase) and those inside a signature (Celery's own names). */
import { type ApplyOptions, MARKS, resolveApplyOptions } from './apply-options.ts';
import { readLinks } from '../wire/links.ts';
import { durationSeconds, instantMs } from '../base/duration.ts';
import { InvalidOption } from '../base/errors.ts';
import { decodeTyped } from '../wire/json-typed.ts';
import type { Embed } from '../wire/message.ts';
import { readSignature, type Signature, type SignatureOptions, signaturesIn } from '../wire/signature.ts';
import { readGroupHeader } from '../wire/group-header.ts';
import type { QueueManifest } from './manifest.ts';
import { wrongInPart } from '../wire/message-bounds.ts';
import { declaredQueue } from './declared-queue.ts';
import { quoted } from '../base/quote.ts';

/** Where a message stands in the tree of tasks. */
export interface Lineage {
  readonly rootId?: string;
  readonly parentId?: string | null;
  readonly groupId?: string;
  readonly groupIndex?: number;
  readonly embed?: Partial<Embed>;
  /** Hops of the parent. */
  readonly hops?: number;
  readonly stampedHeaders?: readonly string[];
  readonly stamps?: Readonly<Record<string, unknown>>;
  /** When a schedule's tick is due: relative times count from it, and it is the ETA. */
  readonly scheduledMs?: number;
  /** The task whose routes and queue count, where it is not the message's own: `celery.map` goes where its task goes. */
  readonly routeAs?: string;
  /** Its arguments came in a message: they may hold what only Python writes. */
  readonly sentOn?: boolean;
  /** More of our own header. */
  readonly celeriac?: Readonly<Record<string, unknown>>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const NAMES: Readonly<Partial<Record<keyof ApplyOptions, string>>> = {
  countdown: 'countdown',
  eta: 'eta',
  expires: 'expires',
  queue: 'queue',
  priority: 'priority',
  headers: 'headers',
  argsrepr: 'argsrepr',
  kwargsrepr: 'kwargsrepr',
  taskId: 'task_id',
  ignoreResult: 'ignore_result',
  retry: 'retry',
  timeLimit: 'time_limit',
  softTimeLimit: 'soft_time_limit',
  shadow: 'shadow',
  groupKey: 'MessageGroupId',
  ...(Object.fromEntries(MARKS.map((name) => [name, name])) as Record<(typeof MARKS)[number], string>),
};

const LINKS = [
  ['link', 'link'],
  ['linkError', 'link_error'],
] as const;
const POLICY_NAMES = {
  maxRetries: 'max_retries',
  intervalStart: 'interval_start',
  intervalStep: 'interval_step',
  intervalMax: 'interval_max',
} as const;

/** @throws InvalidOption */
export function toSignatureOptions(options: ApplyOptions): SignatureOptions {
  const { retryPolicy } = resolveApplyOptions(options, 0);
  const result: Record<string, unknown> = {};
  for (const [key, name] of Object.entries(NAMES)) {
    const value = options[key as keyof ApplyOptions];
    if (value !== undefined) result[name] = inCelerysUnits(key, value);
  }
  if (retryPolicy !== undefined)
    result['retry_policy'] = Object.freeze(
      Object.fromEntries(Object.entries(retryPolicy).map(([key, value]) => [POLICY_NAMES[key as PolicyKey], value])),
    );
  for (const [key, name] of LINKS) {
    const value = options[key];
    if (value !== undefined) result[name] = Object.freeze(Array.isArray(value) ? [...value] : [value]);
  }
  return result;
}

/** What Celery calls an option. @throws InvalidOption where it is none */
export function signatureOptionName(key: string): string {
  const name =
    key === 'retryPolicy' ? 'retry_policy' : (new Map(LINKS).get(key as 'link') ?? NAMES[key as keyof ApplyOptions]);
  if (name !== undefined) return name;
  // Told with those that are allowed.
  resolveApplyOptions({ [key]: undefined }, 0);
  throw new InvalidOption(`options: '${key}' is no option.`);
}

type PolicyKey = keyof typeof POLICY_NAMES;

/** Python reads seconds and ISO 8601 only. */
function inCelerysUnits(key: string, value: unknown): unknown {
  switch (key) {
    case 'eta':
      return new Date(instantMs(value, key)).toISOString();
    case 'expires':
      return value instanceof Date || /^\d{4}-/.test(String(value))
        ? new Date(instantMs(value, key)).toISOString()
        : durationSeconds(value, key);
    case 'countdown':
    case 'timeLimit':
    case 'softTimeLimit':
      return durationSeconds(value, key);
    default:
      return value;
  }
}

/** Untrusted: options that do not fit are left out where Celery's own defaults serve as well. */
export function fromSignatureOptions(options: SignatureOptions): { options: ApplyOptions; lineage: Lineage } {
  const call: Record<string, unknown> = {};
  for (const [key, name] of Object.entries(NAMES)) {
    const value = options[name];
    // Python writes an instant as a typed value, and what came in a message has not been decoded.
    if (value !== undefined && value !== null) call[key] = decodeTyped(value);
  }
  const policy = readPolicy(options['retry_policy']);
  if (policy !== undefined) call['retryPolicy'] = policy;
  for (const [key, name] of LINKS) {
    const signatures = readLinks(options[name]);
    if (signatures.length > 0) call[key] = signatures;
  }
  const lineage: Mutable<Lineage> = {};
  if (typeof options['root_id'] === 'string') lineage.rootId = options['root_id'];
  if (typeof options['parent_id'] === 'string') lineage.parentId = options['parent_id'];
  if (typeof options['group_id'] === 'string') lineage.groupId = options['group_id'];
  if (typeof options['group_index'] === 'number') lineage.groupIndex = options['group_index'];
  const chord = readSignature(options['chord']);
  if (chord) lineage.embed = { chord };
  const group = readGroupHeader(options['celeriac']);
  if (group !== undefined) lineage.celeriac = { group };
  const names = options['stamped_headers'];
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) {
    lineage.stampedHeaders = names;
    lineage.stamps = Object.fromEntries(names.filter((name) => name in options).map((name) => [name, options[name]]));
  }
  return { options: call as ApplyOptions, lineage };
}

/** Untrusted: kombu's policy has more than ours, and knows null. */
function readPolicy(value: unknown): ApplyOptions['retryPolicy'] {
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Readonly<Record<string, unknown>>;
  const known = Object.entries(POLICY_NAMES).filter(([, name]) => typeof given[name] === 'number');
  return Object.fromEntries(known.map(([key, name]) => [key, given[name]]));
}

/**
 * What a call will send later, checked before anything is sent: the steps, members, bodies and links of a signature.
 *
 * @throws InvalidOption, QueueNotFound
 */
export function checkSteps(sig: Signature, queues: Readonly<Record<string, QueueManifest>>): void {
  for (const part of signaturesIn(sig)) {
    const wrong = wrongInPart(part, 'signature');
    if (wrong !== undefined) throw new InvalidOption(wrong);
    const { queue } = part.options;
    if (typeof queue === 'string') declaredQueue(queue, queues, `queue of ${quoted(part.task)}`);
  }
}
