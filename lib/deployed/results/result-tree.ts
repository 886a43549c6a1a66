import type * as Whole from '../../results/result-tree.ts';
import { onDemand } from '../on-demand.ts';

export const iterdeps: typeof Whole.iterdeps = async function* (...args) {
  yield* (await onDemand()).iterdeps(...args);
};
export const collect: typeof Whole.collect = async function* (...args) {
  yield* (await onDemand()).collect(...args);
};
