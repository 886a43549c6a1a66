import type * as Whole from '../../worker/apart.ts';
import { onDemand } from '../on-demand.ts';

export const runApart: typeof Whole.runApart = async (...args) => (await onDemand()).runApart(...args);
