import type * as Whole from '../../aws/rare-ports.ts';
import { lazy, once } from '../../base/lazy.ts';
import { onDemand } from '../on-demand.ts';

export const timersOver: typeof Whole.timersOver = (options) =>
  lazy(
    'timers',
    once(async () => (await onDemand()).timersOver(options)),
  );

export const schedulesOver: typeof Whole.schedulesOver = (options) =>
  lazy(
    'schedules',
    once(async () => (await onDemand()).schedulesOver(options)),
  );

export const groupsOver: typeof Whole.groupsOver = (options) =>
  lazy(
    'groups',
    once(async () => (await onDemand()).groupsOver(options)),
  );

export const celeryGroupsOver: typeof Whole.celeryGroupsOver = (options) =>
  lazy(
    'celeryGroups',
    once(async () => (await onDemand()).celeryGroupsOver(options)),
  );

export const marksOver: typeof Whole.marksOver = (options) =>
  lazy(
    'marks',
    once(async () => (await onDemand()).marksOver(options)),
  );

export const ratesOver: typeof Whole.ratesOver = (options) =>
  lazy(
    'rates',
    once(async () => (await onDemand()).ratesOver(options)),
  );

export const slotsOver: typeof Whole.slotsOver = (options) =>
  lazy(
    'slots',
    once(async () => (await onDemand()).slotsOver(options)),
  );

export const pausesOver: typeof Whole.pausesOver = (options) =>
  lazy(
    'pauses',
    once(async () => (await onDemand()).pausesOver(options)),
  );

export const locksOver: typeof Whole.locksOver = (options) =>
  lazy(
    'locks',
    once(async () => (await onDemand()).locksOver(options)),
  );

export const deadLettersOver: typeof Whole.deadLettersOver = (options) =>
  lazy(
    'deadLetters',
    once(async () => (await onDemand()).deadLettersOver(options)),
  );
