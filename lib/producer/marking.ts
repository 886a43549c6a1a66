/** Under which key a call stands, and how: what its task says, or the call itself. */
import { ImproperlyConfigured, InvalidOption, MessageTooLarge } from '../base/errors.ts';
import { MAX_DEBOUNCED_BYTES } from '../base/limits.ts';
import { argumentsKey } from '../flow/marks.ts';
import { itemKey, keyFor } from '../flow/key.ts';
import { type CallMarks, MARKS } from '../options/apply-options.ts';
import type { Debounce } from '../options/debounce.ts';
import type { FlowOptions } from '../options/flow-options.ts';
import { isMarkedElsewhere } from '../options/environment.ts';
import { resolveMarks } from '../options/resolve-flow.ts';
import type { MarkKey, Unique } from '../options/unique.ts';
import type { Marks, OwnMark } from '../ports/marks.ts';
import type { Ports } from '../ports/ports.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Message } from '../wire/message.ts';
import type { App } from './app.ts';
import { callArguments } from './arguments.ts';
import { checkTimerSize, prepare, type Prepared } from './publish.ts';
import type { Call } from './producer.ts';

/** How a call stands for its key. */
export type Marking = {
  /** The item of its task and key. */
  readonly key: string;
} & (
  | { readonly kind: 'unique'; readonly unique: Unique }
  | { readonly kind: 'debounce'; readonly debounce: Debounce; readonly message: Message }
);

/** A call and how it stands; `undefined` for one that nothing stands in the way of. */
export interface MarkedCall {
  readonly call: Call;
  readonly marking: Marking | undefined;
}

/** What stands for a call. */
export interface Stands {
  /** Id of the task that runs. */
  readonly id: string;
  /** It stood already. */
  readonly duplicate: boolean;
}

/** What stands for a call, and what there is to send. */
export interface Sending extends Stands {
  /** Undefined where nothing is to be sent. */
  readonly prepared?: Prepared;
  /** The mark that is told of it, once it is sent. */
  readonly mark?: SentMark;
}

/** A mark or an episode whose message, or token, is to be sent. */
export interface SentMark extends OwnMark {
  /** Taken by this very call: free again, should the message be refused. */
  readonly own: boolean;
  /** Of an episode: when its token comes. */
  readonly tokenMs?: number;
}

interface Said {
  readonly unique: Unique | undefined;
  readonly debounce: Debounce | undefined;
}

/**
 * Eagerly a task runs within its caller's call: nothing stands beside it.
 *
 * @throws InvalidOption, InvalidKey, MessageTooLarge: before anything is sent
 */
export async function markedCall(app: App, call: Call): Promise<MarkedCall> {
  const { message, options } = call;
  const definition = app.registry.find(message.task);
  const said = await saidOf(definition, options.marks);
  if (definition === undefined) refuseUnsaid(app, message.task, options.marks);
  const rule = said?.unique ?? said?.debounce;
  if (app.eager !== undefined || said === undefined || rule === undefined) return { call, marking: undefined };
  refuseElsewhere(app, message, said);
  const option = said.debounce === undefined ? 'unique or throttle' : 'debounce';
  const key = itemKey(message.task, keyText(rule.key, message, definition, `${option} of task '${message.task}'`));
  return said.unique === undefined
    ? debounced(call, { kind: 'debounce', key, debounce: rule as Debounce, message })
    : unique(app, call, { kind: 'unique', key, unique: said.unique });
}

/** Whether anything is said of a task, or in its call. */
export function mayBeMarked(app: App, { message, options }: Call): boolean {
  return (
    app.eager === undefined && (isMarked(app, message.task) || MARKS.some((name) => options.marks[name] !== undefined))
  );
}

/** Of a task whose code is not here, what the service has told. */
function isMarked({ registry, settings }: App, task: string): boolean {
  const definition = registry.findAnywhere(task);
  return definition === undefined ? isMarkedElsewhere(settings.name, task) : definition.options.flow?.marked === true;
}

/** @throws ImproperlyConfigured */
export function marksOf({ marks }: Ports): Marks {
  if (marks !== undefined) return marks;
  throw new ImproperlyConfigured(
    'A call is unique, throttled or debounced, and app.use() was given no `marks`: give it a store of them.',
  );
}

