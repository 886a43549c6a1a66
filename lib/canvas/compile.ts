/**
 * From a tree of signatures to messages and groups. Pure: the same tree under the same id gives the same
 * ids, so that sending it twice makes nothing twice.
 */
import { InvalidSignature } from '../base/errors.ts';
import { type CeleriacHeader, COUNTED_BY_CELERY, UNCOUNTED } from '../wire/message.ts';
import { applyPartial, type Signature, withParts } from '../wire/signature.ts';
import { chordParts, flattened, groupMembers, isCounted, withOptions } from './build.ts';
import { bodyOf, collected, headerId, isMember, namedSteps, ownMemberId } from './named.ts';
import { fold } from './fold.ts';

export { bodyOf, FRESH, hasGivenIds, ownId, ownMemberId, withIds } from './named.ts';
export { type Errback, errbacksOf, tasksOf } from './never-run.ts';
export { SEED } from './parts.ts';

/** Results of a group that are read when the task runs, since they may not fit a message. */
export type Gather = NonNullable<CeleriacHeader['gather']>;

/** What a parent hands to its child: arguments, or the group whose results are the first one. */
export type Sent = { readonly args: readonly unknown[] } | { readonly gather: Gather };

/** A message to be. Its signature has an id, and its membership in its options. */
export interface Planned {
  readonly signature: Signature;
  /** The steps that follow, the next one last. */
  readonly chain: readonly Signature[] | null;
  readonly gather: Gather | undefined;
}

/** A chord whose members Celery's workers count too: it has to be stored before any of them is sent. */
export interface CountedByCelery {
  readonly groupId: string;
  readonly memberIds: readonly string[];
}

/** Where the result of a tree stands. */
export type ResultNode = { readonly kind: 'task'; readonly id: string; readonly parent?: ResultNode } | GroupNode;

interface GroupNode {
  readonly kind: 'group';
  readonly id: string;
  readonly memberIds: readonly string[];
  /** Nobody counts its members: their results tell. */
  readonly uncounted?: true;
  readonly parent?: ResultNode;
}

export interface Plan {
  readonly messages: readonly Planned[];
  readonly chords: readonly CountedByCelery[];
  readonly result: ResultNode;
}

/** Whether any task of a tree runs elsewhere, in Python say. */
export type HasExternalTask = (sig: Signature) => boolean;

const NOTHING: Sent = { args: [] };

/**
 * @param id the task id of the whole: of a task, of a chain's last step, of a chord's body; or the group's.
 * @throws InvalidSignature
 */
export function compile(
  sig: Signature,
  id: string,
  sent: Sent = NOTHING,
  hasExternalTask: HasExternalTask = NO_EXTERNAL_TASKS,
): Plan {
  const out: Out = { messages: [], chords: [], hasExternalTask };
  const result = addStep(sig, id, sent, null, out);
  return { messages: out.messages, chords: out.chords, result };
}

export const NO_EXTERNAL_TASKS: HasExternalTask = () => false;

interface Out {
  readonly messages: Planned[];
  readonly chords: CountedByCelery[];
  readonly hasExternalTask: HasExternalTask;
}

function addStep(sig: Signature, id: string, given: Sent, chain: readonly Signature[] | null, out: Out): ResultNode {
  // A task's own arguments are in its message either way; `planned` leaves out the rest.
  const sent = sig.immutable && sig.subtask_type !== null ? NOTHING : given;
  return fold<ResultNode>(sig, {
    task: () => {
      out.messages.push(planned(sig, id, sent, chain));
      return { kind: 'task', id };
    },
    chain: () => addChain(sig, id, sent, out),
    group: (group) => (isMember(group) ? addChord(collected(group), id, sent, out) : addGroup(group, id, sent, out)),
    chord: () => addChord(sig, id, sent, out),
  });
}

function planned(sig: Signature, id: string, sent: Sent, chain: readonly Signature[] | null): Planned {
  const gather = 'gather' in sent && !sig.immutable ? sent.gather : undefined;
  return {
    signature: withParts(sig, {
      args: 'gather' in sent ? sig.args : applyPartial(sig, sent.args),
      options: { ...sig.options, task_id: id },
    }),
    chain,
    gather,
  };
}

function addChain(sig: Signature, id: string, sent: Sent, out: Out): ResultNode {
  const named = namedSteps(sig, id);
  const [first] = named;
  if (first === undefined) throw new InvalidSignature('A chain has no steps.');
  const rest = named.slice(1).map(flattened).toReversed();
  let result = addStep(first, String(first.options['task_id']), sent, rest.length === 0 ? null : rest, out);
  for (const step of named.slice(1))
    result = nodeOf(step, String(step.options['task_id']), result, out.hasExternalTask);
  return result;
}

