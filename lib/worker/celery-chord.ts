/**
 * Members of chords that Celery's workers count too: those that Python has sent, and ours that have members in
 * Python. Both sides add to Celery's counter, and whoever completes it sends the body.
 */
import { groupExpiresAtSeconds } from '../wire/group-ids.ts';
import { COUNTED_BY_CELERY } from '../wire/message.ts';
import type { Follower } from './followers.ts';
import { bodyWith, failedBody, orRefused } from './group-marks.ts';
import type { CeleryMember, MemberPosition } from './membership.ts';
import type { Settling } from './settling.ts';

/** Counts a member whose result is stored. What follows: the body, when it is the last one. */
export function countMember(settling: Settling, member: CeleryMember): Promise<readonly Follower[]> {
  return orRefused(
    settling,
    () => count(settling, member),
    (error) => failedBody(settling, member.body, member.groupId, error),
  );
}

async function count(settling: Settling, member: CeleryMember): Promise<readonly Follower[]> {
  const { ports, app } = settling;
  const { groupId, body } = member;
  const position = member.position ?? (await storedPosition(settling, member));
  if (position === undefined) {
    logUncounted(settling, member);
    return [];
  }
  const { index, size } = position;
  const expiresAtSeconds = groupExpiresAtSeconds(ports.clock.nowMs(), app.settings.resultExpiresSeconds);
  const counted = await ports.celeryGroups?.count({ groupId, index, expiresAtSeconds });
  if (counted === undefined || counted.closed || counted.count < size) return [];
  return [
    { kind: 'close', groupId },
    ...(await bodyWith(settling, body, { groupId, size, policy: COUNTED_BY_CELERY })),
  ];
}

async function storedPosition(
  { ports }: Settling,
  { groupId, memberId }: CeleryMember,
): Promise<MemberPosition | undefined> {
  const ids = await ports.celeryGroups?.members(groupId, ports.clock.nowMs());
  const index = ids?.indexOf(memberId) ?? -1;
  return ids === undefined || index < 0 ? undefined : { index, size: ids.length };
}

/**
 * Nobody has stored the group: Celery has sent the body and deleted it, or a Celery before 5.4, which counts by
 * polling (`celery.chord_unlock`), sent it.
 */
function logUncounted({ parent, ports }: Settling, { groupId, memberId }: CeleryMember): void {
  ports.logger.log('warn', `Task ${parent.task}[${parent.id}] is a member of a chord, which is not counted here`, {
    task: parent.task,
    taskId: memberId,
    groupId,
  });
}
