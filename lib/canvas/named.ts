/** What the parts of a tree are called: ids that follow from the id of the whole, and what makes a part a member. */
import { COLLECT_TASK } from './own-tasks.ts';
import { groupMemberId } from '../wire/group-ids.ts';
import { readSignature, type Signature, signature, withParts } from '../wire/signature.ts';
import { derivedId } from '../base/ids.ts';
import {
  chainOf,
  chainSteps,
  chordOf,
  chordParts,
  flattened,
  givenId,
  groupMembers,
  groupOf,
  isCounted,
  merged,
  withId,
  withOptions,
} from './build.ts';
import { isSignature, SEED } from './parts.ts';
import { fold } from './fold.ts';

/** Options by which a signature belongs to a group. */
const MEMBERSHIP = ['group_id', 'group_index', 'chord', 'celeriac'] as const;
/**
 * In the header `celeriac` of a tree's messages: none of its ids was given by a caller, who may give it again. One of
 * them that is seen a second time belongs to the same tree.
 */
export const FRESH = 'fresh';
/** A chain's steps, each with its id. */
export function namedSteps(sig: Signature, id: string): Signature[] {
  const steps = chainSteps(sig);
  return steps.map((step, index) =>
    index === steps.length - 1
      ? withOptions(withId(step, id), seeded(step, seedOf(sig, id), 'last'))
      : withOptions(step, { task_id: ownId(step, `${seedOf(sig, id)}:step:${index}`) }),
  );
}

function seedOf(sig: Signature, id: string): string {
  const seed = sig.options[SEED];
  return typeof seed === 'string' ? seed : id;
}

function seeded(sig: Signature, seed: string, part: string): Readonly<Record<string, string>> {
  return sig.subtask_type === null ? {} : { [SEED]: derivedId(`${seed}:${part}`) };
}

/** The chord's body with its id, whose links, error links and membership are the chord's own. */
export function bodyOf(sig: Signature, id: string): Signature {
  const { body } = chordParts(sig);
  const own: Record<string, unknown> = {};
  for (const name of ['link', 'link_error', ...MEMBERSHIP])
    if (sig.options[name] !== undefined) own[name] = sig.options[name];
  const options = { ...merged(body.options, own), ...seeded(body, seedOf(sig, id), 'body') };
  return withOptions(withId(flattened(body), id), options);
}

export function headerId(sig: Signature, id: string): string {
  const { header } = chordParts(sig);
  return ownId(header, `${seedOf(sig, id)}:header`);
}

export function ownMemberId(member: Signature, groupId: string, index: number): string {
  return givenId(member) ?? groupMemberId(groupId, index);
}

/** The id of a part: the one it was given, or one that follows from a name. */
export function ownId(sig: Signature, name: string): string {
  return givenId(sig) ?? derivedId(name);
}

/**
 * The whole tree with its ids written into it, for a sender that would give it others: Celery takes those that it
 * finds.
 */
export function withIds(sig: Signature, id: string): Signature {
  return fold(sig, {
    task: () => withOptions(sig, { task_id: id }),
    chain: () => {
      const tasks = namedSteps(sig, id).map((step) => withIds(step, String(step.options['task_id'])));
      return withParts(chainOf(tasks, { task_id: id }), { immutable: sig.immutable });
    },
    group: (group) => {
      if (isMember(group)) return withIds(collected(group), id);
      const members = groupMembers(group).map((member, index) => withIds(member, ownMemberId(member, id, index)));
      const options = { task_id: id, ...(isCounted(group) ? { counted: true } : {}) };
      return withParts(groupOf(members, options), { immutable: group.immutable });
    },
    chord: () => {
      const { header, policy } = chordParts(sig);
      const options = { task_id: id, ...(policy === 'celery' ? {} : { policy }) };
      const whole = chordOf(withIds(header, headerId(sig, id)), withIds(bodyOf(sig, id), id), options);
      return withParts(whole, { immutable: sig.immutable });
    },
  });
}

/** A group that is itself a member (the end of a chain in a group, say): its results as one list are that member's. */
export function collected(sig: Signature): Signature {
  // Its own seed too: where the group is a chord's body, what both are made of would have the same ids.
  const membership = Object.fromEntries(
    [...MEMBERSHIP, SEED].map((name) => [name, sig.options[name]]).filter(([, value]) => value !== undefined),
  );
  const inner = Object.fromEntries(
    Object.entries(sig.options).filter(
      ([name]) => !(MEMBERSHIP as readonly string[]).includes(name) && name !== 'task_id' && name !== SEED,
    ),
  );
  return chordOf(withParts(sig, { options: inner }), signature(COLLECT_TASK), membership);
}

export function isMember(sig: Signature): boolean {
  return sig.options['chord'] !== undefined && sig.options['chord'] !== null
    ? true
    : sig.options['celeriac'] !== undefined && sig.options['group_id'] !== undefined;
}

/** Whether a caller gave any task of it an id. */
export function hasGivenIds({ options, kwargs, subtask_type }: Signature): boolean {
  if (options['task_id'] !== undefined) return true;
  const { tasks, header, body, task } = subtask_type === null ? {} : kwargs;
  const parts = [options['link'], options['link_error'], tasks, header, body, task].flat();
  return parts.some((part) => {
    const read = isSignature(part) ? part : readSignature(part);
    return read !== undefined && hasGivenIds(read);
  });
}
