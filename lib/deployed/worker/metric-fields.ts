import type * as Whole from '../../worker/metric-fields.ts';
import { onDemand } from '../on-demand.ts';

export const metricFields: typeof Whole.metricFields = async (...args) => (await onDemand()).metricFields(...args);
