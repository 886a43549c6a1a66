/** What a settled task starts: any tree of signatures, compiled to messages whose ids are fixed. */
import { compileFor } from '../producer/apply-canvas.ts';
import { chainOf, isOneMessage, withOptions } from '../canvas/build.ts';
import { type Errback, errbacksOf, FRESH, ownId, type Plan, type Planned, SEED, type Sent } from '../canvas/compile.ts';
import { isOf } from '../base/error-text.ts';
import { TimeLimitExceeded } from '../base/errors.ts';
import type { Message } from '../wire/message.ts';
import { prepareSignature, type Producer } from '../producer/producer.ts';
import type { Signature } from '../wire/signature.ts';
import { derivedId } from '../base/ids.ts';
import { OutOfTime, timeLeftMs, within } from './deadline.ts';
import { inWindows } from './windows.ts';
import { callErrback, type Failed, failedRequest, inlineErrback } from './inline-errback.ts';
import type { Settling } from './settling.ts';

/** The id of a child: its own, or one that follows from its parent. */
export function childId(sig: Signature, name: string): string {
  try {
    return ownId(sig, name);
  } catch {
    // A composite that cannot be read has to be called something when it is reported.
    const { task_id } = sig.options;
    return typeof task_id === 'string' ? task_id : derivedId(name);
  }
}

/** Adds the messages of a child. What can never be sent is reported in `failed` instead of looping for ever. */
export async function addChild(
  settling: Settling,
  sig: Signature,
  id: string,
  sent: Sent,
  chain: readonly Signature[] = [],
): Promise<void> {
  if (chain.length > 0 && !isOneMessage(sig)) return addLengthened(settling, sig, id, sent, chain);
  let plan: Plan;
  try {
    plan = compileFor(settling.producer, sig, id, sent);
  } catch (error) {
    await addUnsendable(settling, sig, id, chain, error);
    return;
  }
  settling.chords.push(...plan.chords);
  await inWindows(settling, `plan:${id}`, plan.messages, (planned) => prepareChild(settling, planned, chain));
}

/** Not as Celery writes it, where a composite is the last step: what follows is made a part of it. */
async function addLengthened(
  settling: Settling,
  sig: Signature,
  id: string,
  sent: Sent,
  chain: readonly Signature[],
): Promise<void> {
  const [last] = chain;
  let whole: Signature;
  try {
    // Named after this step: what the chain was made of has had its names.
    whole = chainOf([sig, ...chain.toReversed()], { [SEED]: derivedId(`${id}:rest`) });
  } catch (error) {
    await addUnsendable(settling, sig, id, chain, error);
    return;
  }
  await addChild(settling, whole, last === undefined ? id : childId(last, `${id}:rest`), sent);
}

async function prepareChild(settling: Settling, planned: Planned, chain: readonly Signature[]): Promise<void> {
  const { parent, producer } = settling;
  const { signature } = planned;
  const lineage = {
    rootId: parent.rootId,
    parentId: parent.id,
    hops: parent.celeriac.hops ?? 0,
    sentOn: true,
    embed: { chain: planned.chain ?? (chain.length > 0 ? chain : null) },
    celeriac: {
      ...(parent.celeriac[FRESH] === true ? { [FRESH]: true } : {}),
      ...(planned.gather === undefined ? {} : { gather: planned.gather }),
    },
    ...(parent.stampedHeaders === null ? {} : { stampedHeaders: parent.stampedHeaders, stamps: parent.stamps }),
  };
  try {
    const stamped = withStamps(signature, parent);
    const { prepared } = await inTime(settling, () => prepareSignature(producer, stamped, lineage));
    settling.outbox.add({ ...prepared, step: { signature, chain: planned.chain ?? chain } });
  } catch (error) {
    await addUnsendable(settling, signature, String(signature.options['task_id']), planned.chain ?? chain, error);
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
export async function addUnsendable(
  settling: Settling,
  sig: Signature,
  id: string,
  chain: readonly Signature[],
  error: unknown,
): Promise<void> {
  if (isOf(error, OutOfTime)) throw error;
  settling.failed.push({ signature: sig, id, cause: error });
  for (const step of chain) settling.failed.push({ signature: step, id: childId(step, `${id}:lost`), cause: error });
  await addErrbacks(settling, sig, id, error);
}

/** A step that never ran has failed like any other: its error links are called. */
export async function addErrbacks(settling: Settling, sig: Signature, id: string, error: unknown): Promise<void> {
  const { parent } = settling;
  for (const [index, { signature, failedId }] of errbacksIn(sig, id).entries()) {
    const { task, args, kwargs } = sig;
    const request = { ...failedRequest(parent), id: failedId, task, args, kwargs, retries: 0, parentId: parent.id };
    await addErrback(settling, signature, `${failedId}:errback:${index}`, { request, error, traceback: null });
  }
}

/** Called here, or sent with the failed task's id: Celery's rule. */
export async function addErrback(settling: Settling, sig: Signature, name: string, failed: Failed): Promise<void> {
  const definition = inlineErrback(sig, settling.producer);
  if (definition === undefined) await addChild(settling, sig, childId(sig, name), { args: [failed.request.id] });
  else settling.inline.push(() => callErrback(definition, sig, failed, settling));
}

function errbacksIn(sig: Signature, id: string): readonly Errback[] {
  try {
    return errbacksOf(sig, id);
  } catch {
    // A composite that cannot be read is why it failed.
    return [];
  }
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

/** Ids of what the outcome of a message starts: links and the next step, or error links. */
export function followerIds({ id, embed }: Message, success: boolean, producer: Producer): string[] {
  if (!success)
    return (embed.errbacks ?? []).flatMap((sig, index) =>
      inlineErrback(sig, producer) === undefined ? [childId(sig, `${id}:errback:${index}`)] : [],
    );
  const chain = embed.chain ?? [];
  const next = chain.at(-1);
  return [
    ...(embed.callbacks ?? []).map((sig, index) => childId(sig, `${id}:link:${index}`)),
    ...(next === undefined ? [] : [childId(next, `${id}:chain:${chain.length - 1}`)]),
  ];
}
