/** A history without workers: what is written by the real writer at any time, rolled up, read, and who dies at which request. */
import { silentLogger } from 'celeriac';
import { ManualClock } from 'celeriac/testing';

import { FAILURE } from '../../lib/base/states.ts';
import { HistoryBook } from '../../lib/history/history-book.ts';
import { rollUp, type RollUpReport } from '../../lib/history/roll-up.ts';
import { MemoryHistory } from '../../lib/memory/index.ts';
import type { ConcludeRequest } from '../../lib/ports/backend.ts';
import type { History } from '../../lib/ports/history.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { notesOf } from '../../lib/worker/history-notes.ts';

/** An attempt that ended. */
export interface Ended {
  readonly id: string;
  readonly attempt: number;
  readonly task: string;
  readonly endedMs: number;
}

export class HistoryStore {
  readonly clock: ManualClock;
  readonly stored: MemoryHistory;
  readonly book: HistoryBook;
  #invocations = 0;

  /** @param history through which all is read; default: that of memory as it is. */
  constructor(startMs: number, wrap: (stored: MemoryHistory) => History = (stored) => stored) {
    this.clock = new ManualClock(startMs);
    this.stored = new MemoryHistory();
    const history = wrap(this.stored);
    const ports = { history, backend: undefined, logger: silentLogger } as unknown as Ports;
    this.book = new HistoryBook({ clock: this.clock, ports: () => Promise.resolve(ports) });
  }

  /** Everything that ends in one go is written by one invocation, or again by a later one. */
  async write(ended: readonly Ended[], history: History = this.stored): Promise<void> {
    this.#invocations += 1;
    const ports = { clock: this.clock, logger: silentLogger, history };
    const notes = notesOf('all', ports, `invocation ${this.#invocations}`);
    const requests = ended.map(conclusionOf);
    const outcomes = requests.map(() => ({ kind: 'concluded' }) as const);
    await notes.storeConcluded(requests, outcomes, 'parent');
  }

  async sweep(history: History = this.stored): Promise<RollUpReport> {
    return rollUp({ clock: this.clock, logger: silentLogger, history });
  }
}

function conclusionOf({ id, attempt, task, endedMs }: Ended): ConcludeRequest {
  return {
    id,
    attempt,
    name: task,
    queue: 'default',
    nowMs: endedMs,
    status: FAILURE,
    meta: JSON.stringify({ status: FAILURE, result: { exc_type: 'TypeError', exc_message: [id] } }),
    expiresAtSeconds: 0,
  };
}

export interface Death {
  /** Number of the request, from 1; 0: none. */
  readonly at: number;
  /** Before it takes effect, or after it and before its answer. */
  readonly before: boolean;
}

/** A process that dies at one of its requests: nothing that it asks later has any effect. */
export function dyingHistory(history: History, { at, before }: Death, calls: string[] = []): History {
  let isDead = false;
  return new Proxy(history, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        if (isDead) throw new Error('dead');
        calls.push(String(key));
        const dies = calls.length === at;
        isDead = dies;
        if (dies && before) throw new Error('died');
        const answer: unknown = await value.apply(target, args);
        if (dies) throw new Error('died');
        return answer;
      };
    },
  });
}
