/**
 * What must come of one task: an interpreter of the programs' own descriptions. It asks what the faults did (`Facts`),
 * never what the library made of it, and shares no code with it.
 */
import type { End, Facts } from './facts.ts';
import type { Run } from './ledger.ts';
import { type Behaviour, type Leaf, MAX_DELIVERIES, MAX_RETRIES } from './program.ts';
import { UNSENT } from './refusals.ts';

export interface TaskError {
  readonly type: string;
  /** Left out where it depends on what nobody here knows. */
  readonly message?: string;
}

/** One way in which a task may end. */
export interface Ending {
  readonly state: string;
  /** Number of its last attempt; absent where another one may be noted. */
  readonly attempt?: number;
  readonly error?: TaskError;
  /** Why its message lies in the dead-letter queue. */
  readonly deadLetter?: string;
  /** Its last attempt never began. */
  readonly unrun?: true;
  /** Earlier ones may not have begun either: they were left out. */
  readonly gaps?: true;
}

export type Act = 'value' | 'retry' | Omit<Ending, 'attempt'>;

const PASSING: TaskError = { type: 'Passing', message: 'as told' };

/** What a run of this attempt comes to, where its worker lives. */
export function act(behaviour: Behaviour, attempt: number): Act {
  switch (behaviour.kind) {
    case 'retry':
      if (attempt >= behaviour.times) return 'value';
      if (attempt < MAX_RETRIES) return 'retry';
      return { state: 'FAILURE', error: behaviour.own ? PASSING : { type: 'MaxRetriesExceededError' } };
    case 'flaky':
      if (attempt >= behaviour.times) return 'value';
      return attempt < MAX_RETRIES ? 'retry' : { state: 'FAILURE', error: { type: 'Flaky', message: 'as told' } };
    case 'fail':
      return { state: 'FAILURE', error: PASSING };
    case 'reject':
      return { state: 'REJECTED', error: { type: 'TaskRejectedError' }, deadLetter: 'as told' };
    case 'ignore':
      return { state: 'IGNORED' };
    case 'ok':
    case 'requeue':
    case 'slow':
    case 'long':
    case 'spawn':
    case 'die':
    default:
      return 'value';
  }
}

const LOST: Omit<Ending, 'attempt'> = {
  state: 'FAILURE',
  error: { type: 'WorkerLostError' },
  deadLetter: 'worker lost',
};

/** Whether its workers ended too often before an outcome of this attempt stood. */
export function isLost(facts: Facts, id: string, attempt: number, acksLate: boolean): 'no' | 'maybe' | 'yes' {
  if (!facts.watched) return 'maybe';
  const claims = facts.claims(id, attempt);
  const dead = claims - 1 - facts.releases(id, attempt);
  return claims > MAX_DELIVERIES || (!acksLate && dead > 0) ? 'yes' : 'no';
}

const UNHANDLED = 'cannot be handled';

/** What a message of the task itself comes to that its queue refuses. */
function unsent(attempt: number): Ending {
  return { state: 'FAILURE', attempt, error: { type: UNSENT }, unrun: true, deadLetter: UNHANDLED };
}

