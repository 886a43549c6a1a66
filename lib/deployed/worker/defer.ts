import type * as Whole from '../../worker/defer.ts';
import { onDemand } from '../on-demand.ts';

export const defer: typeof Whole.defer = async (...args) => (await onDemand()).defer(...args);
