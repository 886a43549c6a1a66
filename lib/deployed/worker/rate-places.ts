import type * as Whole from '../../worker/rate-places.ts';
import { once } from '../../base/lazy.ts';
import { onDemand } from '../on-demand.ts';

export const sharingPlaces: typeof Whole.sharingPlaces = (...args) => {
  const load = once(async () => (await onDemand()).sharingPlaces(...args));
  return async (request) => (await load())(request);
};
