/** Builds the context of one run. */
import { resolveApplyOptions } from '../options/apply-options.ts';
import type { RetryOptions, TaskContext, TaskLogger, TaskRequest } from './context.ts';
import { durationSeconds, instantMs } from '../base/duration.ts';
import { refuseUnknownKeys, shown } from '../base/checks.ts';
import { errorLine, isError } from '../base/error-text.ts';
import { InvalidOption, MaxRetriesExceededError, Retry, type RetryOverrides } from '../base/errors.ts';
import { encodeJson } from '../wire/json.ts';
import { checkSteps } from '../options/signature-options.ts';
import type { Message } from '../wire/message.ts';
import type { Clock } from '../base/time.ts';
import type { Logger } from '../ports/log.ts';
import { requireQueue } from '../options/declared-queue.ts';
import type { TaskDefinition } from './registry.ts';
import { mayRetry } from './retry.ts';
import type { Settings } from '../options/settings.ts';
import { givenArguments } from '../wire/signature.ts';
import { isBuiltin } from '../base/states.ts';
import { limitsInForce } from '../options/task-options.ts';

export interface ContextParts {
  readonly definition: TaskDefinition;
  readonly message: Message;
  readonly args: readonly unknown[];
  readonly queue: string;
  readonly deliveries: number;
  readonly isEager: boolean;
  readonly calledDirectly: boolean;
  readonly ignoreResult: boolean;
  readonly signal: AbortSignal;
  /** When the hard limit ends the run; null for never. */
  readonly stopMs: number | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: Settings;
  /** Filled with the ids of what the run sends. */
  readonly children?: string[];
  /** Stores a custom state for readers. */
  store(state: string, meta: unknown): Promise<void>;
}

export function createContext(parts: ContextParts): TaskContext {
  const { clock, message } = parts;
  const updateState = async (state: string, meta: unknown = null): Promise<void> => {
    if (typeof state !== 'string' || state === '' || (isBuiltin(state) && state !== 'STARTED')) {
      throw new InvalidOption(
        `state: ${shown(state)} given; a state of your own such as 'PROGRESS' is allowed. Outcomes are set by returning and throwing.`,
      );
    }
    await parts.store(state, meta);
  };
  // A task with `maxParts` has better ones.
  const goOn = (): never => {
    throw new InvalidOption(
      `${message.task} cannot go on in another part: a task with the option maxParts can, such as maxParts: 100, when its message runs.`,
    );
  };
  return {
    request: createRequest(parts),
    logger: createLogger(parts),
    signal: parts.signal,
    remainingTime: () => (parts.stopMs === null ? Infinity : Math.max(0, (parts.stopMs - clock.nowMs()) / 1000)),
    retry: ((options: RetryOptions = {}) => {
      const retry = planRetry(parts, options, clock.nowMs());
      if (options.throw === false) return retry;
      throw retry;
    }) as TaskContext['retry'],
    updateState,
    progress: (done, total) => updateState('PROGRESS', { current: done, total }),
    part: 1,
    goOn,
    checkpoint: async () => (parts.calledDirectly ? undefined : goOn()),
  } satisfies TaskContext & { request: { id: typeof message.id } };
}

/** The context of a task that is called as a plain function, for its message or for none: nothing is sent again or stored. */
export function directContext(
  parts: Pick<ContextParts, 'definition' | 'message' | 'clock' | 'logger' | 'settings'> &
    Partial<Pick<ContextParts, 'signal' | 'stopMs'>>,
): TaskContext {
  const { args, queue } = parts.message;
  return createContext({
    signal: new AbortController().signal,
    stopMs: null,
    ...parts,
    args,
    queue,
    deliveries: 1,
    isEager: false,
    calledDirectly: true,
    ignoreResult: true,
    store: () => Promise.resolve(),
  });
}

function createRequest(parts: ContextParts): TaskRequest {
  const { message, definition } = parts;
  return Object.freeze({
    id: message.id,
    task: message.task,
    args: parts.args,
    kwargs: message.kwargs,
    retries: message.retries,
    eta: message.etaMs === null ? null : new Date(message.etaMs),
    expires: message.expiresMs === null ? null : new Date(message.expiresMs),
    isEager: parts.isEager,
    calledDirectly: parts.calledDirectly,
    deliveryInfo: { queue: parts.queue, redelivered: parts.deliveries > 1, deliveries: parts.deliveries },
    rootId: message.rootId,
    parentId: message.parentId,
    groupId: message.groupId,
    groupIndex: message.groupIndex,
    headers: message.headers,
    correlationId: message.id,
    replyTo: message.replyTo,
    origin: message.origin,
    shadow: message.shadow,
    argsrepr: message.argsrepr,
    kwargsrepr: message.kwargsrepr,
    priority: message.priority,
    timeLimit: limitsInForce(message.timeLimit, definition.options),
    ignoreResult: parts.ignoreResult,
    stamps: message.stamps,
    hops: message.celeriac.hops ?? 0,
    children: parts.children ?? [],
    ...scheduleOf(message),
  });
}

