/** What becomes of a tree that will never run. */
import type { Signature } from '../wire/signature.ts';
import { chainSteps, chordParts, groupMembers, withOptions } from './build.ts';
import { bodyOf, collected, headerId, isMember, namedSteps, ownMemberId } from './named.ts';
import { readLinks } from '../wire/links.ts';
import { fold } from './fold.ts';

/** Every task of a step that will never run, so that nobody waits for any of them: its id and its signature. */
export function tasksOf(sig: Signature, id: string): { readonly id: string; readonly signature: Signature }[] {
  return fold<ReturnType<typeof tasksOf>>(sig, {
    task: () => [{ id, signature: sig }],
    chain: () => namedSteps(sig, id).flatMap((step) => tasksOf(step, String(step.options['task_id']))),
    group: (group) => (isMember(group) ? tasksOf(collected(group), id) : tasksOfMembers(groupMembers(group), id)),
    chord: () => [
      ...tasksOfMembers(groupMembers(chordParts(sig).header), headerId(sig, id)),
      ...tasksOf(bodyOf(sig, id), id),
    ],
  });
}

/** Members of a group, of which none will run: counted, for whoever looks at the group, and followed by nothing. */
function tasksOfMembers(members: readonly Signature[], groupId: string): ReturnType<typeof tasksOf> {
  const celeriac = { size: members.length };
  return members.flatMap((member, index) =>
    tasksOf(
      withOptions(member, { celeriac, group_id: groupId, group_index: index }),
      ownMemberId(member, groupId, index),
    ),
  );
}

/** An error link, and the id of the failed task that it is called with. */
export interface Errback {
  readonly signature: Signature;
  readonly failedId: string;
}

/** Error links of a step that will never run: of a chain its first step's, of a group each member's. */
export function errbacksOf(sig: Signature, id: string): Errback[] {
  return fold<Errback[]>(sig, {
    task: () => readLinks(sig.options['link_error']).map((signature) => ({ signature, failedId: id })),
    chain: () => {
      const [first] = chainSteps(sig);
      return first === undefined ? [] : errbacksOf(first, id);
    },
    group: (group) =>
      groupMembers(group).flatMap((member, index) => errbacksOf(member, ownMemberId(member, id, index))),
    chord: () => errbacksOf(bodyOf(sig, id), id),
  });
}
