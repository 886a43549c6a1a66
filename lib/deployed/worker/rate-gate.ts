import type * as Whole from '../../worker/rate-gate.ts';
import { onDemand } from '../on-demand.ts';

export const atRateGate: typeof Whole.atRateGate = async (...args) => (await onDemand()).atRateGate(...args);
