/** What a worker process counts, as Prometheus reads it. */
import type { Logger } from '../ports/log.ts';

type Labels = Readonly<Record<string, string>>;

export type MetricName =
  | 'celeriac_worker_messages_received_total'
  | 'celeriac_worker_messages_done_total'
  | 'celeriac_worker_messages_kept_total'
  | 'celeriac_worker_receive_errors_total'
  | 'celeriac_worker_attempts_total'
  | 'celeriac_worker_leases_lost_total'
  | 'celeriac_worker_running'
  | 'celeriac_worker_waiting'
  | 'celeriac_worker_concurrency'
  | 'celeriac_worker_paused'
  | 'celeriac_worker_draining';

const METRICS: Readonly<Record<MetricName, readonly [type: 'counter' | 'gauge', help: string]>> = {
  celeriac_worker_messages_received_total: ['counter', 'Messages received.'],
  celeriac_worker_messages_done_total: ['counter', 'Messages deleted: their task has ended, or goes on elsewhere.'],
  celeriac_worker_messages_kept_total: ['counter', 'Messages that come again.'],
  celeriac_worker_receive_errors_total: ['counter', 'Requests for messages that failed.'],
  celeriac_worker_attempts_total: ['counter', 'Attempts that ended, by task and by how.'],
  celeriac_worker_leases_lost_total: ['counter', 'Tasks whose lease was lost while they ran.'],
  celeriac_worker_running: ['gauge', 'Tasks in work.'],
  celeriac_worker_waiting: ['gauge', 'Messages received and not in work yet.'],
  celeriac_worker_concurrency: ['gauge', 'Most tasks at once.'],
  celeriac_worker_paused: ['gauge', 'Queues and lanes of it that are paused.'],
  celeriac_worker_draining: ['gauge', '1 once nothing is received any more.'],
};

/** Numbers of one process since it began. */
export class Metrics {
  /** By their labels, as they are written. */
  readonly #values = new Map<MetricName, Map<string, number>>();

  add(name: MetricName, labels: Labels = {}, count: number = 1): void {
    const values = this.#of(name);
    const key = labelText(labels);
    values.set(key, (values.get(key) ?? 0) + count);
  }

  set(name: MetricName, value: number): void {
    this.#of(name).set('', value);
  }

  /** What it shows; 0 before anything was counted. */
  value(name: MetricName, labels: Labels = {}): number {
    return this.#of(name).get(labelText(labels)) ?? 0;
  }

  /** Prometheus's text format 0.0.4. */
  text(): string {
    const lines = Object.entries(METRICS).flatMap(([name, [type, help]]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...[...this.#of(name as MetricName)].map(([labels, value]) => `${name}${labels} ${value}`),
    ]);
    return `${lines.join('\n')}\n`;
  }

  #of(name: MetricName): Map<string, number> {
    const known = this.#values.get(name) ?? new Map<string, number>();
    this.#values.set(name, known);
    return known;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}

/** The same log, of which those lines are counted that tell how an attempt ended. */
export function countingEnds(logger: Logger, metrics: Metrics): Logger {
  return {
    log: (level, message, fields) => {
      const { state, task, queue } = fields ?? {};
      if (typeof state === 'string' && typeof task === 'string')
        metrics.add('celeriac_worker_attempts_total', { task, queue: String(queue), state });
      logger.log(level, message, fields);
    },
  };
}
