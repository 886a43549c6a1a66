/** The message of a dead letter as it goes back to a queue: the next attempt of its task, or the same again. Pure. */
import { kindOf } from '../canvas/build.ts';
import { InvalidMessage, InvalidOption } from '../base/errors.ts';
import { deduplicationIdOf } from '../base/sqs-text.ts';
import { isFifo, laneFor, queueOfLane, requireQueue } from '../options/declared-queue.ts';
import type { Settings } from '../options/settings.ts';
import type { OutgoingMessage } from '../ports/broker.ts';
import { prepare } from '../producer/publish.ts';
import { decodeMessage } from '../wire/decode-message.ts';
import { readOuterEnvelope } from '../wire/envelope.ts';
import { withHeaders } from '../wire/write-envelope.ts';
import { CELERIAC_HEADER, type CeleriacHeader, type Message } from '../wire/message.ts';
import { nextAttempt, ofEachAttempt } from '../wire/next-attempt.ts';
import { fromRule } from '../wire/rule-message.ts';
import { type Signature, withParts } from '../wire/signature.ts';
import { childId } from '../worker/followers.ts';
import type { OpenLetter } from './letter.ts';

/** What a redriven task does otherwise. */
export interface LetterEdit {
  /** All of its positional arguments. */
  readonly args?: readonly unknown[];
  /** All of its keyword arguments. */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** Celery's name of the queue that it goes to. Default: the one that it came from. */
  readonly queue?: string;
  /** Until when it may start: null takes away an `expires` that may have passed. Default: as it was sent. */
  readonly expires?: null;
}

/** Whole, as far as it can be read. */
export function messageOf({ letter, received, opened }: OpenLetter): Message | undefined {
  try {
    return { ...fromRule(opened ?? decodeMessage(received.body)), queue: letter.originQueue };
  } catch (error) {
    if (InvalidMessage.is(error)) return undefined;
    throw error;
  }
}

/** The steps after it that failed with it, each with its id, as far as all of them are single tasks; the next one first. */
export function failedSteps({ id, embed }: Message): { readonly signature: Signature; readonly id: string }[] {
  const steps: { readonly signature: Signature; readonly id: string }[] = [];
  for (const [index, signature] of [...(embed.chain ?? []).entries()].toReversed()) {
    // What a group has counted it counts no second time.
    if (kindOf(signature) !== 'task') break;
    steps.push({ signature, id: childId(signature, `${id}:chain:${index}`) });
  }
  return steps;
}

/**
 * The next attempt of a letter's task.
 *
 * @throws InvalidOption, QueueNotFound, NotSerializable, MessageTooLarge
 */
export function redriven(open: OpenLetter, next: number, edit: LetterEdit, settings: Settings): OutgoingMessage {
  const message = messageOf(open);
  if (message === undefined) return unreadable(open, next, edit, settings);
  const { args, kwargs, queue } = edit;
  const overrides = { ...(args === undefined ? {} : { args }), ...(kwargs === undefined ? {} : { kwargs }) };
  const place =
    queue === undefined ? message.queue : laneFor(requireQueue(queue, settings), message.priority, settings);
  // Somebody asked for it: it does not follow from anything.
  const { hops: _hops, unknown: _unknown, lost: _lost, group: _group, unique: _unique, ...celeriac } = message.celeriac;
  const last: Message = {
    ...message,
    retries: next - 1,
    queue: place,
    expiresMs: edit.expires === null ? null : message.expiresMs,
    celeriac,
    embed: { ...message.embed, chord: null, chain: message.embed.chain?.map(outOfGroup) ?? null },
  };
  const again = nextAttempt(last, null, overrides);
  return prepare({ ...again, celeriac: { ...again.celeriac, hops: 0 } }, settings, { asPython: true }).outgoing;
}

const MEMBERSHIP: ReadonlySet<string> = new Set(['group_id', 'group_index', 'celeriac', 'chord']);

/** The group has counted the chain that it ends as failed. */
function outOfGroup(signature: Signature): Signature {
  const options = Object.entries(signature.options).filter(([name]) => !MEMBERSHIP.has(name));
  return withParts(signature, { options: Object.fromEntries(options) });
}

/** As it lies there: a worker finds how its task has ended, and sends what follows. */
export function sameAgain({ letter, received }: OpenLetter, settings: Settings): OutgoingMessage {
  return { queue: letter.originQueue, body: received.body, ...orderOf({ letter, received }, 'again', settings) };
}

/** Newer code may be able to read it. The bytes of its body stay as they are. */
function unreadable(open: OpenLetter, next: number, edit: LetterEdit, settings: Settings): OutgoingMessage {
  const { letter, received } = open;
  if (edit.args !== undefined || edit.kwargs !== undefined || edit.expires !== undefined)
    throw new InvalidOption(
      `The message of letter ${letter.messageId} cannot be read, so that only its queue can be changed: leave args, kwargs and expires out.`,
    );
  const queue = edit.queue === undefined ? letter.originQueue : requireQueue(edit.queue, settings);
  return { queue, body: withRetries(received.body, next), ...orderOf(open, String(next), settings) };
}

function withRetries(body: string, retries: number): string {
  try {
    const outer = readOuterEnvelope(body);
    if (!Object.hasOwn(outer.headers, 'task')) return body;
    const { [CELERIAC_HEADER]: own, ...headers } = outer.headers;
    const { lost: _lost, hops: _hops, unknown: _unknown, ...kept } = ofEachAttempt((own ?? {}) as CeleriacHeader);
    const celeriac = Object.keys(kept).length === 0 ? {} : { [CELERIAC_HEADER]: kept };
    return withHeaders(outer, { ...headers, retries, ...celeriac });
  } catch (error) {
    if (InvalidMessage.is(error)) return body;
    throw error;
  }
}

function orderOf(
  { letter, received }: OpenLetter,
  what: string,
  settings: Settings,
): Pick<OutgoingMessage, 'groupId' | 'deduplicationId'> {
  const { groupId, messageId } = received;
  return {
    ...(groupId === undefined ? {} : { groupId }),
    ...(isFifo(queueOfLane(letter.originQueue, settings), settings)
      ? { deduplicationId: deduplicationIdOf(`${messageId}-${what}`) }
      : {}),
  };
}
