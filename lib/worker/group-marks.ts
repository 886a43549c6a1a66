/** Members of groups and chords: who is finished, and what follows when all are. */
import type { Gather, Sent } from '../canvas/compile.ts';
import { elsewhereIn } from '../producer/destination.ts';
import { CeleriacError, type ChordError } from '../base/errors.ts';
import { groupExpiresAtSeconds, groupMemberId } from '../wire/group-ids.ts';
import { encodeJson } from '../wire/json.ts';
import { COUNTED_BY_CELERY, type GroupHeader, type Message, UNCOUNTED } from '../wire/message.ts';
import type { GroupMarked } from '../ports/groups.ts';
import type { Ports } from '../ports/ports.ts';
import { isPassing } from '../base/passing.ts';
import { readSignature, type Signature } from '../wire/signature.ts';
import { readGroupHeader } from '../wire/group-header.ts';
import { addChild, addErrbacks, childId } from './children.ts';
import type { Mark, Settling } from './settling.ts';
import { chordErrorOf, sentResults } from './gather.ts';

/** The membership of a message, where its group is counted. */
export function markOf(message: Message, failed: boolean): Mark | undefined {
  const { group } = message.celeriac;
  if (group === undefined || message.groupId === null || message.groupIndex === null) return undefined;
  if (!isCountedHere(group)) return undefined;
  // Untrusted: a place that the group does not have would complete it early.
  if (message.groupIndex >= group.size) return undefined;
  return {
    groupId: message.groupId,
    index: message.groupIndex,
    size: group.size,
    failed,
    memberId: message.id,
    policy: group.policy ?? 'celery',
    body: message.embed.chord ?? undefined,
  };
}

function isCountedHere({ policy }: GroupHeader): boolean {
  return policy !== UNCOUNTED && policy !== COUNTED_BY_CELERY;
}

/** The membership of a step that will never become a message. */
export function markOfStep({ options }: Signature, id: string): Mark | undefined {
  const group = readGroupHeader(options['celeriac']);
  const [groupId, index] = [options['group_id'], options['group_index']];
  if (group === undefined || typeof groupId !== 'string' || typeof index !== 'number') return undefined;
  if (!isCountedHere(group)) return undefined;
  if (!Number.isSafeInteger(index) || index < 0 || index >= group.size) return undefined;
  return {
    groupId,
    index,
    size: group.size,
    failed: true,
    memberId: id,
    policy: group.policy ?? 'celery',
    body: readSignature(options['chord']),
  };
}

/** Marks what has gathered in `settling`, and adds what follows from groups that are complete now. */
export async function markMembers(settling: Settling): Promise<void> {
  const { ports, producer } = settling;
  const marks = settling.marks.splice(0);
  if (marks.length === 0) return;
  const expiresAtSeconds = groupExpiresAtSeconds(ports.clock.nowMs(), producer.settings.resultExpiresSeconds);
  let outcomes: readonly GroupMarked[];
  try {
    outcomes = await ports.groups.mark(
      marks.map(({ groupId, index, size, failed, memberId }) => ({
        groupId,
        index,
        size,
        failed,
        ...(memberId === groupMemberId(groupId, index) ? {} : { memberId }),
        expiresAtSeconds,
      })),
    );
  } catch (error) {
    if (!settling.lastTry || isPassing(error)) throw error;
    // Nobody will ever count this group, and its body must not wait for that.
    for (const { body, groupId } of marks) if (body !== undefined) await failBody(settling, body, groupId, error);
    return;
  }
  const fired = firedBy(ports);
  for (const [index, mark] of marks.entries()) {
    const outcome = outcomes[index];
    if (mark.body === undefined || outcome === undefined) continue;
    if (!outcome.complete && !(mark.policy === 'failFast' && outcome.failed)) continue;
    const { task_id, group_id } = mark.body.options;
    const followed = encodeJson([mark.groupId, task_id ?? null, group_id ?? null], 'group');
    if (fired.has(followed)) continue;
    fired.add(followed);
    await fire(settling, mark, mark.body, outcome);
  }
}

const FIRED = new WeakMap<Ports, Set<string>>();

/**
 * Groups that a worker's batch has followed up. Members that share a write are all told that their group is
 * complete, and ten bodies for one would be a hundred further down. The member that follows up is not
 * acknowledged before that is done, so that its redelivery, to another batch, does it where it failed here.
 */
function firedBy(ports: Ports): Set<string> {
  const known = FIRED.get(ports) ?? new Set();
  FIRED.set(ports, known);
  return known;
}

async function fire(settling: Settling, mark: Mark, body: Signature, outcome: GroupMarked): Promise<void> {
  if (outcome.failed && mark.policy !== 'settled') {
    await failBody(settling, body, mark.groupId, await chordError(settling, mark));
    return;
  }
  const policy = mark.policy === 'settled' ? 'settled' : 'celery';
  await addBody(settling, body, { groupId: mark.groupId, size: mark.size, policy });
}

/** The body of a chord with the results of its header, or its failure where those cannot be had. */
export async function addBody(settling: Settling, body: Signature, gather: Gather): Promise<void> {
  const { ports, producer } = settling;
  const id = childId(body, `${gather.groupId}:body`);
  let elsewhere: boolean;
  try {
    elsewhere = elsewhereIn(producer)(body);
  } catch (error) {
    // A router's error: no service was asked.
    await failBody(settling, body, gather.groupId, error);
    return;
  }
  let sent: Sent;
  try {
    sent = await sentResults(gather, { ports, elsewhere });
  } catch (error) {
    if (!CeleriacError.is(error)) throw error;
    await failBody(settling, body, gather.groupId, error);
    return;
  }
  await addChild(settling, body, id, sent);
}

/** Celery: the body's error links are called as if it had run and failed. */
async function failBody(settling: Settling, body: Signature, groupId: string, cause: unknown): Promise<void> {
  const id = childId(body, `${groupId}:body`);
  settling.failed.push({ signature: body, id, cause });
  await addErrbacks(settling, body, id, cause);
}

/** Names the first failed member there is by place, so that every worker that gets here says the same. */
async function chordError({ ports }: Settling, mark: Mark): Promise<ChordError> {
  const { failed, memberIds } = await ports.groups.count(mark.groupId);
  const index = failed[0] ?? mark.index;
  const id = memberIds.get(index) ?? groupMemberId(mark.groupId, index);
  const [record] = await ports.backend.get([id], ports.clock.nowMs());
  return chordErrorOf(record, id);
}
