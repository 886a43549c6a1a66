/**
 * Members of chords that Celery's workers count too: those that Python has sent, and ours that have members in
 * Python. Both sides add to Celery's counter, and whoever completes it sends the body.
 */
import { GROUP_RETENTION_SECONDS } from '../limits.ts';
import { COUNTED_BY_CELERY, type Message } from '../message.ts';
import { readSignature, type Signature } from '../signature.ts';
import type { Settling } from './children.ts';
import { addBody } from './group-marks.ts';

/** A finished member that names its chord's body, and no size. */
export interface CeleryMember {
  readonly groupId: string;
  readonly memberId: string;
  readonly body: Signature;
}

export function celeryMember({ id, groupId, embed, celeriac }: Message): CeleryMember | undefined {
  if (embed.chord === null || groupId === null || celeriac.group !== undefined) return undefined;
  return { groupId, memberId: id, body: embed.chord };
}

/** The same of a step that will never become a message. */
export function celeryMemberOfStep({ options }: Signature, id: string): CeleryMember | undefined {
  const body = readSignature(options['chord']);
  const groupId = options['group_id'];
  if (body === undefined || typeof groupId !== 'string' || options['celeriac'] !== undefined) return undefined;
  return { groupId, memberId: id, body };
}

/** Counts a member whose result is stored, and adds the body to what will be sent when it is the last one. */
export async function countMember(settling: Settling, member: CeleryMember): Promise<void> {
  const { ports, producer } = settling;
  const { groupId, memberId, body } = member;
  const ids = await ports.celeryGroups.members(groupId, ports.clock.nowMs());
  const index = ids?.indexOf(memberId) ?? -1;
  if (ids === undefined || index < 0) return sayUncounted(settling, member);
  const expiresAtSeconds =
    Math.floor(ports.clock.nowMs() / 1000) + producer.settings.resultExpiresSeconds + GROUP_RETENTION_SECONDS;
  const counted = await ports.celeryGroups.count({ groupId, index, expiresAtSeconds });
  if (counted === undefined || counted.closed || counted.count < ids.length) return;
  // After the body is sent: a crash before that has the member come back and send it.
  settling.afterwards.push(() => ports.celeryGroups.close(groupId));
  await addBody(settling, body, { groupId, size: ids.length, policy: COUNTED_BY_CELERY });
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
