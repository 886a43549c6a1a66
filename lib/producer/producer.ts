/** From a call to a message. What an app lends to everything that sends. */
import { type ApplyOptions, resolveApplyOptions, type ResolvedApplyOptions } from '../options/apply-options.ts';
import { maybeCurrentTask } from '../task/context.ts';
import { HopLimitExceeded, InvalidOption } from '../base/errors.ts';
import { MAX_HOPS } from '../base/limits.ts';
import { placeOf, withQueues } from './destination.ts';
import { decodeTyped } from '../wire/json-typed.ts';
import type { CeleriacHeader, Embed, Message } from '../wire/message.ts';
import { checkSteps, fromSignatureOptions, type Lineage } from '../options/signature-options.ts';
import { checkTimerSize, prepare, type Prepared } from './publish.ts';
import { requireExternal, requireQueue } from '../options/declared-queue.ts';
import { argsRepr, kwargsRepr } from '../wire/repr.ts';
import { givenArguments, readSignature, type Signature } from '../wire/signature.ts';
import { validateArguments } from './arguments.ts';
import { groupOf } from './group-key.ts';
import { checkedTaskName } from '../options/task-options.ts';
import { traceMessage, type Traced } from './trace-message.ts';
import { tellOfNoLanes } from './no-lanes.ts';
import type { App } from './app.ts';

/** A message ready to go, and how to publish it. */
export interface Call {
  readonly message: Message;
  readonly prepared: Prepared;
  readonly options: ResolvedApplyOptions;
}

const EMPTY_EMBED: Embed = { callbacks: null, errbacks: null, chain: null, chord: null };

/** @throws InvalidOption, InvalidArguments, NotSerializable, QueueNotFound, MessageTooLarge: before anything is sent. */
export async function prepareCall(
  app: App,
  name: string,
  args: readonly unknown[],
  options: ApplyOptions = {},
  lineage: Lineage = {},
): Promise<Call> {
  checkedTaskName(name);
  if (!Array.isArray(args)) {
    throw new InvalidOption(`arguments of '${name}': give an array of arguments, as in applyAsync([2, 2]).`);
  }
  // A schema sees here what it will see before the run.
  const checkedArgs = await validateArguments(app.registry.find(name), givenArguments(args));
  return prepareChecked(app, name, checkedArgs, options, lineage);
}

/** `prepareCall` for arguments that are known to fit the task's schema. */
export function prepareChecked(
  app: App,
  name: string,
  checkedArgs: readonly unknown[],
  options: ApplyOptions,
  lineage: Lineage,
): Call {
  const args = givenArguments(checkedArgs);
  const nowMs = app.clock.nowMs();
  const resolved = resolveApplyOptions(options, lineage.scheduledMs ?? nowMs);
  const built = buildMessage(app, name, args, resolved, lineage, nowMs);
  // A tick begins a trace: whoever sends it only looks at the clock.
  const { message, span }: Traced = lineage.scheduledMs === undefined ? traceMessage(app, built) : { message: built };
  const prepared = prepare(message, app.settings, { asPython: lineage.sentOn === true });
  checkTimerSize(prepared, nowMs, app.settings);
  return { message, prepared: span === undefined ? prepared : { ...prepared, span }, options: resolved };
}

export async function prepareSignature(app: App, sig: Signature, lineage: Lineage = {}): Promise<Call> {
  if (sig.subtask_type !== null && !ONE_MESSAGE.has(sig.subtask_type)) {
    throw new InvalidOption(`signature of '${sig.task}': a ${sig.subtask_type} cannot be sent as a single task.`);
  }
  const { options, lineage: own } = fromSignatureOptions(sig.options);
  const inner = sig.subtask_type === null ? undefined : readSignature(sig.kwargs['task'])?.task;
  // A task of ours gets what it would get from any other message, its schema too; Python's own gets what Python wrote.
  const decode = lineage.sentOn === true && app.registry.find(sig.task) !== undefined;
  const { args, kwargs } = decode ? (decodeTyped({ args: sig.args, kwargs: sig.kwargs }) as typeof sig) : sig;
  return prepareCall(
    app,
    sig.task,
    args,
    { ...options, kwargs: { ...options.kwargs, ...kwargs } },
    {
      ...lineage,
      ...own,
      embed: { ...lineage.embed, ...own.embed },
      celeriac: { ...lineage.celeriac, ...own.celeriac },
      ...(inner === undefined ? {} : { routeAs: inner }),
    },
  );
}

