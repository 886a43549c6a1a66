import type * as Whole from '../../worker/gather.ts';
import { onDemand } from '../on-demand.ts';

export const gatherResults: typeof Whole.gatherResults = async (...args) => (await onDemand()).gatherResults(...args);
