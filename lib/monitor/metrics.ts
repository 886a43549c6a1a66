/** `/metrics`: a service's counts as Prometheus reads them. Of the last full minutes: what is stored are counts of minutes, not totals. */
import type { StatsCounts } from '../history/stats.ts';
import type { QueueStatus } from '../operate/queue-list.ts';
import { queuesOf } from './queue-views.ts';
import type { MonitoredService } from './service.ts';

type Labels = Readonly<Record<string, string>>;
interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly (readonly [labels: Labels, value: number])[];
}

// As often as most scrape; what ended a minute ago is counted.
const MINUTES = 5;

/** Prometheus's text format 0.0.4. */
export async function metricsText(service: MonitoredService): Promise<string> {
  const { app } = service;
  const [queues, stats] = await Promise.all([
    queuesOf(service),
    app.stats({ from: new Date(app.clock.nowMs() - MINUTES * 60_000) }),
  ]);
  const seconds = (of: (counts: StatsCounts) => StatsCounts['runSeconds']): Metric['samples'] =>
    stats.tasks.flatMap((counts) => {
      const found = of(counts);
      if (found === null) return [];
      return (
        [
          ['0.5', found.p50],
          ['0.95', found.p95],
          ['0.99', found.p99],
        ] as const
      ).map(([quantile, value]) => [{ task: counts.task, quantile }, value] as const);
    });
  const ended = stats.tasks.flatMap(({ task, states }) =>
    Object.entries(states).map(([state, count]) => [{ task, state }, count] as const),
  );
  return textOf([
    ...queueMetrics(queues),
    {
      name: 'celeriac_attempts_ended',
      help: `Attempts that ended in the last ${MINUTES} minutes, by task and state.`,
      samples: ended,
    },
    {
      name: 'celeriac_lost_runs',
      help: 'Runs of these that ended without a word: a worker died, or ran out of time.',
      samples: stats.tasks.map(({ task, lostRuns }) => [{ task }, lostRuns] as const),
    },
    {
      name: 'celeriac_run_seconds',
      help: `How long runs of the last ${MINUTES} minutes took.`,
      samples: seconds(({ runSeconds }) => runSeconds),
    },
    {
      name: 'celeriac_wait_seconds',
      help: `How long those waited for their run.`,
      samples: seconds(({ waitSeconds }) => waitSeconds),
    },
  ]);
}

function queueMetrics(queues: readonly QueueStatus[]): Metric[] {
  const samples = (of: (queue: QueueStatus) => number | undefined): Metric['samples'] =>
    queues.flatMap((queue) => {
      const value = of(queue);
      return value === undefined ? [] : [[{ queue: queue.queue }, value] as const];
    });
  return [
    { name: 'celeriac_queue_ready', help: 'Messages to be received now.', samples: samples(({ ready }) => ready) },
    {
      name: 'celeriac_queue_in_flight',
      help: 'Messages that workers have received.',
      samples: samples(({ inFlight }) => inFlight),
    },
    {
      name: 'celeriac_queue_delayed',
      help: 'Messages whose delay is not over.',
      samples: samples(({ delayed }) => delayed),
    },
    { name: 'celeriac_queue_dead_letters', help: 'Dead letters.', samples: samples(({ dead }) => dead) },
    {
      name: 'celeriac_queue_paused',
      help: '1 where its workers get nothing.',
      samples: samples(({ state }) => (state === 'paused' ? 1 : 0)),
    },
  ];
}

function textOf(metrics: readonly Metric[]): string {
  const lines = metrics.flatMap(({ name, help, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}`),
  ]);
  return `${lines.join('\n')}\n`;
}

function labelText(labels: Labels): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`;
}

function escaped(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}
