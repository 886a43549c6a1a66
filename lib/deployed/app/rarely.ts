import { lazy, once } from '../../base/lazy.ts';
import type * as Whole from '../../app/rarely.ts';
import { onDemand } from '../on-demand.ts';

export const consumeLost: typeof Whole.consumeLost = async (...args) => (await onDemand()).consumeLost(...args);
export const consumeWakeUps: typeof Whole.consumeWakeUps = async (...args) =>
  (await onDemand()).consumeWakeUps(...args);
export const rollUp: typeof Whole.rollUp = async (...args) => (await onDemand()).rollUp(...args);
export const runEager: typeof Whole.runEager = async (...args) => (await onDemand()).runEager(...args);
export const controlOf: typeof Whole.controlOf = (app) =>
  lazy(
    'app.control',
    once(async () => new (await onDemand()).Control(app)),
  );
export const historyOf: typeof Whole.historyOf = (app) =>
  lazy(
    'app.history',
    once(async () => new (await onDemand()).HistoryBook(app)),
  );
export const locksOf: typeof Whole.locksOf = (app) =>
  lazy(
    'app.locks',
    once(async () => new (await onDemand()).LockBook(app)),
  );
export const deadLettersOf: typeof Whole.deadLettersOf = (app) =>
  lazy(
    'app.deadLetters',
    once(async () => new (await onDemand()).DeadLetterBook(app)),
  );
