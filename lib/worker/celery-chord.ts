/**
 * Members of chords that Python has sent: they say whose body waits, but not how many they are. Celery has
 * stored that beforehand, beside the results.
 */
import type { Message } from '../message.ts';
import type { Ports } from '../ports.ts';
import { readSignature, type Signature } from '../signature.ts';
import type { Mark } from './group-marks.ts';

/** The membership of a message that names a chord's body but no size; undefined where Celery stored no such group. */
export function celeryMark(message: Message, failed: boolean, ports: Ports): Promise<Mark | undefined> {
  const { id, groupId, embed, celeriac } = message;
  if (embed.chord === null || groupId === null || celeriac.group !== undefined) return Promise.resolve(undefined);
  return markIn(groupId, id, embed.chord, failed, ports);
}

/** The same of a step that will never become a message. */
export function celeryMarkOfStep({ options }: Signature, id: string, ports: Ports): Promise<Mark | undefined> {
  const body = readSignature(options['chord']);
  const groupId = options['group_id'];
  if (body === undefined || typeof groupId !== 'string' || options['celeriac'] !== undefined)
    return Promise.resolve(undefined);
  return markIn(groupId, id, body, true, ports);
}

async function markIn(
  groupId: string,
  memberId: string,
  body: Signature,
  failed: boolean,
  ports: Ports,
): Promise<Mark | undefined> {
  const ids = await ports.backend.celeryGroup(groupId);
  const index = ids?.indexOf(memberId) ?? -1;
  return ids === undefined || index < 0
    ? undefined
    : { groupId, index, size: ids.length, failed, memberId, policy: 'celery', body };
}
