/**
 * What follows from an outcome, as data: links and the next step, error links, steps that will never run, memberships,
 * the retry, the dead letter. Pure: `settle` does what is said here, once or many times, and every id is fixed here.
 */
import type { CountedByCelery, Sent } from '../canvas/compile.ts';
import { ownId } from '../canvas/named.ts';
import { type Errback, errbacksOf } from '../canvas/never-run.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { derivedId } from '../base/ids.ts';
import { FAILURE, IGNORED, RETRY, SUCCESS } from '../base/states.ts';
import type { ConcludeRequest } from '../ports/backend.ts';
import { decodeJsonKeepingTypes } from '../wire/json.ts';
import type { Message } from '../wire/message.ts';
import { readDocument, restoreError, type ResultDocument } from '../wire/result-document.ts';
import type { Signature } from '../wire/signature.ts';
import type { Committed, Settlement } from './committed.ts';
import { type Failed, failedRequest, inlineErrback, type InlineErrback, type Tasks } from './inline-links.ts';
import { type CeleryMember, celeryMemberOf, type Mark, markOf, type Membership, membershipOf } from './membership.ts';

export type Follower =
  | Waiting
  /** Some hundred thousand of the same: each is made when its turn comes. `list` names how far that is. */
  | {
      readonly kind: 'each';
      readonly list: string;
      readonly of: readonly Signature[];
      readonly follower: (signature: Signature, index: number) => Follower;
    }
  /** A task or a whole tree is sent. `rest`: the steps after it, the next one last. */
  | {
      readonly kind: 'step';
      readonly signature: Signature;
      readonly id: string;
      readonly sent: Sent;
      readonly rest: readonly Signature[];
    }
  /** How it ended is posted. */
  | { readonly kind: 'webhook' }
  /** A unique task whose key is free again. */
  | { readonly kind: 'unmark' }
  | { readonly kind: 'retry'; readonly retry: NonNullable<Settlement['retry']> }
  | { readonly kind: 'member'; readonly member: CeleryMember };

/** What is done together with others of its kind, or when all else is done. */
export type Waiting =
  | { readonly kind: 'dead letter'; readonly cause: NonNullable<Settlement['deadLetter']> }
  /** A tree that will never run, and why. `told`: what it is a member of has been told so. */
  | {
      readonly kind: 'failed step';
      readonly signature: Signature;
      readonly id: string;
      readonly cause: unknown;
      readonly told?: true;
    }
  /** One task of it. */
  | { readonly kind: 'conclusion'; readonly request: ConcludeRequest; readonly member: CeleryMember | undefined }
  /** A finished member of a counted group. */
  | { readonly kind: 'mark'; readonly mark: Mark }
  /** A chord among what is sent that Celery's workers count too. */
  | { readonly kind: 'chord'; readonly chord: CountedByCelery }
  /** Such a chord whose body is sent: a crash before that has the member come back and send it. */
  | { readonly kind: 'close'; readonly groupId: string }
  /** A chord whose failure has been told: no further member that fails tells it again. */
  | { readonly kind: 'told'; readonly groupId: string }
  /** An error link that is called here. Last, since it may take as long as there is time: nobody else waits for it. */
  | ({ readonly kind: 'errback' } & InlineErrback);

/** Somebody waits for the value: it must survive a crash between commit and settle. */
export function hasFollowers({ embed: { callbacks, chain, chord } }: Message): boolean {
  return (callbacks?.length ?? 0) > 0 || (chain?.length ?? 0) > 0 || chord !== null;
}

/** Who runs a task here posts nothing. */
export function postsWebhook({ task }: Message, { registry, eager }: Tasks): boolean {
  return eager === undefined && registry.find(task)?.options.webhook !== undefined;
}

/** All that follows from how a message ended, in this order. */
export function followersOf(message: Message, { status, meta, settlement }: Committed, tasks: Tasks): Follower[] {
  const { retry, deadLetter } = settlement;
  const followers: Follower[] = deadLetter === undefined ? [] : [{ kind: 'dead letter', cause: deadLetter }];
  if (status === RETRY) return retry === undefined ? followers : [...followers, { kind: 'retry', retry }];
  // First: nobody of its key need wait for what follows.
  if (message.celeriac.unique !== undefined) followers.unshift({ kind: 'unmark' });
  if (status === SUCCESS) {
    if (hasFollowers(message)) followers.push(...successors(message, valueOf(meta, settlement)));
  } else followers.push(...failures(message, status, meta, tasks));
  if (postsWebhook(message, tasks) && status !== IGNORED) followers.push({ kind: 'webhook' });
  return [...followers, ...memberships(membershipOf(message), status !== SUCCESS)];
}

/** Who counts the message as finished. */
function memberships(membership: Membership, failed: boolean): Follower[] {
  const mark = markOf(membership, failed);
  const member = celeryMemberOf(membership);
  return [
    ...(mark === undefined ? [] : [{ kind: 'mark', mark } as const]),
    ...(member === undefined ? [] : [{ kind: 'member', member } as const]),
  ];
}

