/** What a settled task starts: any tree of signatures, compiled to messages whose ids are fixed. */
import { compileFor } from '../producer/apply-canvas.ts';
import { chainOf, isOneMessage, withOptions } from '../canvas/build.ts';
import { FRESH, type Plan, type Planned, SEED } from '../canvas/compile.ts';
import { isOf } from '../base/error-text.ts';
import { TimeLimitExceeded } from '../base/errors.ts';
import type { Message } from '../wire/message.ts';
import { prepareSignature } from '../producer/producer.ts';
import type { Signature } from '../wire/signature.ts';
import { derivedId } from '../base/ids.ts';
import { OutOfTime, timeLeftMs, within } from './deadline.ts';
import { inWindows } from './windows.ts';
import { childId, type FollowingStep, step, unsendable } from './followers.ts';
import type { Settling } from './settling.ts';

/** Adds the messages of a step to what will be sent. */
export async function addStep(settling: Settling, given: FollowingStep): Promise<void> {
  let whole = given;
  let plan: Plan;
  try {
    whole = lengthened(given);
    plan = compileFor(settling.app, whole.signature, whole.id, whole.sent);
  } catch (error) {
    return followUnsendable(settling, whole, error);
  }
  for (const chord of plan.chords) settling.pending.add({ kind: 'chord', chord });
  await inWindows(settling, `plan:${whole.id}`, plan.messages, (planned) => addMessage(settling, planned, whole.rest));
}

/** Not as Celery writes it, where a composite is the last step: what follows is made a part of it. */
function lengthened(given: FollowingStep): FollowingStep {
  const { signature, id, sent, rest } = given;
  const [last] = rest;
  if (last === undefined || isOneMessage(signature)) return given;
  // Named after this step: what the chain was made of has had its names.
  const whole = chainOf([signature, ...rest.toReversed()], { [SEED]: derivedId(`${id}:rest`) });
  return step(whole, childId(last, `${id}:rest`), sent);
}

async function addMessage(settling: Settling, planned: Planned, following: readonly Signature[]): Promise<void> {
  const { parent, app } = settling;
  const { signature, chain } = planned;
  const lineage = {
    rootId: parent.rootId,
    parentId: parent.id,
    hops: parent.celeriac.hops ?? 0,
    sentOn: true,
    embed: { chain: chain ?? (following.length > 0 ? following : null) },
    celeriac: {
      ...(parent.celeriac[FRESH] === true ? { [FRESH]: true } : {}),
      ...(planned.gather === undefined ? {} : { gather: planned.gather }),
    },
    ...(parent.stampedHeaders === null ? {} : { stampedHeaders: parent.stampedHeaders, stamps: parent.stamps }),
  };
  const rest = chain ?? following;
  try {
    const stamped = withStamps(signature, parent);
    const { prepared } = await inTime(settling, () => prepareSignature(app, stamped, lineage));
    settling.outbox.add({ ...prepared, step: { signature, rest } });
  } catch (error) {
    await followUnsendable(settling, { signature, id: String(signature.options['task_id']), rest }, error);
  }
}

/** A schema may wait for something: as long as the invocation lasts, and once more from the beginning of another. */
async function inTime<R>(settling: Settling, run: () => Promise<R>): Promise<R> {
  const { ports, deadlineMs, again } = settling;
  const leftMs = timeLeftMs(ports.clock, deadlineMs);
  try {
    return await within(ports.clock, leftMs, 'to prepare what follows', run);
  } catch (error) {
    if (again || !TimeLimitExceeded.is(error)) throw error;
    throw new OutOfTime();
  }
}

/**
 * Nothing is asked of a service while a step is prepared: what is thrown there, by a schema, a router or the library,
 * is thrown again however often the message comes back.
 */
export async function followUnsendable(
  settling: Settling,
  unsent: Omit<FollowingStep, 'kind' | 'sent'>,
  error: unknown,
): Promise<void> {
  if (isOf(error, OutOfTime)) throw error;
  await settling.follow(unsendable(settling.parent, unsent, error, settling.app));
}

/** A child's own stamps beside its parent's: on the wire its own would replace them. */
function withStamps(sig: Signature, { stampedHeaders, stamps }: Message): Signature {
  const own = sig.options['stamped_headers'];
  if (stampedHeaders === null || !Array.isArray(own)) return sig;
  const inherited = stampedHeaders.filter((name) => !(name in sig.options));
  return withOptions(sig, {
    ...Object.fromEntries(inherited.map((name) => [name, stamps[name]])),
    stamped_headers: [...inherited, ...(own as readonly unknown[])],
  });
}
