import { httpDefinition } from '../../app/http-definition.ts';
import type * as Whole from '../../app/http-task.ts';
import { onDemand } from '../on-demand.ts';

// The stack that deployed this function has checked the options at synth.
export const httpTask: typeof Whole.httpTask = (...declared) =>
  httpDefinition(...declared, async (...args) => (await onDemand()).runHttpTask(...args));
