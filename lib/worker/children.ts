/** What a settled task starts: any tree of signatures, compiled to messages whose ids are fixed. */
import { chainOf, kindOf } from '../canvas/build.ts';
import { compile, type Sent } from '../canvas/compile.ts';
import { CeleriacError } from '../errors.ts';
import type { Message } from '../message.ts';
import type { Ports } from '../ports.ts';
import { prepareSignature, type Producer } from '../producer.ts';
import type { Prepared } from '../publish.ts';
import type { Signature } from '../signature.ts';
import { derivedId } from '../time.ts';
import type { Mark } from './group-marks.ts';

/** A step that will never run, and why. */
export interface FailedStep {
  readonly signature: Signature;
  readonly id: string;
  readonly cause: unknown;
}

/** One settling under way: what it will send, what it found cannot be sent, who is finished. */
export interface Settling {
  readonly parent: Message;
  readonly producer: Producer;
  readonly ports: Ports;
  readonly prepared: Prepared[];
  readonly failed: FailedStep[];
  readonly marks: Mark[];
}

/** The id of a child: its own, or one that follows from its parent. */
export function childId(sig: Signature, name: string): string {
  const id = sig.options['task_id'];
  return typeof id === 'string' ? id : derivedId(name);
}

/** Adds the messages of a child. What can never be sent is reported in `failed` instead of looping for ever. */
export async function addChild(
  settling: Settling,
  sig: Signature,
  id: string,
  sent: Sent,
  chain: readonly Signature[] = [],
): Promise<void> {
  const { parent, producer } = settling;
  try {
    if (chain.length > 0 && kindOf(sig) !== 'task') {
      // Not as Celery writes it, where a composite is the last step; what follows is made a part of it.
      const [last] = chain;
      const whole = chainOf([sig, ...chain.toReversed()]);
      await addChild(settling, whole, last === undefined ? id : childId(last, `${id}:rest`), sent);
      return;
    }
    for (const planned of compile(sig, id, sent).messages) {
      const lineage = {
        rootId: parent.rootId,
        parentId: parent.id,
        hops: parent.celeriac.hops ?? 0,
        embed: { chain: planned.chain ?? (chain.length > 0 ? chain : null) },
        ...(planned.gather === undefined ? {} : { celeriac: { gather: planned.gather } }),
        ...(parent.stampedHeaders === null ? {} : { stampedHeaders: parent.stampedHeaders, stamps: parent.stamps }),
      };
      try {
        settling.prepared.push((await prepareSignature(producer, planned.signature, lineage)).prepared);
      } catch (error) {
        // Bad input stays bad however often the message comes back; anything else may pass.
        if (!CeleriacError.is(error)) throw error;
        const { signature } = planned;
        settling.failed.push({ signature, id: String(signature.options['task_id']), cause: error });
        for (const step of planned.chain ?? chain)
          settling.failed.push({ signature: step, id: childId(step, `${id}:lost`), cause: error });
      }
    }
  } catch (error) {
    if (!CeleriacError.is(error)) throw error;
    settling.failed.push({ signature: sig, id, cause: error });
    for (const step of chain) settling.failed.push({ signature: step, id: childId(step, `${id}:lost`), cause: error });
  }
}

/** Ids of what the outcome of a message starts: links and the next step, or error links. */
export function followerIds({ id, embed }: Message, success: boolean): string[] {
  if (!success) return (embed.errbacks ?? []).map((sig, index) => childId(sig, `${id}:errback:${index}`));
  const chain = embed.chain ?? [];
  const next = chain.at(-1);
  return [
    ...(embed.callbacks ?? []).map((sig, index) => childId(sig, `${id}:link:${index}`)),
    ...(next === undefined ? [] : [childId(next, `${id}:chain:${chain.length - 1}`)]),
  ];
}
