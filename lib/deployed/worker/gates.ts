import type * as Whole from '../../worker/gates.ts';
import { onDemand } from '../on-demand.ts';

export const atGates: typeof Whole.atGates = async (...args) => (await onDemand()).atGates(...args);
