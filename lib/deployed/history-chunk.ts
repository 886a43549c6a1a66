import { once } from '../base/lazy.ts';
import type * as Whole from './history.ts';

export const historyChunk: () => Promise<typeof Whole> = once(() => import('./history.ts'));
