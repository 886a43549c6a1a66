import type * as Whole from '../../results/await-end.ts';
import { onDemand } from '../on-demand.ts';

export const awaitEnd: typeof Whole.awaitEnd = async (...args) => (await onDemand()).awaitEnd(...args);