function addGroup(sig: Signature, id: string, sent: Sent, out: Out): ResultNode {
  const members = groupMembers(sig);
  const uncounted = isUncounted(sig, members, out.hasExternalTask);
  const celeriac = { size: members.length, ...(uncounted ? { policy: UNCOUNTED } : {}) };
  const memberIds = addMembers(members, id, sent, { celeriac }, out);
  return groupNode(id, memberIds, uncounted);
}

/**
 * Nobody waits for a plain group, so that nobody has to know when it is complete: counting is a write for each member, or
 * for those of a batch. Who asks often how far it is may want it; what runs in Python is counted by nobody.
 */
function isUncounted(sig: Signature, members: readonly Signature[], hasExternalTask: HasExternalTask): boolean {
  const isExternal = members.some(hasExternalTask);
  if (isExternal && isCounted(sig))
    throw new InvalidSignature(
      'group(): count: true given for members of external queues. Workers of Celery count no group without a body: leave it out, and progress() reads each result.',
    );
  return !isCounted(sig);
}

function groupNode(id: string, memberIds: readonly string[], uncounted: boolean): GroupNode {
  return { kind: 'group', id, memberIds, ...(uncounted ? { uncounted } : {}) };
}

function addChord(sig: Signature, id: string, sent: Sent, out: Out): ResultNode {
  const { header, policy } = chordParts(sig);
  const body = bodyOf(sig, id);
  const members = groupMembers(header);
  // Celery: the body of an empty header is called at once, with an empty list.
  if (members.length === 0) return addStep(body, id, { args: [[]] }, null, out);
  const groupId = headerId(sig, id);
  const byCelery = members.some(out.hasExternalTask);
  if (byCelery && policy !== 'celery')
    throw new InvalidSignature(
      `chord(): policy '${policy}' given for a header with tasks that run elsewhere. Celery's workers count it too, and know no policy but their own: leave it out.`,
    );
  const counted = byCelery ? COUNTED_BY_CELERY : policy;
  const celeriac = { size: members.length, ...(counted === 'celery' ? {} : { policy: counted }) };
  const memberIds = addMembers(members, groupId, sent, { chord: body, celeriac }, out);
  if (byCelery) out.chords.push({ groupId, memberIds });
  return nodeOf(body, id, groupNode(groupId, memberIds, byCelery), out.hasExternalTask);
}

function addMembers(
  members: readonly Signature[],
  groupId: string,
  sent: Sent,
  options: Readonly<Record<string, unknown>>,
  out: Out,
): string[] {
  return members.map((member, index) => {
    const memberId = ownMemberId(member, groupId, index);
    addStep(withOptions(member, { ...options, group_id: groupId, group_index: index }), memberId, sent, null, out);
    return memberId;
  });
}

/** Where the result of a step will stand, without sending it. */
export function nodeOf(
  sig: Signature,
  id: string,
  parent?: ResultNode,
  hasExternalTask: HasExternalTask = NO_EXTERNAL_TASKS,
): ResultNode {
  const above = parent === undefined ? {} : { parent };
  return fold<ResultNode>(sig, {
    task: () => ({ kind: 'task', id, ...above }),
    chain: () =>
      namedSteps(sig, id).reduce<ResultNode | undefined>(
        (before, step) => nodeOf(step, String(step.options['task_id']), before, hasExternalTask),
        parent,
      ) ?? { kind: 'task', id },
    group: (group) =>
      isMember(group)
        ? { kind: 'task', id, ...above }
        : {
            ...futureGroup(group, id, (members) => isUncounted(group, members, hasExternalTask)),
            ...above,
          },
    chord: () => {
      const { header } = chordParts(sig);
      const groupId = headerId(sig, id);
      const group = futureGroup(header, groupId, (members) => members.some(hasExternalTask));
      const before: ResultNode | undefined = group.memberIds.length === 0 ? parent : { ...group, ...above };
      return nodeOf(bodyOf(sig, id), id, before, hasExternalTask);
    },
  });
}

function futureGroup(
  group: Signature,
  groupId: string,
  isUncountedGroup: (members: readonly Signature[]) => boolean,
): GroupNode {
  const members = groupMembers(group);
  const memberIds = members.map((member, index) => ownMemberId(member, groupId, index));
  return groupNode(groupId, memberIds, isUncountedGroup(members));
}
