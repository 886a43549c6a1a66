import type * as Whole from '../../results/revoke.ts';
import { onDemand } from '../on-demand.ts';

export const revokeById: typeof Whole.revokeById = async (...args) => (await onDemand()).revokeById(...args);
