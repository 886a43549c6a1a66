/**
 * Who hears of a chord's body that fails at its first failed member: error links, and groups that it is a member of. Each
 * further member fails it again, since the first may have died before it was done; but one that fails days later would call
 * links, and send bodies of such groups, whose records have gone. So it is noted, for as long as the group is kept, that
 * all of them have been told.
 */
import { derivedId } from '../base/ids.ts';
import { groupExpiresAtSeconds } from '../wire/group-ids.ts';
import { isMarked } from './failed-steps.ts';
import type { Follower } from './followers.ts';
import type { Settling } from './settling.ts';
import { unlessRefused } from './windows.ts';

/** What follows from the failed body of a group, whose failure is always written: its record may have gone by now. */
export async function unlessTold(
  { ports }: Settling,
  groupId: string,
  followers: readonly Follower[],
): Promise<readonly Follower[]> {
  if (followers.every((each) => each.kind === 'failed step' && !isMarked(each))) return followers;
  const note = await unlessRefused(() => ports.groups.definition(noteId(groupId), ports.clock.nowMs()));
  if (note === undefined) return [...followers, { kind: 'told', groupId }];
  return followers.flatMap((each) => (each.kind === 'failed step' ? { ...each, told: true } : []));
}

export async function noteTold({ ports, app }: Settling, groupId: string): Promise<void> {
  const nowMs = ports.clock.nowMs();
  await unlessRefused(() =>
    ports.groups.define({
      groupId: noteId(groupId),
      size: 0,
      createdMs: nowMs,
      definition: '{}',
      expiresAtSeconds: groupExpiresAtSeconds(nowMs, app.settings.resultExpiresSeconds),
    }),
  );
}

function noteId(groupId: string): string {
  return derivedId(`${groupId}:told`);
}
