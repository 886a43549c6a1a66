/** Sending a tree of signatures: compiled, defined where a crash of the sender could tear it, sent in windows. */
import type { ApplyOptions } from './apply-options.ts';
import { kindOf, merged, withOptions } from './canvas/build.ts';
import { compile, type Plan, type Planned, type ResultNode } from './canvas/compile.ts';
import { recordChildren } from './context.ts';
import { InvalidOption } from './errors.ts';
import { encodeJson } from './json.ts';
import { CANVAS_WINDOW_MESSAGES, GROUP_REPAIR_SECONDS, SQS_MAX_BATCH_ENTRIES } from './limits.ts';
import type { Ports, Timer } from './ports.ts';
import { prepareCall, prepareSignature, type Producer } from './producer.ts';
import { publish } from './publish.ts';
import { AsyncResult } from './result.ts';
import { GroupResult } from './group-result.ts';
import type { Signature } from './signature.ts';
import { toSignatureOptions } from './signature-options.ts';
import { derivedId } from './time.ts';

/** Of this package: sends what a sender that died has left unsent. */
export const REPAIR_TASK = 'celeriac.repair';

// Options that say how to send, and belong to no signature.
const OF_SENDING = ['retry', 'retryPolicy'] as const;

/** Sends any signature. Bad input throws before anything is sent. */
export async function applySignature(
  producer: Producer,
  sig: Signature,
  options: ApplyOptions = {},
): Promise<AsyncResult | GroupResult> {
  const { taskId, kwargs, ...rest } = options;
  if (kwargs !== undefined && sig.subtask_type !== null)
    throw new InvalidOption(`kwargs: a ${kindOf(sig)} takes none; give them to its tasks.`);
  const own = toSignatureOptions(Object.fromEntries(Object.entries(rest).filter(([name]) => !isOfSending(name))));
  const whole = withOptions(kwargs === undefined ? sig : { ...sig, kwargs: { ...sig.kwargs, ...kwargs } }, {
    ...own,
    ...merged(sig.options, own),
  });
  const given = sig.options['task_id'];
  const id = taskId ?? (typeof given === 'string' ? given : producer.ids.next());
  const plan = compile(whole, id);
  await sendPlan(producer, plan, whole, id);
  recordChildren(plan.messages.map((planned) => String(planned.signature.options['task_id'])));
  return resultOf(plan.result, producer);
}

function isOfSending(name: string): boolean {
  return (OF_SENDING as readonly string[]).includes(name);
}

async function sendPlan(producer: Producer, plan: Plan, sig: Signature, id: string): Promise<void> {
  // The first window is checked before anything is stored or sent: a mistake in the tree is mostly in all of it.
  const ports = await producer.ports();
  const torn = plan.messages.length > SQS_MAX_BATCH_ENTRIES;
  const policy = producer.settings.retry ? producer.settings.retryPolicy : null;
  if (torn) for (const planned of plan.messages) await prepareOne(producer, planned);
  const guard = torn ? await defineGroup(producer, ports, plan, sig, id) : undefined;
  for (let start = 0; start < plan.messages.length; start += CANVAS_WINDOW_MESSAGES) {
    const window = plan.messages.slice(start, start + CANVAS_WINDOW_MESSAGES);
    const prepared = [];
    for (const planned of window) prepared.push((await prepareOne(producer, planned)).prepared);
    await publish(prepared, ports, producer.settings, policy);
  }
  if (guard !== undefined) await ports.timers.remove([guard]);
}

async function prepareOne(producer: Producer, planned: Planned): ReturnType<typeof prepareSignature> {
  return prepareSignature(producer, planned.signature, {
    embed: { chain: planned.chain },
    ...(planned.gather === undefined ? {} : { celeriac: { gather: planned.gather } }),
  });
}

/**
 * More than one request is needed: should this process end between two of them, a timer sends the rest.
 * The ids are the same, so that what was sent already runs once.
 */
async function defineGroup(producer: Producer, ports: Ports, plan: Plan, sig: Signature, id: string): Promise<Timer> {
  const nowMs = ports.clock.nowMs();
  const name = derivedId(`${id}:definition`);
  await ports.groups.define({
    groupId: name,
    size: plan.messages.length,
    createdMs: nowMs,
    definition: encodeJson(sig, 'signature'),
    expiresAtSeconds: Math.floor(nowMs / 1000) + producer.settings.resultExpiresSeconds,
  });
  const { prepared } = await prepareCall(
    producer,
    REPAIR_TASK,
    [name, id],
    {
      taskId: derivedId(`${id}:repair`),
      countdown: GROUP_REPAIR_SECONDS,
    },
    { parentId: null, rootId: id },
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

/** Sends everything of a plan again from a place on; what is finished or runs is not disturbed. */
export async function sendPlanFrom(
  producer: Producer,
  ports: Ports,
  sig: Signature,
  id: string,
  start: number,
): Promise<number> {
  const plan = compile(sig, id);
  const window = plan.messages.slice(start, start + CANVAS_WINDOW_MESSAGES);
  const prepared = [];
  for (const planned of window) prepared.push((await prepareOne(producer, planned)).prepared);
  await publish(prepared, ports, producer.settings, producer.settings.retryPolicy);
  return Math.min(plan.messages.length, start + CANVAS_WINDOW_MESSAGES);
}

/** Where the results of a plan are read. */
export function resultOf(node: ResultNode, producer: Producer): AsyncResult | GroupResult {
  const parent = node.parent === undefined ? undefined : resultOf(node.parent, producer);
  return node.kind === 'task'
    ? new AsyncResult(node.id, producer, parent === undefined ? {} : { parent })
    : new GroupResult(node.id, node.memberIds, producer, parent);
}