// Celery's map and starmap: one message each.
const ONE_MESSAGE: ReadonlySet<string> = new Set(['xmap', 'xstarmap']);

function buildMessage(
  app: App,
  name: string,
  args: readonly unknown[],
  options: ResolvedApplyOptions,
  lineage: Lineage,
  nowMs: number,
): Message {
  const { settings } = app;
  const definition = app.registry.findAnywhere(lineage.routeAs ?? name);
  const { queue, priority } = queueAndPriority(app, name, args, options, lineage);
  if (definition !== undefined && definition !== app.registry.find(definition.name))
    requireExternal(definition.name, queue, settings);
  const parent = lineage.parentId === undefined ? maybeCurrentTask()?.request : undefined;
  const id = options.taskId ?? app.ids.next();
  const expiresSeconds = definition?.options.expiresSeconds ?? null;
  const { scheduledMs } = lineage;
  // What came in a message fails as a step where it is one.
  if (lineage.sentOn !== true)
    for (const link of [...(options.link ?? []), ...(options.linkError ?? [])]) checkSteps(link, settings.queues);
  const group = options.groupKey ?? groupOf({ ...lineage, task: name, args, kwargs: options.kwargs }, definition);
  const embed = { ...EMPTY_EMBED, callbacks: options.link, errbacks: options.linkError, ...lineage.embed };
  return {
    id,
    task: name,
    args,
    kwargs: options.kwargs,
    embed: settings.queues[queue]?.external === true ? withQueues(app, embed) : embed,
    retries: 0,
    // Celery: who runs a task here does not wait for it.
    etaMs: app.eager
      ? null
      : (options.etaMs ?? (scheduledMs !== undefined && scheduledMs > nowMs ? scheduledMs : null)),
    expiresMs: options.expiresMs ?? (expiresSeconds === null ? null : (scheduledMs ?? nowMs) + expiresSeconds * 1000),
    rootId: lineage.rootId ?? parent?.rootId ?? id,
    parentId: lineage.parentId ?? parent?.id ?? null,
    groupId: lineage.groupId ?? null,
    groupIndex: lineage.groupIndex ?? null,
    timeLimit: options.timeLimit,
    ignoreResult: options.ignoreResult,
    argsrepr: options.argsrepr ?? argsRepr(args),
    kwargsrepr: options.kwargsrepr ?? kwargsRepr(options.kwargs),
    queue,
    priority,
    shadow: options.shadow,
    origin: `celeriac@${settings.name}`,
    replyTo: null,
    replacedTaskNesting: 0,
    stampedHeaders: lineage.stampedHeaders ?? null,
    stamps: lineage.stamps ?? {},
    headers: options.headers,
    properties: {},
    celeriac: {
      ...lineage.celeriac,
      // A tick begins a line of its own: nothing counts before it.
      ...nextHeader(group, scheduledMs === undefined ? (lineage.hops ?? parent?.hops) : undefined),
    },
  };
}

/** @throws QueueNotFound */
function queueAndPriority(
  app: App,
  name: string,
  args: readonly unknown[],
  options: ResolvedApplyOptions,
  lineage: Lineage,
): Pick<Message, 'queue' | 'priority'> {
  const { asked, priority, ...place } = placeOf(app, lineage.routeAs ?? name, args, options.kwargs, options);
  const queue = requireQueue(place.queue, app.settings);
  if (asked !== undefined && lineage.sentOn !== true) tellOfNoLanes(name, asked, queue, app);
  return { queue, priority };
}

function nextHeader(groupId: string | undefined, parentHops: number | undefined): CeleriacHeader {
  const hops = parentHops === undefined ? 0 : parentHops + 1;
  if (hops > MAX_HOPS) {
    throw new HopLimitExceeded(
      `${hops} messages followed from one root task; ${MAX_HOPS} are allowed. A task that keeps starting itself ends here.`,
    );
  }
  return { ...(hops > 0 ? { hops } : {}), ...(groupId === undefined ? {} : { groupId }) };
}
