/** Whether log lines are metrics of CloudWatch too, and which. */
import { refuseUnknownKeys, shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { MAX_METRIC_NAMESPACE_CHARACTERS } from '../base/limits.ts';

/** What metrics are told apart by. Each queue, or each task, has metrics of its own, and each metric its price. */
export type MetricsBy = 'service' | 'queue' | 'task';

/** Metrics in log lines, in CloudWatch's embedded metric format. */
export interface MetricsOptions {
  /** Their namespace in CloudWatch. Default `'Celeriac'`. */
  readonly namespace?: string;
  /** What they are told apart by beside the service. Default `'service'`: nothing else. */
  readonly by?: MetricsBy;
}

/** `'emf'`: with every default. */
export type MetricsOption = 'emf' | MetricsOptions;

const KEYS: ReadonlySet<string> = new Set<keyof MetricsOptions>(['namespace', 'by']);
const BY: readonly MetricsBy[] = ['service', 'queue', 'task'];
const NAMESPACE = /^(?!AWS\/)[\w.\-/#: ]+$/;

/** @throws InvalidOption */
export function resolveMetrics(option: MetricsOption): Required<MetricsOptions> {
  if (option === 'emf') return { namespace: 'Celeriac', by: 'service' };
  if (typeof option !== 'object' || option === null)
    throw new InvalidOption(
      `metrics: ${shown(option)} given; 'emf' and an object such as { by: 'queue' } are allowed.`,
    );
  refuseUnknownKeys(option, KEYS, 'metrics');
  const { namespace = 'Celeriac', by = 'service' } = option;
  if (!BY.includes(by))
    throw new InvalidOption(`metrics.by: ${shown(by)} given; 'service', 'queue' and 'task' are allowed.`);
  if (typeof namespace !== 'string' || namespace.length > MAX_METRIC_NAMESPACE_CHARACTERS || !NAMESPACE.test(namespace))
    throw new InvalidOption(
      `metrics.namespace: ${shown(namespace)} given; letters, digits, spaces and . - _ / # : are allowed, ${MAX_METRIC_NAMESPACE_CHARACTERS} characters at most, not beginning with 'AWS/'.`,
    );
  return { namespace, by };
}
