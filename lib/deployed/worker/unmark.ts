import type * as Whole from '../../worker/unmark.ts';
import { onDemand } from '../on-demand.ts';

export const unmarkStarted: typeof Whole.unmarkStarted = async (...args) => (await onDemand()).unmarkStarted(...args);