/** Whoever does not have the task's code cannot ask for its key. @throws InvalidOption */
function refuseUnsaid({ settings, registry }: App, task: string, own: CallMarks): void {
  if (MARKS.some((name) => own[name] !== undefined)) return;
  if (registry.findAnywhere(task) !== undefined || !isMarkedElsewhere(settings.name, task)) return;
  throw new InvalidOption(
    `Task '${task}' is unique, throttled or debounced, and its code, which says so, is not here. Import the task, or let the call say it, such as unique: { key: 'order-7' }; unique: false sends it as it is.`,
  );
}

async function saidOf(definition: TaskDefinition | undefined, own: CallMarks): Promise<Said | undefined> {
  const given = Object.fromEntries(
    MARKS.flatMap((name) => (own[name] === undefined || own[name] === false ? [] : [[name, own[name]]])),
  ) as FlowOptions;
  if (Object.keys(given).length > 0) {
    for (const [name, value] of Object.entries(given))
      if (typeof (value as { readonly key?: unknown } | null)?.key === 'function')
        throw new InvalidOption(
          `key of ${name} of the call: a function given; a call knows its arguments: give the text itself.`,
        );
    return resolveMarks(given, 'the call');
  }
  const flow = definition?.options.flow;
  if (flow?.marked !== true) return undefined;
  const off = MARKS.find((name) => flow.given[name] !== undefined);
  return off !== undefined && own[off] === false ? undefined : flow.resolved();
}

function keyText(key: MarkKey, message: Message, definition: TaskDefinition | undefined, option: string): string {
  if (key === 'args') return argumentsKey(message.args, message.kwargs);
  if (typeof key === 'string') return key;
  return keyFor(key, definition === undefined ? message.args : callArguments(message, definition), option);
}

/** @throws InvalidOption for what only workers of ours can do. */
function refuseElsewhere({ settings }: App, { queue, task, etaMs }: Message, { unique: rule, debounce }: Said): void {
  const external = settings.queues[queue]?.external === true;
  if (debounce !== undefined && external)
    throw new InvalidOption(
      `debounce of task '${task}': queue '${queue}' has its workers elsewhere, and they do not know how to wait for the last call. Leave it out.`,
    );
  if (debounce !== undefined && etaMs !== null)
    throw new InvalidOption(
      `countdown or eta of task '${task}': given together with debounce, which says when it runs. Leave one of them out.`,
    );
  if (rule !== undefined && rule.until !== 'time' && external)
    throw new InvalidOption(
      `unique of task '${task}': queue '${queue}' has its workers elsewhere, and they tell nobody when a task has ${rule.until}. Give until: a time such as '1h', or throttle.`,
    );
}

function unique(app: App, call: Call, marking: Extract<Marking, { kind: 'unique' }>): MarkedCall {
  const { until } = marking.unique;
  // What ends by itself is cleared by nobody.
  if (until === 'time') return { call, marking };
  const { message } = call;
  const marked = { ...message, celeriac: { ...message.celeriac, unique: [marking.key, until] as const } };
  const prepared = { ...prepare(marked, app.settings), span: call.prepared.span };
  checkTimerSize(prepared, app.clock.nowMs(), app.settings);
  return { call: { ...call, message: marked, prepared }, marking };
}

function debounced(call: Call, marking: Marking): MarkedCall {
  const bytes = call.prepared.outgoing.body.length;
  if (bytes > MAX_DEBOUNCED_BYTES)
    throw new MessageTooLarge(
      `The message of task id ${call.message.id} has ${bytes} bytes; what is debounced is stored in DynamoDB until it runs, which takes ${MAX_DEBOUNCED_BYTES} bytes. Pass a reference instead of the data.`,
    );
  return { call, marking };
}

/** The same call as a message of another task id: of the task that stands. */
export function underId({ message, prepared }: Call, id: string, app: App): Prepared {
  if (id === message.id) return prepared;
  const { rootId } = message;
  return prepare({ ...message, id, rootId: rootId === message.id ? id : rootId }, app.settings);
}
