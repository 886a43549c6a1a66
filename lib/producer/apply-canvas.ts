/** Sending a tree of signatures: compiled, defined where a crash of the sender could tear it, sent in windows. */
import type { ApplyOptions } from '../options/apply-options.ts';
import { flattened, givenId, isOneMessage, kindOf, withOptions } from '../canvas/build.ts';
import { withCallOptions } from '../canvas/call-options.ts';
import {
  compile,
  type CountedByCelery,
  FRESH,
  hasGivenIds,
  type Plan,
  type Planned,
  type ResultNode,
  type Sent,
} from '../canvas/compile.ts';
import { REPAIR_TASK } from '../canvas/own-tasks.ts';
import { maybeCurrentTask, recordChildren } from '../task/context.ts';
import { hasExternalTaskIn } from './destination.ts';
import { requireKnownTree } from './known-tasks.ts';
import { ImproperlyConfigured, InvalidOption } from '../base/errors.ts';
import { groupExpiresAtSeconds } from '../wire/group-ids.ts';
import { encodeJson } from '../wire/json.ts';
import {
  CANVAS_WINDOW_BYTES,
  CANVAS_WINDOW_MESSAGES,
  GROUP_REPAIR_SECONDS,
  SQS_MAX_BATCH_ENTRIES,
  SQS_MAX_DELAY_SECONDS,
  SQS_MAX_MESSAGE_BYTES,
} from '../base/limits.ts';
import type { Ports } from '../ports/ports.ts';
import type { Timer } from '../ports/timers.ts';
import { checkSteps, type Lineage } from '../options/signature-options.ts';
import { prepareCall, prepareSignature } from './producer.ts';
import type { App } from './app.ts';
import { sendAll } from './enqueue.ts';
import type { Prepared } from './publish.ts';
import { publishTelling } from './publish-signals.ts';
import { markOption } from './refuse-marked.ts';
import { AsyncResult } from '../results/result.ts';
import { GroupResult } from '../results/group-result.ts';
import type { Settings } from '../options/settings.ts';
import type { Signature } from '../wire/signature.ts';
import { derivedId } from '../base/ids.ts';

/** Sends any signature. Bad input throws before anything is sent. */
export async function applySignature(
  app: App,
  sig: Signature,
  options: ApplyOptions = {},
): Promise<AsyncResult | GroupResult> {
  const { whole, id, marked } = namedTree(app, sig, options);
  const { taskId } = options;
  if (marked !== undefined) return sendOne(app, whole, { id, fresh: taskId === undefined, option: marked });
  const plan = compileFor(app, whole, id);
  await sendPlan(app, plan, { signature: whole, id, fresh: taskId === undefined && !hasGivenIds(whole) });
  // What ran in a task is no child of it that others could read.
  if (app.eager === undefined)
    recordChildren(plan.messages.map((planned) => String(planned.signature.options['task_id'])));
  return resultOf(plan.result, app);
}

/** The tree under its id, checked; `marked` where another task may stand for it. */
function namedTree(
  app: App,
  sig: Signature,
  options: ApplyOptions,
): { readonly whole: Signature; readonly id: string; readonly marked: ReturnType<typeof markOption> } {
  const { taskId, kwargs } = options;
  if (kwargs !== undefined && sig.subtask_type !== null)
    throw new InvalidOption(`kwargs: a ${kindOf(sig)} takes none; give them to its tasks.`);
  const whole = withCallOptions(sig, options);
  checkSteps(whole, app.settings.queues);
  if (app.eager !== undefined) requireKnownTree(app, whole);
  return { whole, id: taskId ?? givenId(sig) ?? app.ids.next(), marked: markOption(app, whole) };
}

/**
 * The message that a tree begins with, where it is one, and where its result will be. Undefined for a tree of several.
 *
 * @throws InvalidOption where another task may stand for it
 */
export async function onlyMessage(
  app: App,
  sig: Signature,
  options: ApplyOptions,
): Promise<{ readonly prepared: Prepared; readonly result: AsyncResult | GroupResult } | undefined> {
  const { whole, id, marked } = namedTree(app, sig, options);
  if (marked !== undefined)
    throw new InvalidOption(
      `${marked} of task '${whole.task}': whether another task stands for it is known when it is sent. Give it ${marked}: false, or send it by delay().`,
    );
  const plan = compileFor(app, whole, id);
  if (plan.messages.length !== 1 || plan.chords.length > 0) return undefined;
  const fresh = options.taskId === undefined && !hasGivenIds(whole);
  const [prepared] = await prepareWindow(app, plan, 0, lineageOf(fresh));
  return prepared && { prepared, result: resultOf(plan.result, app) };
}

