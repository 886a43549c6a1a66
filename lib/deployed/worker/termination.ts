import type * as Whole from '../../worker/termination.ts';
import { onDemand } from '../on-demand.ts';

export const keepLooking: typeof Whole.keepLooking = async (run) => (await onDemand()).keepLooking(run);
export const abandon: typeof Whole.abandon = async (run) => (await onDemand()).abandon(run);
export const terminate: typeof Whole.terminate = async (run) => (await onDemand()).terminate(run);
