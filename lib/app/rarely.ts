/** What few processes do: to run eagerly, to ask for locks, and what the sweeper's function does beside the sweep. Loaded on demand. */
import type * as Eager from './eager.ts';
import { HistoryBook } from '../history/history-book.ts';
import type * as RollUp from '../history/roll-up.ts';
import { DeadLetterBook } from '../operate/dead-letter-book.ts';
import { LockBook } from '../flow/lock-book.ts';
import { Control } from './control.ts';
import type { App } from '../producer/app.ts';
import type * as WakeUps from '../beat/consume-wake-ups.ts';
import type * as Lost from '../worker/consume-lost.ts';

export const runEager: typeof Eager.runEager = async (...args) => (await import('./eager.ts')).runEager(...args);

export const consumeLost: typeof Lost.consumeLost = async (...args) =>
  (await import('../worker/consume-lost.ts')).consumeLost(...args);

export const consumeWakeUps: typeof WakeUps.consumeWakeUps = async (...args) =>
  (await import('../beat/consume-wake-ups.ts')).consumeWakeUps(...args);

export const rollUp: typeof RollUp.rollUp = async (...args) => (await import('../history/roll-up.ts')).rollUp(...args);

export function historyOf(app: App): HistoryBook {
  return new HistoryBook(app);
}

export function controlOf(app: App): Control {
  return new Control(app);
}

export function locksOf(app: App): LockBook {
  return new LockBook(app);
}

export function deadLettersOf(app: App): DeadLetterBook {
  return new DeadLetterBook(app);
}
