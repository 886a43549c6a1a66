import { lazy, once } from '../../base/lazy.ts';
import type * as Whole from '../../results/packed-backend.ts';
import { onDemand } from '../on-demand.ts';

const PACKED = new WeakSet<object>();

export const packingResults: typeof Whole.packingResults = (ports, settings) => {
  if (PACKED.has(ports.backend)) return ports;
  const backend = lazy<typeof ports.backend>(
    'backend',
    once(async () => (await onDemand()).packingResults(ports, settings).backend),
  );
  PACKED.add(backend);
  return { ...ports, backend };
};
