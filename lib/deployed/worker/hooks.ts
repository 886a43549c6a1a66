import type * as Whole from '../../worker/hooks.ts';
import { onDemand } from '../on-demand.ts';

export const announceRun: typeof Whole.announceRun = async (...args) => (await onDemand()).announceRun(...args);
export const announceEnd: typeof Whole.announceEnd = async (...args) => (await onDemand()).announceEnd(...args);
export const runHooks: typeof Whole.runHooks = async (...args) => (await onDemand()).runHooks(...args);
