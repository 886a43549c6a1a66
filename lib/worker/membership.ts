/** Of which group a message is a member, and who counts it. Pure. */
import { COUNTED_BY_CELERY, type GroupHeader, type Message, UNCOUNTED } from '../wire/message.ts';
import { readGroupHeader } from '../wire/group-header.ts';
import { readSignature, type Signature } from '../wire/signature.ts';

/** A finished member of a counted group. */
export interface Mark {
  readonly groupId: string;
  readonly index: number;
  readonly size: number;
  readonly failed: boolean;
  readonly memberId: string;
  readonly policy: string;
  /** Called when all are finished; a plain group has none. */
  readonly body: Signature | undefined;
}

/**
 * A finished member of a chord that Celery's workers count too: one that Python has sent, or one of ours that has
 * members in Python.
 */
export interface CeleryMember {
  readonly groupId: string;
  readonly memberId: string;
  readonly body: Signature;
  /** Known of chords made here; of Python's, Celery's stored group tells. */
  readonly position: MemberPosition | undefined;
}

export interface MemberPosition {
  readonly index: number;
  readonly size: number;
}

export interface Membership {
  readonly memberId: string;
  readonly groupId: unknown;
  readonly index: unknown;
  readonly group: GroupHeader | undefined;
  readonly body: Signature | undefined;
}

export function membershipOf({ id: memberId, groupId, groupIndex: index, celeriac, embed }: Message): Membership {
  return { memberId, groupId, index, group: celeriac.group, body: embed.chord ?? undefined };
}

/** Of a step that will never become a message. */
export function membershipOfStep({ options }: Signature, memberId: string): Membership {
  const { group_id: groupId, group_index: index, celeriac, chord } = options;
  return { memberId, groupId, index, group: readGroupHeader(celeriac), body: readSignature(chord) };
}

/** Where the group is counted here. */
export function markOf({ memberId, groupId, index, group, body }: Membership, failed: boolean): Mark | undefined {
  if (group === undefined || group.policy === UNCOUNTED || group.policy === COUNTED_BY_CELERY) return undefined;
  // Untrusted: an index that the group does not have would complete it early.
  if (typeof groupId !== 'string' || !isMemberIndex(index, group)) return undefined;
  return { groupId, index, size: group.size, failed, memberId, policy: group.policy ?? 'celery', body };
}

export function celeryMemberOf({ memberId, groupId, index, group, body }: Membership): CeleryMember | undefined {
  if (body === undefined || typeof groupId !== 'string') return undefined;
  if (group === undefined) return { groupId, memberId, body, position: undefined };
  if (group.policy !== COUNTED_BY_CELERY) return undefined;
  return { groupId, memberId, body, position: isMemberIndex(index, group) ? { index, size: group.size } : undefined };
}

function isMemberIndex(index: unknown, { size }: GroupHeader): index is number {
  return Number.isSafeInteger(index) && (index as number) >= 0 && (index as number) < size;
}