/** A task by itself, for which another may stand. */
async function sendOne(
  app: App,
  sig: Signature,
  { id, fresh, option }: { readonly id: string; readonly fresh: boolean; readonly option: string },
): Promise<AsyncResult> {
  if (!isOneMessage(sig))
    throw new InvalidOption(
      `${option}: a ${kindOf(sig)} takes none, since it is many messages. Send a task that starts it, and give it ${option}.`,
    );
  const named = withOptions(sig, { task_id: id });
  const call = await prepareSignature(app, named, lineageOf(fresh && !hasGivenIds(sig)));
  const [result] = await sendAll(app, [call], app.settings.retry ? app.settings.retryPolicy : null);
  return result as AsyncResult;
}

/** Where each task of the tree runs is what the app's queues and routes say. */
export function compileFor(app: App, sig: Signature, id: string, sent?: Sent): Plan {
  return compile(sig, id, sent, hasExternalTaskIn(app));
}

/** Chords that Celery's workers count too, before any of their members is sent. */
export async function defineChords(
  chords: readonly CountedByCelery[],
  ports: Pick<Ports, 'celeryGroups' | 'clock'>,
  { resultExpiresSeconds }: Settings,
): Promise<void> {
  if (chords.length === 0) return;
  const { celeryGroups } = ports;
  if (celeryGroups === undefined)
    throw new ImproperlyConfigured(
      "chord(): its header has tasks of external queues, which Celery's workers count too, and this app is wired without celeryGroups. Give `celeryGroups` to app.use(), or leave app.use() out and let the environment tell.",
    );
  const nowMs = ports.clock.nowMs();
  const expiresAtSeconds = groupExpiresAtSeconds(nowMs, resultExpiresSeconds);
  for (const { groupId, memberIds } of chords)
    await celeryGroups.define({ groupId, memberIds, chord: true, nowMs, expiresAtSeconds });
}

interface Tree {
  readonly signature: Signature;
  readonly id: string;
  readonly fresh: boolean;
}

async function sendPlan(app: App, plan: Plan, tree: Tree): Promise<void> {
  const ports = await app.ports();
  const lineage = lineageOf(tree.fresh);
  const policy = app.settings.retry ? app.settings.retryPolicy : null;
  // Checked before anything is stored or sent: a mistake anywhere in the tree sends nothing of it.
  const first = await prepareWindow(app, plan, 0, lineage);
  for (let start = first.length; start < plan.messages.length;)
    start += (await prepareWindow(app, plan, start, lineage)).length;
  await defineChords(plan.chords, ports, app.settings);
  const { queues, defaultQueue } = app.settings;
  // The repair is a task of ours: where nobody of ours works, Python would only find that it does not know it. And who
  // sends to itself leaves nobody waiting when it dies.
  const repaired = queues[defaultQueue]?.external !== true && app.eager === undefined;
  const needsRepairTimer = repaired && !inOneRequest(first, ports.clock.nowMs());
  const repairTimer = needsRepairTimer ? await storeRepair(app, ports, plan, tree) : undefined;
  await publishTelling(app, first, ports, policy);
  for (let start = first.length; start < plan.messages.length;) {
    const window = await prepareWindow(app, plan, start, lineage);
    await publishTelling(app, window, ports, policy);
    start += window.length;
  }
  if (repairTimer !== undefined) await dismiss(repairTimer, ports);
}

/** What the messages of a tree say of it beside where they stand. */
export function lineageOf(fresh: boolean): Lineage {
  return fresh ? { celeriac: { [FRESH]: true } } : {};
}

/** Messages from an index on, as many as are sent at a time: memory stays bounded whatever the size. */
async function prepareWindow(app: App, plan: Plan, start: number, lineage: Lineage): Promise<readonly Prepared[]> {
  const window: Prepared[] = [];
  let bytes = 0;
  for (const planned of plan.messages.slice(start, start + CANVAS_WINDOW_MESSAGES)) {
    if (bytes >= CANVAS_WINDOW_BYTES) break;
    const { prepared } = await prepareOne(app, planned, lineage);
    window.push(prepared);
    const { body, payload } = prepared.outgoing;
    bytes += body.length + (payload?.bytes.byteLength ?? 0);
  }
  return window;
}