/** Untrusted: anybody can write a header. */
function scheduleOf(message: Message): Pick<TaskRequest, 'schedule'> {
  const beat = message.celeriac['beat'] as { readonly entry?: unknown; readonly scheduled?: unknown } | undefined;
  if (typeof beat?.entry !== 'string' || typeof beat.scheduled !== 'string') return {};
  const scheduledTime = new Date(beat.scheduled);
  return Number.isNaN(scheduledTime.getTime()) ? {} : { schedule: { entry: beat.entry, scheduledTime } };
}

function createLogger(parts: ContextParts): TaskLogger {
  const base = { task: parts.message.task, taskId: parts.message.id, attempt: parts.message.retries };
  const log: TaskLogger['log'] = (level, text, fields) => parts.logger.log(level, text, { ...fields, ...base });
  return {
    log,
    debug: (text, fields) => log('debug', text, fields),
    info: (text, fields) => log('info', text, fields),
    warn: (text, fields) => log('warn', text, fields),
    error: (text, fields) => log('error', text, fields),
  };
}

// Options of a call that a retry may have too, and what is a retry's own.
const CALL_KEYS = [
  'kwargs',
  'queue',
  'priority',
  'headers',
  'expires',
  'timeLimit',
  'softTimeLimit',
  'shadow',
  'ignoreResult',
  'link',
  'linkError',
  'argsrepr',
  'kwargsrepr',
] as const satisfies readonly (keyof RetryOptions)[];
const RETRY_KEYS: ReadonlySet<string> = new Set<keyof RetryOptions>([
  ...CALL_KEYS,
  'countdown',
  'eta',
  'exc',
  'maxRetries',
  'args',
  'throw',
]);

/** @throws `exc` or MaxRetriesExceededError when no retry is left; InvalidOption, NotSerializable on bad input. */
function planRetry(parts: ContextParts, options: RetryOptions, nowMs: number): Retry {
  const { definition, message } = parts;
  refuseUnknownKeys(options, RETRY_KEYS, 'retry()');
  if (options.countdown !== undefined && options.eta !== undefined) {
    throw new InvalidOption('retry(): countdown and eta are both given; one of them is allowed.');
  }
  const maxRetries = options.maxRetries === undefined ? definition.options.maxRetries : options.maxRetries;
  // Called as a plain function there is no message to send again (Celery raises the original too).
  if (parts.calledDirectly || !mayRetry(message.retries, maxRetries)) {
    if (options.exc !== undefined) throw options.exc;
    throw new MaxRetriesExceededError(
      `Can't retry ${message.task}[${message.id}] args:${message.argsrepr} kwargs:${message.kwargsrepr}`,
    );
  }
  const dueMs =
    options.eta === undefined
      ? nowMs +
        Math.round(
          durationSeconds(options.countdown ?? definition.options.defaultRetryDelaySeconds, 'retry() countdown') * 1000,
        )
      : instantMs(options.eta, 'retry() eta');
  const wait = Math.max(0, Math.round((dueMs - nowMs) / 1000));
  const why = isError(options.exc) ? `: ${errorLine(options.exc)}` : '';
  return new Retry(`Retry in ${wait}s${why}`, dueMs, options.exc, planOverrides(parts, options, nowMs));
}

/** @throws InvalidOption, NotSerializable, QueueNotFound */
function planOverrides({ settings }: ContextParts, options: RetryOptions, nowMs: number): RetryOverrides {
  for (const field of ['args', 'kwargs', 'headers'] as const)
    if (options[field] !== undefined) encodeJson(options[field], field);
  if (options.queue !== undefined) requireQueue(options.queue, settings);
  const given = CALL_KEYS.filter((key) => options[key] !== undefined);
  const call = resolveApplyOptions(Object.fromEntries(given.map((key) => [key, options[key]])), nowMs);
  const { expiresMs, link, linkError, timeLimit, ...rest } = call;
  for (const sig of [...(link ?? []), ...(linkError ?? [])]) checkSteps(sig, settings.queues);
  const named = Object.entries(rest).filter(([name]) => options[name as keyof RetryOptions] !== undefined);
  return {
    ...(Object.fromEntries(named) as Partial<RetryOverrides>),
    ...(options.args === undefined ? {} : { args: givenArguments(options.args) }),
    ...(expiresMs === null ? {} : { expiresMs }),
    ...(link === null ? {} : { link }),
    ...(linkError === null ? {} : { linkError }),
    ...(timeLimit.every((limit) => limit === null) ? {} : { timeLimit }),
  };
}
