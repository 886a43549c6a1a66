import type { VNode } from 'preact';
import { useLocation } from 'wouter-preact';

import { nowMs } from '../../data/clock.ts';
import { Plot, type PlotLine, type PlotMark } from '../../parts/plot.tsx';
import { type Series, trendText, wholeOf } from '../../pure/series.ts';
import { count, duration } from '../../pure/words.ts';

export function OverviewPlots({
  series,
  every,
  marks,
}: {
  readonly series: Series;
  readonly every: 'minute' | 'hour';
  /** Deployments. */
  readonly marks: readonly PlotMark[];
}): VNode {
  const zoom = useZoom();
  const { times, succeeded, failed, isLastOpen } = series;
  const attempts = { hint: `attempts a ${every}`, times, isLastOpen, marks, format: count, onZoom: zoom };
  return (
    <>
      <Plot
        {...attempts}
        title="Throughput"
        sentence={trendText('Succeeded', wholeOf(succeeded, isLastOpen), count)}
        lines={[{ name: 'Succeeded', values: succeeded, colour: '--accent', look: 'area' }]}
      />
      <Plot
        {...attempts}
        title="Failures"
        sentence={trendText('Failed', failed, count)}
        lines={[{ name: 'Failed', values: failed, colour: '--bad', look: 'bars' }]}
        height={96}
      />
      <div class="columns-2">
        <Percentiles title="Waiting" hint="due to started, log" series={series} marks={marks} of="wait" onZoom={zoom} />
        <Percentiles
          title="Run time"
          hint="started to ended, log"
          series={series}
          marks={marks}
          of="run"
          onZoom={zoom}
        />
      </div>
    </>
  );
}

interface PercentilesProps {
  readonly title: string;
  readonly hint: string;
  readonly series: Series;
  readonly marks: readonly PlotMark[];
  readonly of: 'wait' | 'run';
  readonly onZoom: (from: number) => void;
}

function Percentiles({ title, hint, series, marks, of, onZoom }: PercentilesProps): VNode {
  const { p50, p95, p99 } = series[of];
  const lines: readonly PlotLine[] = [
    { name: 'p50', values: p50, colour: '--accent' },
    { name: 'p95', values: p95, colour: '--plot-2' },
    { name: 'p99', values: p99, colour: '--text-3', look: 'dots' },
  ];
  return (
    <Plot
      title={title}
      hint={hint}
      sentence={`${title}. ${trendText('The 95th percentile', wholeOf(p95, series.isLastOpen), duration)}`}
      times={series.times}
      isLastOpen={series.isLastOpen}
      marks={marks}
      lines={lines}
      format={duration}
      isLog
      onZoom={onZoom}
    />
  );
}

const RANGE_SECONDS = [
  ['1h', 3600],
  ['6h', 21_600],
  ['1d', 86_400],
] as const;

/** To the shortest range that has what was dragged over. */
function useZoom(): (from: number) => void {
  const [, go] = useLocation();
  return (from) => {
    const back = nowMs() / 1000 - from;
    const found = RANGE_SECONDS.find(([, seconds]) => back <= seconds);
    if (found !== undefined) go(found[0] === '1h' ? '/' : `/?range=${found[0]}`);
  };
}
