/** What becomes of a tree that will never run. */
import type { Signature } from '../wire/signature.ts';
import { chainSteps, chordParts, chunksGroup, groupMembers, kindOf, withOptions } from './build.ts';
import { bodyOf, collected, headerId, isMember, namedSteps, ownMemberId } from './named.ts';
import { readLinks } from '../wire/links.ts';

/** Every task of a step that will never run, so that nobody waits for any of them: its id and its signature. */
export function tasksOf(sig: Signature, id: string): { readonly id: string; readonly signature: Signature }[] {
  switch (kindOf(sig)) {
    case 'chain':
      return namedSteps(sig, id).flatMap((step) => tasksOf(step, String(step.options['task_id'])));
    case 'chunks':
      return tasksOf(chunksGroup(sig), id);
    case 'group':
      return isMember(sig) ? tasksOf(collected(sig), id) : tasksOfMembers(groupMembers(sig), id);
    case 'chord':
      return [
        ...tasksOfMembers(groupMembers(chordParts(sig).header), headerId(sig, id)),
        ...tasksOf(bodyOf(sig, id), id),
      ];
    case 'map':
    case 'starmap':
    case 'task':
    default:
      return [{ id, signature: sig }];
  }
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
  switch (kindOf(sig)) {
    case 'chain': {
      const [first] = chainSteps(sig);
      return first === undefined ? [] : errbacksOf(first, id);
    }
    case 'chunks':
      return errbacksOf(chunksGroup(sig), id);
    case 'group':
      return groupMembers(sig).flatMap((member, index) => errbacksOf(member, ownMemberId(member, id, index)));
    case 'chord':
      return errbacksOf(bodyOf(sig, id), id);
    case 'map':
    case 'starmap':
    case 'task':
    default:
      return readLinks(sig.options['link_error']).map((signature) => ({ signature, failedId: id }));
  }
}
