import type * as Whole from '../../worker/pass-on.ts';
import { onDemand } from '../on-demand.ts';

export const passOn: typeof Whole.passOn = async (...args) => (await onDemand()).passOn(...args);
