import { lazy, once } from '../../base/lazy.ts';
import type * as Whole from '../../app/deployed-sources.ts';
import { onDemand } from '../on-demand.ts';

export const deployedSources: typeof Whole.deployedSources = () =>
  lazy(
    'eventSources',
    once(async () => (await onDemand()).deployedSources()),
  );
