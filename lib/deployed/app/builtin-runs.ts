import type * as Whole from '../../app/builtin-runs.ts';
import { onDemand } from '../on-demand.ts';

export const applyAgain: typeof Whole.applyAgain = async (...args) => (await onDemand()).applyAgain(...args);
export const debounced: typeof Whole.debounced = async (...args) => (await onDemand()).debounced(...args);
export const fail = async (...args: Parameters<typeof Whole.fail>): Promise<never> => (await onDemand()).fail(...args);
export const mapEach: typeof Whole.mapEach = async (...args) => (await onDemand()).mapEach(...args);
export const postWebhook: typeof Whole.postWebhook = async (...args) => (await onDemand()).postWebhook(...args);
export const pumpSlots: typeof Whole.pumpSlots = async (...args) => (await onDemand()).pumpSlots(...args);
export const repair: typeof Whole.repair = async (...args) => (await onDemand()).repair(...args);
export const starmapEach: typeof Whole.starmapEach = async (...args) => (await onDemand()).starmapEach(...args);
export const unlockChord: typeof Whole.unlockChord = async (...args) => (await onDemand()).unlockChord(...args);
