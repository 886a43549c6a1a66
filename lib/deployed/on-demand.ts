/**
 * What a plain task does not need: to send, to settle what follows, to defer, and the library's own tasks. One chunk, loaded
 * by the first that asks for any of it: many chunks with modules in common would have each start read many files.
 */
import { once } from '../base/lazy.ts';
import type * as Whole from './whole.ts';

export const onDemand: () => Promise<typeof Whole> = once(() => import('./whole.ts'));
