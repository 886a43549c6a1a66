import type * as Whole from '../../worker/lost.ts';
import { onDemand } from '../on-demand.ts';

export const settleLost: typeof Whole.settleLost = async (...args) => (await onDemand()).settleLost(...args);
