/**
 * From a tree of signatures to messages and groups. Pure: the same tree under the same id gives the same
 * ids, so that sending it twice makes nothing twice.
 */
import { InvalidSignature } from '../errors.ts';
import { groupMemberId } from '../group-parts.ts';
import { applyPartial, type Signature, signature } from '../signature.ts';
import { derivedId } from '../time.ts';
import {
  chainSteps,
  type ChordPolicy,
  chordOf,
  chordParts,
  chunksGroup,
  groupMembers,
  kindOf,
  merged,
  withOptions,
} from './build.ts';

/** Results of a group that are read when the task runs, since they may not fit a message. */
export interface Gather {
  readonly groupId: string;
  readonly size: number;
  readonly policy: ChordPolicy;
}

/** What a parent hands to its child: arguments, or the group whose results are the first one. */
export type Sent = { readonly args: readonly unknown[] } | { readonly gather: Gather };

/** A message to be. Its signature has an id, and its membership in its options. */
export interface Planned {
  readonly signature: Signature;
  /** The steps that follow, the next one last. */
  readonly chain: readonly Signature[] | null;
  readonly gather: Gather | undefined;
}

export interface PlannedGroup {
  readonly groupId: string;
  readonly size: number;
}

/** Where the result of a tree stands. */
export type ResultNode =
  | { readonly kind: 'task'; readonly id: string; readonly parent?: ResultNode }
  | {
      readonly kind: 'group';
      readonly id: string;
      readonly memberIds: readonly string[];
      readonly parent?: ResultNode;
    };

export interface Plan {
  readonly messages: readonly Planned[];
  readonly groups: readonly PlannedGroup[];
  readonly result: ResultNode;
}

/** Options by which a signature belongs to a group. */
const MEMBERSHIP = ['group_id', 'group_index', 'chord', 'celeriac'] as const;
/**
 * A chain's last step and a chord's body have the id of the whole, since its result is theirs. Where they are
 * composites themselves, what their parts are named after must be another.
 */
const SEED = 'celeriac_seed';
/** Of this package: gives the list it is called with. */
export const COLLECT_TASK = 'celeriac.collect';
const NOTHING: Sent = { args: [] };

/** @param id the task id of the whole: of a task, of a chain's last step, of a chord's body; or the group's. */
export function compile(sig: Signature, id: string, sent: Sent = NOTHING): Plan {
  const out: { messages: Planned[]; groups: PlannedGroup[] } = { messages: [], groups: [] };
  const result = place(sig, id, sent, null, out);
  return { ...out, result };
}

type Out = { readonly messages: Planned[]; readonly groups: PlannedGroup[] };

function place(sig: Signature, id: string, sent: Sent, chain: readonly Signature[] | null, out: Out): ResultNode {
  switch (kindOf(sig)) {
    case 'chain':
      return placeChain(sig, id, sent, out);
    case 'chunks':
      return place(chunksGroup(sig), id, sent, chain, out);
    case 'group':
      return isMember(sig) ? placeChord(collected(sig), id, sent, out) : placeGroup(sig, id, sent, out);
    case 'chord':
      return placeChord(sig, id, sent, out);
    case 'map':
    case 'starmap':
    case 'task':
    default:
      out.messages.push(planned(sig, id, sent, chain));
      return { kind: 'task', id };
  }
}

function planned(sig: Signature, id: string, sent: Sent, chain: readonly Signature[] | null): Planned {
  const gather = 'gather' in sent && !sig.immutable ? sent.gather : undefined;
  return {
    signature: signature(sig.task, {
      args: 'gather' in sent ? sig.args : applyPartial(sig, sent.args),
      kwargs: sig.kwargs,
      options: { ...sig.options, task_id: id },
      immutable: sig.immutable,
      subtaskType: sig.subtask_type,
    }),
    chain,
    gather,
  };
}

function placeChain(sig: Signature, id: string, sent: Sent, out: Out): ResultNode {
  const named = namedSteps(sig, id);
  const [first] = named;
  if (first === undefined) throw new InvalidSignature('A chain has no steps.');
  const rest = named.slice(1).toReversed();
  let result = place(first, String(first.options['task_id']), sent, rest.length === 0 ? null : rest, out);
  for (const step of named.slice(1)) result = { ...nodeOf(step, String(step.options['task_id'])), parent: result };
  return result;
}

