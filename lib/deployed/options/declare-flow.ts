import { once } from '../../base/lazy.ts';
import type * as Whole from '../../options/declare-flow.ts';
import { givenFlow } from '../../options/flow-options.ts';
import type { GroupKey } from '../../options/group-id.ts';
import { onDemand } from '../on-demand.ts';

export const declareFlow: typeof Whole.declareFlow = (name, options, defaults) => {
  const declared = givenFlow(options, defaults);
  return (
    declared && {
      ...declared,
      resolved: once(async () => (await onDemand()).resolveFlow(name, declared.given)),
    }
  );
};

// The stack that deployed this function has checked them at synth.
export const checkedGroupKey = (value: GroupKey | undefined): GroupKey | undefined => value;
export const checkedWebhook: typeof Whole.checkedWebhook = (_task, options) => options;
export const checkFlowDefaults: typeof Whole.checkFlowDefaults = () => {};