/** One request is done whole or not at all. */
function inOneRequest(prepared: readonly Prepared[], nowMs: number): boolean {
  if (prepared.length > SQS_MAX_BATCH_ENTRIES) return false;
  const bytes = prepared.reduce((sum, { outgoing }) => sum + outgoing.body.length, 0);
  if (prepared.length > 1 && bytes > SQS_MAX_MESSAGE_BYTES) return false;
  return new Set(prepared.map((item) => requestKeyOf(item, nowMs))).size <= 1;
}

/** A queue, or the timers; what is due later may go either way. */
function requestKeyOf({ dueMs, outgoing }: Prepared, nowMs: number): string {
  const delaySeconds = dueMs === null ? 0 : (dueMs - nowMs) / 1000;
  if (delaySeconds > SQS_MAX_DELAY_SECONDS) return 'timers';
  return `${delaySeconds > 0 ? 'later' : 'now'} ${outgoing.queue}`;
}

/** Everything was sent. A guard that stays only sends it again, which runs nothing twice: no reason to report a failure. */
async function dismiss(guard: Timer, ports: Ports): Promise<void> {
  try {
    await ports.timers.remove([guard]);
  } catch (error) {
    ports.logger.log('warn', `The repair timer of ${guard.id} stays: ${String(error)}`, { taskId: guard.id });
  }
}

async function prepareOne(app: App, planned: Planned, lineage: Lineage): ReturnType<typeof prepareSignature> {
  return prepareSignature(app, planned.signature, {
    ...lineage,
    embed: { chain: planned.chain },
    celeriac: { ...lineage.celeriac, ...(planned.gather === undefined ? {} : { gather: planned.gather }) },
  });
}

/**
 * More than one request is needed: should this process end between two of them, a timer sends the rest.
 * The ids are the same, so that what was sent already runs once.
 */
async function storeRepair(app: App, ports: Ports, plan: Plan, tree: Tree): Promise<Timer> {
  const { id } = tree;
  const nowMs = ports.clock.nowMs();
  const name = derivedId(`${id}:definition`);
  await ports.groups.define({
    groupId: name,
    size: plan.messages.length,
    createdMs: nowMs,
    definition: encodeJson(flattened(tree.signature), 'signature'),
    // Results may live shorter than it takes to find out that something is missing.
    expiresAtSeconds: groupExpiresAtSeconds(nowMs, app.settings.resultExpiresSeconds),
  });
  const parent = maybeCurrentTask()?.request;
  const { prepared } = await prepareCall(
    app,
    REPAIR_TASK,
    [name, id, 0, tree.fresh],
    {
      taskId: derivedId(`${id}:repair`),
      // While results are there: what is known to have run does not run again.
      countdown: Math.min(GROUP_REPAIR_SECONDS, app.settings.resultExpiresSeconds / 2),
    },
    // The members' own: what the repair sends is to stand where they would have stood.
    parent === undefined ? { parentId: null } : { parentId: parent.id, rootId: parent.rootId, hops: parent.hops },
  );
  const timer: Timer = {
    id: prepared.id,
    attempt: 0,
    dueMs: prepared.dueMs ?? nowMs,
    message: prepared.outgoing,
  };
  await ports.timers.put([timer]);
  return timer;
}

/** Sends a plan again from an index on, one window; what is finished or runs is not disturbed. Gives the next index. */
export async function sendPlanFrom(
  app: App,
  ports: Ports,
  plan: Plan,
  start: number,
  lineage: Lineage,
): Promise<number> {
  await defineChords(plan.chords, ports, app.settings);
  const prepared = await prepareWindow(app, plan, start, lineage);
  await publishTelling(app, prepared, ports);
  return start + prepared.length;
}

/** Where the results of a plan are read. */
export function resultOf(node: ResultNode, app: App): AsyncResult | GroupResult {
  const parent = node.parent === undefined ? undefined : resultOf(node.parent, app);
  return node.kind === 'task'
    ? new AsyncResult(node.id, app, parent === undefined ? {} : { parent })
    : new GroupResult(node.id, node.memberIds, app, { parent, uncounted: node.uncounted === true });
}
