import type * as Whole from '../../options/check-queues.ts';

// The stack that deployed this function has checked them at synth.
export const checkQueues: typeof Whole.checkQueues = () => {};
export const checkDefaultQueue: typeof Whole.checkDefaultQueue = () => {};
