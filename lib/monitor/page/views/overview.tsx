/** What the eye meets first: trouble, then numbers, then lists. */
import type { VNode } from 'preact';
import { useLocation, useSearch } from 'wouter-preact';

import type { OverviewAnswer } from '../../answers.ts';
import { nowMs } from '../data/clock.ts';
import { useOverview } from '../data/queries.ts';
import { Choice } from '../parts/controls.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { View } from '../parts/view.tsx';
import { RANGES, rangeIn } from '../pure/ranges.ts';
import { deployMarks, factsOf, seriesOf } from '../pure/series.ts';
import { NothingYet } from './tasks/nothing-yet.tsx';
import { OverviewPlots } from './overview/plots.tsx';
import { Problems } from './overview/problems.tsx';
import { QueueSummary, TaskSummary } from './overview/tables.tsx';

export function OverviewView(): VNode {
  const [, go] = useLocation();
  const range = rangeIn(useSearch());
  return (
    <View
      title="Overview"
      actions={
        <Choice
          label="Range"
          options={RANGES}
          value={range}
          onChoose={(value) => go(value === '1h' ? '/' : `/?range=${value}`)}
        />
      }
    >
      <Loaded query={useOverview(range)}>{(overview) => <Shown overview={overview} />}</Loaded>
    </View>
  );
}

function Shown({ overview }: { readonly overview: OverviewAnswer }): VNode {
  const { problems, total, before, queues } = overview;
  const isNew =
    total.count === 0 && (before?.count ?? 0) === 0 && queues.every(({ ready, inFlight }) => ready + inFlight === 0);
  return (
    <>
      <Problems problems={problems} range={overview.range} />
      {isNew ? (
        <section class="panel">
          <NothingYet />
        </section>
      ) : (
        <>
          <Facts overview={overview} />
          <OverviewPlots
            series={seriesOf(overview)}
            every={overview.every}
            marks={deployMarks(overview.deploys, nowMs())}
          />
        </>
      )}
      <QueueSummary queues={queues} />
      <TaskSummary tasks={overview.tasks} range={overview.range} />
    </>
  );
}

function Facts({ overview }: { readonly overview: OverviewAnswer }): VNode {
  return (
    <dl class="panel facts">
      {factsOf(overview).map(({ name, value, more, tone }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={tone === undefined ? '' : `tone-${tone}`}>{value}</dd>
          <dd class="facts-more">{more}</dd>
        </div>
      ))}
    </dl>
  );
}
