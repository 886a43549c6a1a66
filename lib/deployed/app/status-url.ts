import type * as Whole from '../../app/status-url.ts';
import { onDemand } from '../on-demand.ts';

export const statusUrl: typeof Whole.statusUrl = async (...args) => (await onDemand()).statusUrl(...args);