/** Every way in which a task that was sent may end, given what happened to it. */
export function endingsOf(leaf: Pick<Leaf, 'behaviour' | 'task' | 'expires'>, id: string, facts: Facts): Ending[] {
  const revoke = facts.revoke(id);
  const revoked: Ending = { state: 'REVOKED', error: { type: 'TaskRevokedError', message: 'revoked' } };
  // What waited when it was revoked never runs.
  if (revoke !== undefined && !revoke.open && !revoke.ended) return [revoked];
  const endings: Ending[] = revoke !== undefined && !revoke.ended ? [revoked] : [];
  if (facts.told.has(id))
    endings.push({ state: 'REVOKED', error: { type: 'TaskRevokedError', message: 'terminated' } });
  const expired = (attempt: number): void => {
    if (leaf.expires !== undefined)
      endings.push({ state: 'REVOKED', attempt, error: { type: 'TaskRevokedError', message: 'expired' } });
  };
  expired(0);
  const leftOut = facts.leftOut.get(leaf.task);
  if (leftOut === 'ignored') endings.push({ state: 'IGNORED', unrun: true });
  if (leaf.task === 'gone')
    return [
      ...endings,
      { state: 'FAILURE', attempt: 0, error: { type: 'NotRegistered' }, deadLetter: 'not registered' },
    ];
  if (leaf.task === 'poison') return [...endings, { ...LOST, attempt: 0 }];
  const refusal = facts.refusals.get(id);
  const refused: Ending = {
    state: 'FAILURE',
    attempt: 0,
    error: { type: refusal?.error ?? '' },
    deadLetter: UNHANDLED,
  };
  if (refusal?.at === 'claim') return [...endings, { ...refused, unrun: true }];
  // Claimed again, an attempt without acksLate was lost, and its end as a lost one is what is refused. Its last claim is given
  // back then, so that releases do not tell it from one that was handed back.
  const again = leaf.task === 'once' && facts.claims(id, 0) > 1;
  if (refusal?.at === 'commit') return [...endings, again ? { ...refused, unrun: true } : refused];
  // Sent on, too early or to a worker that does not know it yet.
  if (refusal?.at === 'send') endings.push(unsent(0));
  for (let attempt = 0; ; attempt += 1) {
    if (attempt > 0) expired(attempt);
    const lost = isLost(facts, id, attempt, leaf.task !== 'once');
    if (lost !== 'no') endings.push({ ...LOST, attempt });
    if (lost === 'yes') return endings;
    // On a real machine a run may stand still until its invocation is over.
    if (!facts.watched) endings.push({ state: 'FAILURE', attempt, error: { type: 'TimeLimitExceeded' } });
    // A call of the task's own may stand still until its time is over, or fail as often as it is tried.
    if (leaf.behaviour.kind === 'spawn')
      for (const type of ['TimeLimitExceeded', 'EnqueueFailed'])
        endings.push({ state: 'FAILURE', attempt, error: { type } });
    const come = act(leaf.behaviour, attempt);
    if (leftOut === 'retry') {
      endings.push({ state: 'SUCCESS', attempt, gaps: true });
      if (attempt < MAX_RETRIES) continue;
      return [...endings, { state: 'FAILURE', attempt, error: { type: 'LockNotAcquired' }, unrun: true, gaps: true }];
    }
    if (come === 'retry' && refusal?.at === 'send') return [...endings, unsent(attempt + 1)];
    if (come === 'retry') continue;
    if (come === 'value' && refusal?.at === 'outcome')
      return [...endings, { state: 'FAILURE', attempt, error: { type: refusal.error } }];
    return [...endings, come === 'value' ? { state: 'SUCCESS', attempt } : { ...come, attempt }];
  }
}

/** The error of a stored end, as Celery writes it. */
export function errorOf({ meta }: End): TaskError | undefined {
  if (meta === undefined) return undefined;
  const { result } = JSON.parse(meta) as { readonly result: unknown };
  if (typeof result !== 'object' || result === null || !('exc_type' in result)) return undefined;
  const { exc_type: type, exc_message: message } = result as {
    readonly exc_type: string;
    readonly exc_message: unknown;
  };
  return { type, message: Array.isArray(message) ? message.join(' ') : String(message) };
}

export function isSame(ending: Ending, end: End): boolean {
  if (ending.state !== end.state) return false;
  return ending.attempt === undefined || end.attempt === undefined || ending.attempt === end.attempt;
}

/** Whether the stored error is the one that it must be; states without a document have none to show. */
export function hasError(expected: TaskError | undefined, end: End): boolean {
  const error = errorOf(end);
  if (expected === undefined) return error === undefined;
  if (error === undefined) return false;
  return error.type === expected.type && (expected.message === undefined || error.message === expected.message);
}

/** When the attempts of a task may run: not before its time, nor after it has expired. */
export function untimely(
  leaf: Leaf,
  runs: readonly Run[],
  facts: Facts,
  slackMs: number,
): { readonly rule: string; readonly what: string; readonly id: string } | undefined {
  for (const run of runs) {
    const expiresMs = facts.sends(run.id)?.expiresMs ?? [];
    if (leaf.expires !== undefined && facts.watched && run.atMs > Math.max(...expiresMs) + slackMs)
      return { rule: 'what has expired does not start', what: `${leaf.key} at ${run.atMs}`, id: run.id };
    if (run.attempt === 0 || leaf.behaviour.kind !== 'retry') continue;
    const before = runs.find((each) => each.attempt === run.attempt - 1);
    const waitMs = 1000 * leaf.behaviour.seconds * 2 ** (run.attempt - 1);
    if (before !== undefined && run.atMs < before.atMs + waitMs - slackMs)
      return { rule: 'never early', what: `retry ${run.attempt} of ${leaf.key}`, id: run.id };
  }
  return undefined;
}