/** Links and the next step of the chain. */
function successors({ id, embed }: Message, value: unknown): Follower[] {
  const sent = { args: [value] };
  const links = each('links', embed.callbacks, (signature, index) =>
    step(signature, childId(signature, `${id}:link:${index}`), sent),
  );
  const chain = embed.chain ?? [];
  const next = chain.at(-1);
  if (next === undefined) return links;
  // Celery's order: the list is reversed, the next step is its last element; an exhausted chain is [].
  const rest = chain.slice(0, -1);
  return [...links, step(next, childId(next, `${id}:chain:${rest.length}`), sent, rest)];
}

/** Error links, and the end of a chain whose earlier step has no result. */
function failures(message: Message, status: string, meta: string | undefined, tasks: Tasks): Follower[] {
  const { id, embed } = message;
  const isTold = status === FAILURE && (embed.errbacks?.length ?? 0) > 0;
  // Most failures are followed by nothing: their documents are not read.
  if (!isTold && (embed.chain?.length ?? 0) === 0) return [];
  const document = meta === undefined ? undefined : readDocument(meta);
  const cause = causeOf(id, status, document, tasks);
  return [
    ...(isTold ? errbacksFor(message, cause, document?.traceback ?? null, tasks) : []),
    ...each('chain', embed.chain, (signature, index) =>
      failedStep(signature, childId(signature, `${id}:chain:${index}`), cause),
    ),
  ];
}

function errbacksFor(message: Message, error: unknown, traceback: string | null, tasks: Tasks): Follower[] {
  const failed = { request: failedRequest(message), error, traceback };
  return each('errbacks', message.embed.errbacks, (signature, index) =>
    errback(signature, `${message.id}:errback:${index}`, failed, tasks),
  );
}

/** A step that cannot be sent has failed like any other, and with it the steps after it. */
export function unsendable(
  parent: Message,
  { signature, id, rest }: Omit<FollowingStep, 'kind' | 'sent'>,
  cause: unknown,
  tasks: Tasks,
): Follower[] {
  return [
    failedStep(signature, id, cause),
    ...rest.map((each) => failedStep(each, childId(each, `${id}:lost`), cause)),
    ...errbacksIn(signature, id).flatMap(({ signature: link, failedId }, index) => {
      const { task, args, kwargs } = signature;
      const request = { ...failedRequest(parent), id: failedId, task, args, kwargs, retries: 0, parentId: parent.id };
      return errback(link, `${failedId}:errback:${index}`, { request, error: cause, traceback: null }, tasks);
    }),
  ];
}

export type FollowingStep = Extract<Follower, { kind: 'step' }>;

export function step(signature: Signature, id: string, sent: Sent, rest: readonly Signature[] = []): FollowingStep {
  return { kind: 'step', signature, id, sent, rest };
}

function failedStep(signature: Signature, id: string, cause: unknown): Follower {
  return { kind: 'failed step', signature, id, cause };
}

/** Called here, or sent with the failed task's id: Celery's rule. */
function errback(signature: Signature, name: string, failed: Failed, tasks: Tasks): Follower {
  const definition = inlineErrback(signature, tasks);
  return definition === undefined
    ? step(signature, childId(signature, name), { args: [failed.request.id] })
    : { kind: 'errback', definition, signature, failed };
}

function each(
  list: string,
  of: readonly Signature[] | null,
  follower: (signature: Signature, index: number) => Follower,
): Follower[] {
  return of === null || of.length === 0 ? [] : [{ kind: 'each', list, of, follower }];
}

/** Ids of what the outcome of a message starts: links and the next step, or error links. */
export function followerIds(message: Message, success: boolean, tasks: Tasks): string[] {
  const followers = success ? successors(message, undefined) : errbacksFor(message, undefined, null, tasks);
  const single = followers.flatMap((each) => (each.kind === 'each' ? each.of.map(each.follower) : [each]));
  return single.flatMap((follower) => (follower.kind === 'step' ? [follower.id] : []));
}

/** The id of a child: its own, or one that follows from its parent. */
export function childId(sig: Signature, name: string): string {
  try {
    return ownId(sig, name);
  } catch {
    // A composite that cannot be read has to be called something when it is reported.
    const { task_id } = sig.options;
    return typeof task_id === 'string' ? task_id : derivedId(name);
  }
}

function errbacksIn(sig: Signature, id: string): readonly Errback[] {
  try {
    return errbacksOf(sig, id);
  } catch {
    // A composite that cannot be read is why it failed.
    return [];
  }
}

function valueOf(meta: string | undefined, settlement: Settlement): unknown {
  if ('value' in settlement) return settlement.value;
  return meta === undefined ? null : readDocument(meta, decodeJsonKeepingTypes).result;
}

function causeOf(id: string, status: string, document: ResultDocument | undefined, { eager }: Tasks): unknown {
  if (eager?.errors.has(id) === true) return eager.errors.get(id);
  if (status === IGNORED)
    return new ImproperlyConfigured('An earlier step of the chain raised Ignore, so there is no result to go on with.');
  if (document === undefined) return new ImproperlyConfigured(`An earlier step of the chain ended as ${status}.`);
  return document.result === null
    ? new ImproperlyConfigured(`An earlier step of the chain ended as ${document.status}.`)
    : restoreError(document);
}