/** A chain's steps, each with its id. */
function namedSteps(sig: Signature, id: string): Signature[] {
  const steps = chainSteps(sig);
  return steps.map((step, index) =>
    index === steps.length - 1
      ? withOptions(step, { task_id: id, ...seeded(step, seedOf(sig, id), 'last') })
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

function placeGroup(sig: Signature, id: string, sent: Sent, out: Out): ResultNode {
  const members = groupMembers(sig);
  const memberIds = placeMembers(members, id, sent, { celeriac: { size: members.length } }, out);
  return { kind: 'group', id, memberIds };
}

function placeChord(sig: Signature, id: string, sent: Sent, out: Out): ResultNode {
  const { header, policy } = chordParts(sig);
  const body = bodyOf(sig, id);
  const members = groupMembers(header);
  // Celery: the body of an empty header is called at once, with an empty list.
  if (members.length === 0) return place(body, id, { args: [[]] }, null, out);
  const groupId = headerId(sig, id);
  const celeriac = { size: members.length, ...(policy === 'celery' ? {} : { policy }) };
  const memberIds = placeMembers(members, groupId, sent, { chord: body, celeriac }, out);
  return { ...nodeOf(body, id), parent: { kind: 'group', id: groupId, memberIds } };
}

function placeMembers(
  members: readonly Signature[],
  groupId: string,
  sent: Sent,
  options: Readonly<Record<string, unknown>>,
  out: Out,
): string[] {
  if (members.length > 0) out.groups.push({ groupId, size: members.length });
  return members.map((member, index) => {
    const memberId =
      typeof member.options['task_id'] === 'string' ? member.options['task_id'] : groupMemberId(groupId, index);
    place(withOptions(member, { ...options, group_id: groupId, group_index: index }), memberId, sent, null, out);
    return memberId;
  });
}

/** The chord's body with its id, whose links, error links and membership are the chord's own. */
export function bodyOf(sig: Signature, id: string): Signature {
  const { body } = chordParts(sig);
  const own: Record<string, unknown> = {};
  for (const name of ['link', 'link_error', ...MEMBERSHIP])
    if (sig.options[name] !== undefined) own[name] = sig.options[name];
  return withOptions(body, { ...merged(body.options, own), task_id: id, ...seeded(body, seedOf(sig, id), 'body') });
}

function headerId(sig: Signature, id: string): string {
  const { header } = chordParts(sig);
  return ownId(header, `${seedOf(sig, id)}:header`);
}

/** Where the result of a step will stand, without sending it. */
export function nodeOf(sig: Signature, id: string): ResultNode {
  switch (kindOf(sig)) {
    case 'chain': {
      const last = namedSteps(sig, id).at(-1);
      return last === undefined ? { kind: 'task', id } : nodeOf(last, id);
    }
    case 'chunks':
      return nodeOf(chunksGroup(sig), id);
    case 'group':
      return isMember(sig) ? { kind: 'task', id } : { kind: 'group', id, memberIds: memberIdsOf(sig, id) };
    case 'chord':
      return nodeOf(bodyOf(sig, id), id);
    case 'map':
    case 'starmap':
    case 'task':
    default:
      return { kind: 'task', id };
  }
}

export function memberIdsOf(group: Signature, groupId: string): string[] {
  return groupMembers(group).map((member, index) =>
    typeof member.options['task_id'] === 'string' ? member.options['task_id'] : groupMemberId(groupId, index),
  );
}

/** Every task of a step that will never run, so that nobody waits for any of them: its id and its signature. */
export function tasksOf(sig: Signature, id: string): { readonly id: string; readonly signature: Signature }[] {
  switch (kindOf(sig)) {
    case 'chain':
      return namedSteps(sig, id).flatMap((step) => tasksOf(step, String(step.options['task_id'])));
    case 'chunks':
      return tasksOf(chunksGroup(sig), id);
    case 'group':
      if (isMember(sig)) return [{ id, signature: sig }];
      return groupMembers(sig).flatMap((member, index) => tasksOf(member, ownMemberId(member, id, index)));
    case 'chord':
      // Header members that never existed are waited for by nobody but the body.
      return tasksOf(bodyOf(sig, id), id);
    case 'map':
    case 'starmap':
    case 'task':
    default:
      return [{ id, signature: sig }];
  }
}

function ownMemberId(member: Signature, groupId: string, index: number): string {
  return typeof member.options['task_id'] === 'string' ? member.options['task_id'] : groupMemberId(groupId, index);
}

function ownId(sig: Signature, name: string): string {
  return typeof sig.options['task_id'] === 'string' ? sig.options['task_id'] : derivedId(name);
}

/** A group that is itself a member (the end of a chain in a group, say): its results as one list are that member's. */
function collected(sig: Signature): Signature {
  const membership = Object.fromEntries(MEMBERSHIP.map((name) => [name, sig.options[name]]));
  const inner = Object.fromEntries(
    Object.entries(sig.options).filter(
      ([name]) => !(MEMBERSHIP as readonly string[]).includes(name) && name !== 'task_id',
    ),
  );
  const group = signature(sig.task, {
    args: sig.args,
    kwargs: sig.kwargs,
    options: inner,
    immutable: sig.immutable,
    subtaskType: sig.subtask_type,
  });
  return chordOf(group, signature(COLLECT_TASK), membership);
}

function isMember(sig: Signature): boolean {
  return sig.options['chord'] !== undefined && sig.options['chord'] !== null
    ? true
    : sig.options['celeriac'] !== undefined && sig.options['group_id'] !== undefined;
}
