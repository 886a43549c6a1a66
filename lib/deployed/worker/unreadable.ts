import type * as Whole from '../../worker/unreadable.ts';
import { onDemand } from '../on-demand.ts';

export const endUnreadable: typeof Whole.endUnreadable = async (...args) => (await onDemand()).endUnreadable(...args);
