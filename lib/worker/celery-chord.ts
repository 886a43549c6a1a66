/**
 * Members of chords that Python has sent: they say whose body waits, but not how many they are. Celery has
 * stored that beforehand, beside the results.
 */
import type { Ports } from '../ports.ts';
import type { Signature } from '../signature.ts';
import type { Mark } from './group-marks.ts';

/** The membership of a task whose message or step names a chord's body but no size; undefined where Celery stored no such group. */
export async function celeryMark(
  member: { readonly id: string; readonly groupId: string; readonly body: Signature; readonly failed: boolean },
  ports: Ports,
): Promise<Mark | undefined> {
  const ids = await ports.backend.celeryGroup(member.groupId);
  const index = ids?.indexOf(member.id) ?? -1;
  if (ids === undefined || index < 0) return undefined;
  return {
    groupId: member.groupId,
    index,
    size: ids.length,
    failed: member.failed,
    memberId: member.id,
    policy: 'celery',
    body: member.body,
  };
}
