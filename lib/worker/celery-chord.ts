/**
 * Members of chords that Celery's workers count too: those that Python has sent, and ours that have members in
 * Python. Both sides add to Celery's counter, and whoever completes it sends the body.
 */
import { groupExpiresAtSeconds } from '../wire/group-ids.ts';
import { COUNTED_BY_CELERY, type GroupHeader, type Message } from '../wire/message.ts';
import { readSignature, type Signature } from '../wire/signature.ts';
import { readGroupHeader } from '../wire/group-header.ts';
import type { CeleryMember, Place, Settling } from './settling.ts';
import { addBody } from './group-marks.ts';

export function celeryMember({ id, groupId, groupIndex, embed, celeriac }: Message): CeleryMember | undefined {
  return memberOf(id, groupId, groupIndex, embed.chord ?? undefined, celeriac.group);
}

/** The same of a step that will never become a message. */
export function celeryMemberOfStep({ options }: Signature, id: string): CeleryMember | undefined {
  const body = readSignature(options['chord']);
  return memberOf(id, options['group_id'], options['group_index'], body, readGroupHeader(options['celeriac']));
}

function memberOf(
  memberId: string,
  groupId: unknown,
  index: unknown,
  body: Signature | undefined,
  group: GroupHeader | undefined,
): CeleryMember | undefined {
  if (body === undefined || typeof groupId !== 'string') return undefined;
  if (group === undefined) return { groupId, memberId, body, place: undefined };
  if (group.policy !== COUNTED_BY_CELERY) return undefined;
  const known = typeof index === 'number' && index >= 0 && index < group.size;
  return { groupId, memberId, body, place: known ? { index, size: group.size } : undefined };
}

/** Counts a member whose result is stored, and adds the body to what will be sent when it is the last one. */
export async function countMember(settling: Settling, member: CeleryMember): Promise<void> {
  const { ports, producer } = settling;
  const { groupId, body } = member;
  const place = member.place ?? (await storedPlace(settling, member));
  if (place === undefined) return sayUncounted(settling, member);
  const { index, size } = place;
  const expiresAtSeconds = groupExpiresAtSeconds(ports.clock.nowMs(), producer.settings.resultExpiresSeconds);
  const counted = await ports.celeryGroups.count({ groupId, index, expiresAtSeconds });
  if (counted === undefined || counted.closed || counted.count < size) return;
  // After the body is sent: a crash before that has the member come back and send it.
  settling.afterwards.push(() => ports.celeryGroups.close(groupId));
  await addBody(settling, body, { groupId, size, policy: COUNTED_BY_CELERY });
}

async function storedPlace({ ports }: Settling, { groupId, memberId }: CeleryMember): Promise<Place | undefined> {
  const ids = await ports.celeryGroups.members(groupId, ports.clock.nowMs());
  const index = ids?.indexOf(memberId) ?? -1;
  return ids === undefined || index < 0 ? undefined : { index, size: ids.length };
}

/**
 * Nobody has stored the group: Celery has sent the body and deleted it, or a Celery before 5.4, which counts by
 * polling (`celery.chord_unlock`), sent it.
 */
function sayUncounted({ parent, ports }: Settling, { groupId, memberId }: CeleryMember): void {
  ports.logger.log('warn', `Task ${parent.task}[${parent.id}] is a member of a chord, which is not counted here`, {
    task: parent.task,
    taskId: memberId,
    groupId,
  });
}
