/** Search, time and states of the list of tasks. */
import type { VNode } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';

import { useTaskCounts } from '../../data/queries.ts';
import { CopyButton } from '../../parts/controls.tsx';
import { Icon } from '../../parts/icons.tsx';
import { STATE_CHOICES } from '../../pure/states.ts';
import {
  isTaskId,
  type ListRange,
  RANGES,
  type TaskFilters,
  typedFilters,
  typedText,
} from '../../pure/task-filters.ts';
import { count } from '../../pure/words.ts';

const RANGE_WORDS: Readonly<Record<ListRange, string>> = {
  '15m': 'Last 15 min',
  '1h': 'Last hour',
  '6h': 'Last 6 h',
  '1d': 'Last day',
  '7d': 'Last 7 days',
};

interface FiltersProps {
  readonly filters: TaskFilters;
  readonly onChange: (change: Partial<TaskFilters>) => void;
}

export function TaskFiltersBar({ filters, onChange }: FiltersProps): VNode {
  return (
    <div class="filters">
      <div class="row wrap">
        <SearchBox filters={filters} onChange={onChange} />
        <select
          class="input input-small"
          aria-label="Time"
          value={filters.since}
          onChange={(event) => onChange({ since: event.currentTarget.value as ListRange })}
        >
          {RANGES.map((range) => (
            <option key={range} value={range}>
              {RANGE_WORDS[range]}
            </option>
          ))}
        </select>
        <CopyButton text={globalThis.location.href} label="Copy address" />
      </div>
      <Chips filters={filters} onChange={onChange} />
    </div>
  );
}

function SearchBox({ filters, onChange }: FiltersProps): VNode {
  const [, go] = useLocation();
  const [typed, setTyped] = useState(typedText(filters));
  // Before the browser paints: what is typed into the box that is seen stays.
  useLayoutEffect(() => setTyped(typedText(filters)), [filters]);
  const submit = (): void => {
    if (isTaskId(typed)) go(`/tasks/${typed.trim()}`);
    else onChange(typedFilters(typed));
  };
  return (
    <form
      class="search grow"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Icon name="search" />
      <input
        class="input"
        type="search"
        data-search
        aria-label="Search tasks"
        placeholder="Arguments, error or an id; task:orders.charge, queue:mail"
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onBlur={() => {
          if (typed !== typedText(filters)) submit();
        }}
      />
      <kbd>/</kbd>
    </form>
  );
}

/** Counts are known of the ranges that the overview has, and without other filters. */
function Chips({ filters, onChange }: FiltersProps): VNode {
  const range = filters.since === '15m' ? '1h' : filters.since;
  const isCounted = filters.since !== '15m' && filters.task === '' && filters.queue === '' && filters.text === '';
  const { data } = useTaskCounts(range, isCounted);
  const states = isCounted ? data?.total.states : undefined;
  return (
    <div class="chips" role="group" aria-label="State">
      {STATE_CHOICES.map(({ key, word, states: named, isTrouble }) => {
        const sum =
          key === 'all' ? data?.total.count : named.reduce((total, state) => total + (states?.[state] ?? 0), 0);
        const isShown = states !== undefined && key !== 'delayed' && key !== 'running' && sum !== undefined;
        return (
          <button
            key={key}
            type="button"
            class="chip"
            aria-pressed={filters.state === key}
            onClick={() => onChange({ state: key })}
          >
            {word}
            {isShown && <b class={sum === 0 ? 'faint' : isTrouble ? 'tone-bad' : ''}>{count(sum)}</b>}
          </button>
        );
      })}
    </div>
  );
}
