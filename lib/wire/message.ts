/** One request to run a task: Celery's protocol 2 in the form of kombu's SQS transport. */
import type { Signature } from './signature.ts';

/** How large a counted group is, and what a failed member means to its chord. */
export interface GroupHeader {
  readonly size: number;
  readonly policy?: string;
}

/** Policy of a group that nobody counts: its members run elsewhere too, and its reader looks at each. */
export const UNCOUNTED = 'uncounted';
/** Policy of a chord that Celery's workers count too: its members' ids are where Celery stores them. */
export const COUNTED_BY_CELERY = 'byCelery';

/** Our own additions, all under the one header `celeriac`, which Python ignores. */
export interface CeleriacHeader {
  /** Messages sent since the root, this one included. */
  readonly hops?: number;
  /** How often an unknown task was deferred. */
  readonly unknown?: number;
  /** FIFO group or fair-queue tenant, kept across retries. */
  readonly groupId?: string;
  /** Of a member of a counted group. */
  readonly group?: GroupHeader;
  /** Results of this group are the first argument; read when the task runs, since they may not fit a message. */
  readonly gather?: { readonly groupId: string; readonly size: number; readonly policy: string };
  /** When a rate limit lets this attempt start: microseconds since the epoch. A retry has none. */
  readonly slot?: number;
  /** Microseconds between two slots when `slot` was given. */
  readonly pace?: number;
  /** How often it came too late for its slot. */
  readonly lates?: number;
  /** The key for which it stands, and until when: `started` or `finished`. Its retries keep it. */
  readonly unique?: readonly [key: string, until: string];
  /** When it began to wait for a slot of its concurrency, milliseconds since the epoch: its place, should it wait again. */
  readonly place?: number;
  /** How often it was given a slot for which it had waited. */
  readonly grant?: number;
  /** The key of those slots. */
  readonly slots?: string;
  /** Deliveries of this attempt before it was sent on: receives of the new message are counted from one. A retry has none. */
  readonly deliveries?: number;
  /** Which further message of its attempt it is, from 1: the task goes on in it. A retry has none. */
  readonly part?: number;
  /** Of a retry: when the attempt before it ended, milliseconds since the epoch. */
  readonly retried?: number;
  /** Of a token of what is debounced: tokens have their task's id, and SQS must not take one for another. */
  readonly token?: string;
  /** It came from the lost queue, where its task has ended: only what follows is left. `told`: its dead letter is sent. */
  readonly lost?: 'told' | 'again';
  readonly [extra: string]: unknown;
}

/** `embed` of Celery's body triple. `chain` is reversed: the next step is its last element. */
export interface Embed {
  readonly callbacks: readonly Signature[] | null;
  readonly errbacks: readonly Signature[] | null;
  readonly chain: readonly Signature[] | null;
  readonly chord: Signature | null;
}

/** One request to run a task (Celery protocol 2), decoded. Times are milliseconds since the epoch. */
export interface Message {
  readonly id: string;
  readonly task: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly embed: Embed;
  /** The attempt. */
  readonly retries: number;
  readonly etaMs: number | null;
  readonly expiresMs: number | null;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly groupId: string | null;
  readonly groupIndex: number | null;
  /** [hard, soft] in seconds: hard first. */
  readonly timeLimit: readonly [number | null, number | null];
  /** true or false overrides the task's own setting, null defers to it. */
  readonly ignoreResult: boolean | null;
  readonly argsrepr: string;
  readonly kwargsrepr: string;
  /** The Celery queue name (routing key). Empty when the sender gave none. */
  readonly queue: string;
  readonly priority: number;
  readonly shadow: string | null;
  readonly origin: string | null;
  readonly replyTo: string | null;
  readonly replacedTaskNesting: number;
  readonly stampedHeaders: readonly string[] | null;
  readonly stamps: Readonly<Record<string, unknown>>;
  /** Custom headers: everything that Celery does not define. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** Properties that Celery does not define, kept as they came. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly celeriac: CeleriacHeader;
  /** How its body came compressed, and is when it is sent on: unpacked it may not fit a message. */
  readonly compression?: string;
  /** Where its body lay when it was read, since when (milliseconds since the epoch), and what lay in front of it. Not sent. */
  readonly stored?: { readonly key: string; readonly storedMs: number; readonly salt?: Uint8Array | undefined };
}

/** Headers of Celery's protocol; everything else is the sender's own. */
export const CELERY_HEADERS: ReadonlySet<string> = new Set([
  'lang',
  'task',
  'id',
  'shadow',
  'eta',
  'expires',
  'group',
  'group_index',
  'retries',
  'timelimit',
  'root_id',
  'parent_id',
  'argsrepr',
  'kwargsrepr',
  'origin',
  'ignore_result',
  'replaced_task_nesting',
  'stamped_headers',
  'stamps',
  'compression',
]);
/** The header that holds our additions. */
export const CELERIAC_HEADER = 'celeriac';
/** Field of that header, and of what stands in a record, that points to bytes in the store. */
export const PAYLOAD_FIELD = 'payload';
/** Properties of kombu's envelope; everything else is the sender's own. */
export const KOMBU_PROPERTIES: ReadonlySet<string> = new Set([
  'correlation_id',
  'reply_to',
  'delivery_mode',
  'delivery_info',
  'priority',
  'body_encoding',
  'delivery_tag',
  'expiration',
]);
