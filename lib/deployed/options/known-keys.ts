import type * as Whole from '../../options/known-keys.ts';

// The stack that deployed this function has checked them at synth.
export const checkAppKeys: typeof Whole.checkAppKeys = () => {};
export const checkTaskKeys: typeof Whole.checkTaskKeys = () => {};
export const taskKeysIn: typeof Whole.taskKeysIn = (options) => options;
