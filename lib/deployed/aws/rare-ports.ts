import type * as Whole from '../../aws/rare-ports.ts';
import { lazy, once } from '../../base/lazy.ts';
import { onDemand } from '../on-demand.ts';

export const timersOver: typeof Whole.timersOver = (options) =>
  lazy(
    once(async () => (await onDemand()).timersOver(options)),
    { shards: options.shards },
  );

export const schedulesOver: typeof Whole.schedulesOver = (options) =>
  lazy(once(async () => (await onDemand()).schedulesOver(options)));

export const groupsOver: typeof Whole.groupsOver = (options) =>
  lazy(once(async () => (await onDemand()).groupsOver(options)));

export const celeryGroupsOver: typeof Whole.celeryGroupsOver = (options) =>
  lazy(once(async () => (await onDemand()).celeryGroupsOver(options)));
