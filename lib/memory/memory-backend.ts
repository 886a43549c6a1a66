/** Results in memory: the executable meaning of `Backend`. */
import { isReopened, refusalOf } from '../ports/claims.ts';
import { checkItem, partitionKey } from '../ports/store-limits.ts';
import { isFinal, REVOKED, STARTED } from '../base/states.ts';
import type {
  Backend,
  ClaimOutcome,
  ClaimRequest,
  CommitRequest,
  ConcludeOutcome,
  ConcludeRequest,
  ReopenRequest,
  TaskRecord,
  UpdateOutcome,
  UpdateRequest,
} from '../ports/backend.ts';

import type { LeaseRenewal, Leases } from '../ports/leases.ts';

type Held = { -readonly [K in keyof TaskRecord]: TaskRecord[K] };

/** DynamoDB refuses keys and items that are too large: so does this, before anything is changed. */
export class MemoryBackend implements Backend, Leases {
  readonly #records = new Map<string, Held>();

  async claim(requests: readonly ClaimRequest[]): Promise<ClaimOutcome[]> {
    return Promise.resolve(requests.map((request) => this.#claim(request)));
  }

  async commit(requests: readonly CommitRequest[]): Promise<boolean[]> {
    return Promise.resolve(requests.map((request) => this.#commit(request)));
  }

  noteSettled({ id, attempt }: { readonly id: string; readonly attempt: number }): Promise<void> {
    const record = this.#records.get(id);
    if (record?.committed === attempt) record.settledAttempt = attempt;
    return Promise.resolve();
  }

  release(request: { readonly id: string; readonly attempt: number; readonly owner: string }): Promise<boolean> {
    const record = this.#ours(request);
    if (record === undefined) return Promise.resolve(false);
    // Once, however often its owner asks.
    if (record.leaseMs !== 0) record.requeues = (record.requeues ?? 0) + 1;
    record.leaseMs = 0;
    return Promise.resolve(true);
  }

  renew({ leaseMs, expiresAtSeconds, ...request }: LeaseRenewal): Promise<boolean> {
    const record = this.#ours(request);
    if (record === undefined || record.finishedMs !== undefined || record.leaseMs === 0) return Promise.resolve(false);
    Object.assign(record, { leaseMs, expiresAtSeconds });
    return Promise.resolve(true);
  }

  async update({ id, attempt, owner, ...stored }: UpdateRequest): Promise<UpdateOutcome> {
    const record = this.#ours({ id, attempt, owner });
    if (record === undefined) return Promise.resolve('lost');
    if (record.terminate === true) return Promise.resolve('terminated');
    this.#put({ ...record, ...stored, ...('checkpoint' in stored ? { deliveries: 1, requeues: 0 } : {}) });
    return Promise.resolve('stored');
  }

  async conclude(requests: readonly ConcludeRequest[]): Promise<ConcludeOutcome[]> {
    return Promise.resolve(requests.map((request) => this.#conclude(request)));
  }

  async revoke(request: Parameters<Backend['revoke']>[0]): Promise<string> {
    const record = this.#records.get(request.id);
    const running =
      record?.attempt !== undefined && record.committed !== record.attempt && (record.leaseMs ?? 0) >= request.nowMs;
    if (record !== undefined && (running || record.finishedMs !== undefined)) {
      if (this.#dropExpired(record, request.nowMs)) return this.revoke(request);
      if (record.finishedMs === undefined)
        Object.assign(record, { revokedMs: request.nowMs }, request.terminate === true ? { terminate: true } : {});
      return Promise.resolve(record.status);
    }
    this.#put({
      ...ended(record),
      ...(request.terminate === true ? { terminate: true } : {}),
      id: request.id,
      status: REVOKED,
      revokedMs: request.nowMs,
      finishedMs: request.nowMs,
      meta: request.meta,
      expiresAtSeconds: request.expiresAtSeconds,
    });
    return Promise.resolve(REVOKED);
  }

  async reopen(request: ReopenRequest): Promise<boolean> {
    const record = this.#records.get(request.id);
    if (record !== undefined && this.#dropExpired(record, request.nowMs)) return this.reopen(request);
    if (record !== undefined && isReopened(record, request)) return Promise.resolve(true);
    if (record?.finishedMs !== request.finishedMs || (record !== undefined && request.finishedMs === undefined))
      return Promise.resolve(false);
    const { finishedMs: _finished, owner: _owner, past: _past, ...kept }: Partial<Held> = record ?? {};
    const { id, attempt, status, name, queue, meta, past, expiresAtSeconds } = request;
    this.#put({
      ...kept,
      id,
      attempt,
      committed: attempt,
      status,
      name,
      queue,
      meta,
      expiresAtSeconds,
      deliveries: 0,
      requeues: 0,
      ...(past === undefined ? {} : { past }),
    });
    return Promise.resolve(true);
  }

  async terminated(ids: readonly string[]): Promise<boolean[]> {
    return Promise.resolve(ids.map((id) => this.#records.get(keyOf(id) && id)?.terminate === true));
  }

  async get(ids: readonly string[], nowMs: number): Promise<(TaskRecord | undefined)[]> {
    return Promise.resolve(
      ids.map((id) => {
        const record = this.#live(id, nowMs);
        return record === undefined ? undefined : { ...record };
      }),
    );
  }

  forget(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#records.delete(id);
    return Promise.resolve();
  }

  /** Every record, expired ones too; for checkers. */
  all(): TaskRecord[] {
    return [...this.#records.values()].map((record) => ({ ...record }));
  }

  #put(record: Held): void {
    checkItem({ ...record, id: keyOf(record.id) });
    this.#records.set(record.id, record);
  }

  #live(id: string, nowMs: number): Held | undefined {
    keyOf(id);
    const record = this.#records.get(id);
    if (record?.expiresAtSeconds !== undefined && record.expiresAtSeconds <= nowMs / 1000) return undefined;
    return record;
  }

  #ours(request: { readonly id: string; readonly attempt: number; readonly owner: string }): Held | undefined {
    const record = this.#records.get(request.id);
    const ours =
      record?.owner === request.owner && record.attempt === request.attempt && record.committed !== request.attempt;
    return ours ? record : undefined;
  }

  /** As a store does that deletes late: what has expired is in nobody's way, and goes when it would be. */
  #dropExpired(record: Held, nowMs: number): boolean {
    if (record.expiresAtSeconds === undefined || record.expiresAtSeconds > nowMs / 1000) return false;
    this.#records.delete(record.id);
    return true;
  }

  #claim(request: ClaimRequest): ClaimOutcome {
    const record = this.#records.get(request.id);
    const refusal = record && refusalOf({ ...record }, request.attempt, request.nowMs, true);
    if (record !== undefined && refusal !== undefined) {
      if (this.#dropExpired(record, request.nowMs)) return this.#claim(request);
      // Our own earlier write, whose answer was lost on the way.
      return this.#ours(request) === undefined ? refusal : claimed(record);
    }
    const { settlement: _settlement, ignored: _ignored, ...kept }: Partial<Held> = record ?? {};
    const held: Held = {
      ...kept,
      id: request.id,
      status: STARTED,
      attempt: request.attempt,
      owner: request.owner,
      leaseMs: request.leaseMs,
      // A commit that is not final starts the count again.
      deliveries: (kept.deliveries ?? 0) + 1,
      name: request.name,
      queue: request.queue,
      startedMs: request.nowMs,
      meta: request.keepMeta === true && kept.meta !== undefined ? kept.meta : request.meta,
      expiresAtSeconds: request.expiresAtSeconds,
    };
    this.#put(held);
    return claimed(held);
  }

  #commit(request: CommitRequest): boolean {
    const held = this.#records.get(request.id);
    if (held?.owner !== request.owner || held.attempt !== request.attempt) return false;
    // Our own earlier write, whose answer was lost on the way.
    if (held.committed === request.attempt) return true;
    const record = { ...held };
    record.committed = request.attempt;
    record.status = request.status;
    if (request.meta !== undefined) record.meta = request.meta;
    if (request.settlement === undefined) delete record.settlement;
    else record.settlement = request.settlement;
    if (request.ignored === undefined) delete record.ignored;
    else record.ignored = request.ignored;
    if (request.checkpoint === '') delete record.checkpoint;
    else if (request.checkpoint !== undefined) record.checkpoint = request.checkpoint;
    if (request.final) record.finishedMs = request.nowMs;
    // The next attempt counts its deliveries from nothing.
    else Object.assign(record, { deliveries: 0, requeues: 0 });
    record.expiresAtSeconds = request.expiresAtSeconds;
    this.#put(record);
    return true;
  }

  #conclude(request: ConcludeRequest): ConcludeOutcome {
    const record = this.#records.get(request.id);
    const refusal = record && refusalOf({ ...record }, request.attempt, request.nowMs, false);
    if (record !== undefined && refusal !== undefined && refusal.kind !== 'revoked')
      return this.#dropExpired(record, request.nowMs) ? this.#conclude(request) : refusal;
    if (!isFinal(request.status)) throw new Error(`conclude() takes final states, not ${request.status}`);
    this.#put({
      ...ended(record),
      id: request.id,
      status: request.status,
      attempt: request.attempt,
      committed: request.attempt,
      name: request.name,
      queue: request.queue,
      meta: request.meta,
      ...(request.settlement === undefined ? {} : { settlement: request.settlement }),
      finishedMs: request.nowMs,
      expiresAtSeconds: request.expiresAtSeconds,
    });
    return { kind: 'concluded' };
  }
}

/** As long as the key that Celery's backend writes. */
function keyOf(id: string): string {
  return partitionKey(`b'celery-task-meta-${id}'`);
}

/**
 * Whoever was thought dead and comes back must find that the task is no longer its own. What was to follow from an
 * earlier attempt, and that its outcome was ignored, says nothing of the end.
 */
function ended(record: Held | undefined): Partial<Held> {
  const { owner: _owner, settlement: _settlement, ignored: _ignored, ...rest } = record ?? {};
  return rest;
}

function claimed({ deliveries = 1, requeues = 0, checkpoint }: Held): ClaimOutcome {
  return { kind: 'claimed', deliveries, requeues, ...(checkpoint === undefined ? {} : { checkpoint }) };
}
