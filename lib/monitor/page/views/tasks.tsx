/** Tasks: the newest first, by filters that stand in the address. */
import { useQueryClient } from '@tanstack/preact-query';
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { useLocation, useSearch } from 'wouter-preact';

import type { TasksAnswer } from '../../answers.ts';
import { useNewest, useTaskPages } from '../data/queries.ts';
import { ProblemNote, Skeleton } from '../parts/loaded.tsx';
import { Icon } from '../parts/icons.tsx';
import { View } from '../parts/view.tsx';
import { filtersIn, isFiltered, NO_FILTERS, searchOf, type TaskFilters } from '../pure/task-filters.ts';
import { counted } from '../pure/words.ts';
import { NothingYet } from './tasks/nothing-yet.tsx';
import { RunningTable } from './tasks/running.tsx';
import { TaskFiltersBar } from './tasks/filters.tsx';
import { TaskTable } from './tasks/table.tsx';
import { WaitingTable } from './tasks/waiting.tsx';

export function TasksView(): VNode {
  const search = useSearch();
  const [, go] = useLocation();
  const filters = useMemo(() => filtersIn(search), [search]);
  const choose = (change: Partial<TaskFilters>): void => go(`/tasks${searchOf({ ...filters, ...change })}`);
  return (
    <View title="Tasks">
      <section class="panel" aria-label="Tasks">
        <TaskFiltersBar filters={filters} onChange={choose} />
        {filters.state === 'delayed' ? (
          <WaitingTable />
        ) : filters.state === 'running' ? (
          <RunningTable />
        ) : (
          <Ended key={search} filters={filters} onChange={choose} />
        )}
      </section>
    </View>
  );
}

interface EndedProps {
  readonly filters: TaskFilters;
  readonly onChange: (change: Partial<TaskFilters>) => void;
}

function Ended({ filters, onChange }: EndedProps): VNode {
  const client = useQueryClient();
  const { data, error, isPlaceholderData, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } =
    useTaskPages(filters);
  const entries = useMemo(() => data?.pages.flatMap((page) => page.entries) ?? [], [data]);
  // The list itself has just been read.
  const { data: newest } = useNewest(filters, entries[0]?.endedAt, data !== undefined && !isPlaceholderData);
  const newer = useMemo(() => {
    const known = new Set(entries.map(({ id, attempt }) => `${id} ${attempt}`));
    return (newest?.entries ?? []).filter(({ id, attempt }) => !known.has(`${id} ${attempt}`));
  }, [entries, newest]);
  if (data === undefined)
    return error === null ? (
      <Skeleton rows={10} isBare />
    ) : (
      <ProblemNote error={error} onAgain={() => void refetch()} />
    );
  const showNewer = (): void => {
    const [first, ...others] = data.pages;
    if (first === undefined) return;
    // More than a page of them: there may be others between those and what is shown.
    if (newest?.cursor != null) void client.resetQueries({ queryKey: ['tasks', filters] });
    else
      client.setQueryData(['tasks', filters], {
        ...data,
        pages: [{ ...first, entries: [...newer, ...first.entries] }, ...others] satisfies TasksAnswer[],
      });
  };
  if (entries.length === 0 && newer.length === 0)
    return isFiltered(filters) ? (
      <NothingFits onClear={() => onChange(NO_FILTERS)} readBackTo={data.pages.at(-1)?.readBackTo} />
    ) : (
      <NothingYet />
    );
  return (
    <>
      {newer.length > 0 && !isPlaceholderData && (
        <button type="button" class="fresh" onClick={showNewer}>
          <Icon name="growing" />
          {counted(newer.length, 'newer task')}. Show {newer.length === 1 ? 'it' : 'them'}
        </button>
      )}
      {error !== null && <ProblemNote error={error} onAgain={() => void refetch()} />}
      <TaskTable
        entries={entries}
        isMore={hasNextPage}
        onMore={() => {
          if (!isFetchingNextPage) void fetchNextPage();
        }}
      />
    </>
  );
}

function NothingFits({
  onClear,
  readBackTo,
}: {
  readonly onClear: () => void;
  readonly readBackTo: string | undefined;
}): VNode {
  return (
    <div class="blank">
      <p>
        No task fits these filters
        {readBackTo === undefined ? '' : `, back to ${readBackTo.slice(0, 16).replace('T', ' ')} UTC`}.
      </p>
      <button type="button" class="button" onClick={onClear}>
        Drop all filters
      </button>
    </div>
  );
}
