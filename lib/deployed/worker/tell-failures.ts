import type * as Whole from '../../worker/tell-failures.ts';
import { onDemand } from '../on-demand.ts';

export const beginTelling: typeof Whole.beginTelling = async (...args) => (await onDemand()).beginTelling(...args);
