import type * as Whole from '../../worker/settle-followers.ts';
import { onDemand } from '../on-demand.ts';

export const checkRetry: typeof Whole.checkRetry = async (...args) => (await onDemand()).checkRetry(...args);
export const settleFollowers: typeof Whole.settleFollowers = async (...args) =>
  (await onDemand()).settleFollowers(...args);
