/**
 * Error links of a chord's body that fails at its first failed member. Each further one fails it again, since the first may
 * have died before it was done; but one that fails days later would call links whose records have gone, or those that are
 * called inline and have none. So it is noted, for as long as the group is kept, that all of them have been called.
 */
import { derivedId } from '../base/ids.ts';
import { groupExpiresAtSeconds } from '../wire/group-ids.ts';
import type { Follower } from './followers.ts';
import type { Settling } from './settling.ts';
import { unlessRefused } from './windows.ts';

/** What follows from the failed body of a group, whose failure is always written: its record may have gone by now. */
export async function unlessTold(
  { ports }: Settling,
  groupId: string,
  followers: readonly Follower[],
): Promise<readonly Follower[]> {
  const unlinked = followers.filter(({ kind }) => kind === 'failed step');
  if (unlinked.length === followers.length) return followers;
  const note = await unlessRefused(() => ports.groups.definition(noteId(groupId), ports.clock.nowMs()));
  return note === undefined ? [...followers, { kind: 'told', groupId }] : unlinked;
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
