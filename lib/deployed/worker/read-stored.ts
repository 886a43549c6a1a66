import type * as Whole from '../../worker/read-stored.ts';
import { onDemand } from '../on-demand.ts';

export const readStored: typeof Whole.readStored = async (...args) => (await onDemand()).readStored(...args);
