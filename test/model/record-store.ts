/** The real MemoryBackend as a function: record before and write in, answer and record after out. */
import { isDeepStrictEqual } from 'node:util';
import { MemoryBackend } from '../../lib/memory/index.ts';
import type { Backend, ClaimOutcome, CommitRequest, ConcludeOutcome, TaskRecord } from '../../lib/ports/backend.ts';

/** null: nothing is stored. */
export type Stored = TaskRecord | null;

export interface Written<T> {
  readonly answer: T;
  /** The very object that went in where the write changed nothing. */
  readonly after: Stored;
}

/** What the protocol needs of a backend. */
export type Store = Pick<Backend, 'claim' | 'commit' | 'conclude' | 'revoke' | 'get' | 'forget'>;

type Write<T> = (backend: Store) => Promise<T>;

export const TASK_ID = 'task';
const FAR_SECONDS = 1e9;
const COMMON = { id: TASK_ID, name: 'task', queue: 'q', meta: '{}', expiresAtSeconds: FAR_SECONDS };

export interface Holder {
  readonly owner: string;
  readonly attempt: number;
  readonly now: number;
}

export class RecordStore {
  // MemoryBackend takes no record from outside, so each record remembers the writes that made it.
  readonly #origins = new WeakMap<TaskRecord, readonly Write<unknown>[]>();
  readonly #wrap: (backend: Store) => Store;

  /** @param wrap puts a fault between the protocol and the backend */
  constructor(wrap: (backend: Store) => Store) {
    this.#wrap = wrap;
  }

  /** A lease ends with the tick in which it was taken. */
  claim(before: Stored, { owner, attempt, now }: Holder): Promise<Written<ClaimOutcome>> {
    const request = { ...COMMON, owner, attempt, nowMs: now, leaseMs: now };
    return this.#apply(before, async (backend) => only(await backend.claim([request])));
  }

  commit(
    before: Stored,
    { owner, attempt, now }: Holder,
    outcome: Pick<CommitRequest, 'status' | 'final' | 'settlement'>,
  ): Promise<Written<boolean>> {
    const request = { ...COMMON, owner, attempt, nowMs: now, ...outcome };
    return this.#apply(before, async (backend) => only(await backend.commit([request])));
  }

  conclude(before: Stored, { attempt, now }: Omit<Holder, 'owner'>, status: string): Promise<Written<ConcludeOutcome>> {
    const request = { ...COMMON, attempt, nowMs: now, status };
    return this.#apply(before, async (backend) => only(await backend.conclude([request])));
  }

  revoke(before: Stored, now: number): Promise<Written<string>> {
    return this.#apply(before, (backend) => backend.revoke({ ...COMMON, nowMs: now }));
  }

  async #apply<T>(before: Stored, write: Write<T>): Promise<Written<T>> {
    const backend = this.#wrap(new MemoryBackend());
    const origin = before === null ? [] : (this.#origins.get(before) ?? []);
    for (const earlier of origin) await earlier(backend);
    const answer = await write(backend);
    const [after = null] = await backend.get([TASK_ID], 0);
    if (isDeepStrictEqual(before, after)) return { answer, after: before };
    if (after !== null) this.#origins.set(after, [...origin, write]);
    return { answer, after };
  }
}

function only<T>(answers: readonly T[]): T {
  const [answer] = answers;
  if (answer === undefined) throw new Error('The backend gave no answer.');
  return answer;
}
