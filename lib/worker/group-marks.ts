/** Members of groups and chords: who is finished, and what follows when all are. */
import { chainSteps, isOneMessage, kindOf } from '../canvas/build.ts';
import type { Gather } from '../canvas/compile.ts';
import { hasExternalTaskIn } from '../producer/destination.ts';
import { CeleriacError, type ChordError } from '../base/errors.ts';
import { groupExpiresAtSeconds, groupMemberId } from '../wire/group-ids.ts';
import { encodeJson } from '../wire/json.ts';
import type { GroupMarked } from '../ports/groups.ts';
import { isPassing } from '../base/passing.ts';
import type { Signature } from '../wire/signature.ts';
import { childId, type Follower, step, unsendable } from './followers.ts';
import type { Mark } from './membership.ts';
import { firstConclusion } from './failed-steps.ts';
import { FAILURE, REVOKED } from '../base/states.ts';
import type { Settling } from './settling.ts';
import { chordErrorOf, sentResults } from './gather.ts';
import { unlessTold } from './told.ts';

/** Marks what has gathered in `settling`, and adds what follows from groups that are complete now. */
export async function markMembers(settling: Settling): Promise<void> {
  const { ports, app } = settling;
  const marks = settling.pending.take('mark').map(({ mark }) => mark);
  if (marks.length === 0) return;
  const expiresAtSeconds = groupExpiresAtSeconds(ports.clock.nowMs(), app.settings.resultExpiresSeconds);
  const requests = marks.map(({ groupId, index, size, failed, memberId }) => ({
    groupId,
    index,
    size,
    failed,
    ...(memberId === groupMemberId(groupId, index) ? {} : { memberId }),
    expiresAtSeconds,
  }));
  const outcomes = await orRefused<readonly GroupMarked[]>(
    settling,
    () => ports.groups.mark(requests),
    async (error) => {
      for (const { body, groupId } of marks)
        if (body !== undefined) await settling.follow(failedBody(settling, body, groupId, error));
      return [];
    },
  );
  for (const [index, mark] of marks.entries()) {
    const outcome = outcomes[index];
    if (mark.body === undefined || outcome === undefined) continue;
    // Whoever failed follows it up, as often as it takes; a thousand others would only do so again.
    const failedFast = mark.policy === 'failFast' && outcome.failed;
    if (failedFast ? !mark.failed : !outcome.complete) continue;
    const { task_id, group_id } = mark.body.options;
    const followed = encodeJson([mark.groupId, task_id ?? null, group_id ?? null], 'group');
    // Members that share a write are all told that their group is complete, and ten bodies for one would be a hundred
    // further down. The member that follows up is not acknowledged before that is done, so that its redelivery, to
    // another batch, does it where it failed here.
    if (settling.followedUp.has(followed)) continue;
    settling.followedUp.add(followed);
    const { body, groupId } = mark;
    const following = await orRefused(
      settling,
      () => fire(settling, mark, body, outcome),
      (error) => failedBody(settling, body, groupId, error),
    );
    await settling.follow(following);
  }
}

/**
 * Asks for what counts a group. Where that is refused for good, nobody will ever count it, and its body must not wait for
 * that: `refused` says what follows instead, at the last try.
 */
export async function orRefused<R>(
  { lastTry }: Settling,
  ask: () => Promise<R>,
  refused: (error: unknown) => R | Promise<R>,
): Promise<R> {
  try {
    return await ask();
  } catch (error) {
    if (!lastTry || isPassing(error)) throw error;
    return refused(error);
  }
}

async function fire(
  settling: Settling,
  mark: Mark,
  body: Signature,
  outcome: GroupMarked,
): Promise<readonly Follower[]> {
  const { groupId, size } = mark;
  if (outcome.failed && mark.policy !== 'settled') {
    const failed = failedBody(settling, body, groupId, await chordError(settling, mark));
    return mark.policy === 'failFast' ? unlessTold(settling, groupId, failed) : failed;
  }
  return bodyWith(settling, body, { groupId, size, policy: mark.policy === 'settled' ? 'settled' : 'celery' });
}

/** The body of a chord with the results of its header, or its failure where those cannot be had. */
export async function bodyWith(settling: Settling, body: Signature, gather: Gather): Promise<readonly Follower[]> {
  const { ports, app } = settling;
  const { groupId } = gather;
  let isBodyExternal: boolean;
  try {
    isBodyExternal = hasExternalTaskIn(app)(body);
  } catch (error) {
    // A router's error: no service was asked.
    return failedBody(settling, body, groupId, error);
  }
  try {
    return [step(body, childId(body, `${groupId}:body`), await sentResults(gather, { ports, isBodyExternal }))];
  } catch (error) {
    if (!CeleriacError.is(error)) throw error;
    return unlessUnderWay(settling, body, failedBody(settling, body, groupId, error));
  }
}

/**
 * Results that were there when an earlier delivery sent the body may have gone since. Then the body runs or has run, and
 * neither its state nor its error links are to say that it failed: the first task of it is asked, by being told so.
 */
async function unlessUnderWay(
  { ports, app, parent, storeConcluded }: Settling,
  body: Signature,
  failed: readonly Follower[],
): Promise<readonly Follower[]> {
  const steps = failed.filter((each) => each.kind === 'failed step');
  const [request] = steps.flatMap((each) => firstConclusion(each, { parent, app, ports }) ?? []);
  if (request === undefined) return failed;
  const [outcome] = await ports.backend.conclude([request]);
  if (outcome === undefined) return failed;
  await storeConcluded([request], [outcome]);
  if (outcome.kind === 'concluded') return failed;
  if (outcome.kind === 'finished' && [FAILURE, REVOKED].includes(outcome.record.status)) return failed;
  // Of several messages the delivery that died may have sent the first alone: what was not sent must end as well.
  return isSentAsOne(body) ? [] : steps;
}

/** A chain goes with its first message. */
function isSentAsOne(body: Signature): boolean {
  if (kindOf(body) !== 'chain') return isOneMessage(body);
  const [first] = chainSteps(body);
  return first !== undefined && isSentAsOne(first);
}

/** Celery: the body's error links are called as if it had run and failed. */
export function failedBody({ parent, app }: Settling, body: Signature, groupId: string, cause: unknown): Follower[] {
  return unsendable(parent, { signature: body, id: childId(body, `${groupId}:body`), rest: [] }, cause, app);
}

/** Names the first failed member there is by index, so that every worker that gets here says the same. */
async function chordError({ ports }: Settling, mark: Mark): Promise<ChordError> {
  const { failed, memberIds } = await ports.groups.count(mark.groupId);
  const index = failed[0] ?? mark.index;
  const id = memberIds.get(index) ?? groupMemberId(mark.groupId, index);
  const [record] = await ports.backend.get([id], ports.clock.nowMs());
  return chordErrorOf(record, id);
}
