import type * as Whole from '../../aws/call-views.ts';
import { once } from '../../base/lazy.ts';
import { onDemand } from '../on-demand.ts';

export const callViews: typeof Whole.callViews = (viewed) => {
  const load = once(async () => (await onDemand()).callViews(viewed));
  return async (given, seconds) => (await load())(given, seconds);
};
