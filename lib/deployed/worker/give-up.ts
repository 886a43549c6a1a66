import type * as Whole from '../../worker/give-up.ts';
import { onDemand } from '../on-demand.ts';

export const afterError: typeof Whole.afterError = async (...args) => (await onDemand()).afterError(...args);
