/** Schedules: missed ones first, then each entry in words, with its next ticks and its last run. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useLocation, useSearch } from 'wouter-preact';

import type { SchedulesAnswer, ScheduleView } from '../../answers.ts';
import { useMayAct, useSchedules } from '../data/queries.ts';
import { Button, Choice, Note } from '../parts/controls.tsx';
import { Icon } from '../parts/icons.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Ago, Hostile } from '../parts/text.tsx';
import { View } from '../parts/view.tsx';
import { count, counted } from '../pure/words.ts';
import { ScheduleEditor } from './schedules/editor.tsx';
import { ScheduleTable } from './schedules/table.tsx';

const STATES = ['', 'missed', 'enabled', 'disabled'] as const;
// While the sweeper is away all entries miss: the list has each of them.
const MISSED_TOLD = 5;
export type ScheduleState = (typeof STATES)[number];

export function SchedulesView(): VNode {
  const query = new URLSearchParams(useSearch());
  const search = query.get('search') ?? '';
  const state = STATES.find((each) => each === query.get('state')) ?? '';
  const mayAct = useMayAct();
  const [isNew, setNew] = useState(false);
  return (
    <View
      title="Schedules"
      actions={
        <>
          <SearchBox search={search} />
          {mayAct && (
            <Button icon="plus" kind="main" onClick={() => setNew(true)}>
              New schedule…
            </Button>
          )}
        </>
      }
    >
      <Loaded query={useSchedules(search, state)}>
        {(answer) => <Entries answer={answer} search={search} state={state} />}
      </Loaded>
      {isNew && <ScheduleEditor onClose={() => setNew(false)} />}
    </View>
  );
}

function addressOf(search: string, state: ScheduleState): string {
  const query = new URLSearchParams({
    ...(search === '' ? {} : { search }),
    ...(state === '' ? {} : { state }),
  }).toString();
  return query === '' ? '/schedules' : `/schedules?${query}`;
}

function SearchBox({ search }: { readonly search: string }): VNode {
  const [, go] = useLocation();
  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input
        class="input input-small"
        type="search"
        data-search
        aria-label="Search schedules"
        placeholder="Name or task"
        value={search}
        onChange={(event) => go(addressOf(event.currentTarget.value, ''))}
      />
      <kbd>/</kbd>
    </div>
  );
}

interface EntriesProps {
  readonly answer: SchedulesAnswer;
  readonly search: string;
  readonly state: ScheduleState;
}

function Entries({ answer, search, state }: EntriesProps): VNode {
  const [, go] = useLocation();
  const { entries, totals, next } = answer;
  return (
    <>
      {entries
        .filter(({ missed }) => missed !== null)
        .slice(0, MISSED_TOLD)
        .map((entry) => (
          <Missed key={entry.name} entry={entry} />
        ))}
      <section class="panel">
        <header class="panel-head">
          <h2>{counted(totals.all, 'schedule')}</h2>
          <span class="hint">
            {count(totals.enabled)} enabled · {count(totals.declared)} in code, {count(totals.all - totals.declared)}{' '}
            stored · times in each entry’s own zone
          </span>
          <span class="panel-actions">
            <Choice
              label="State"
              options={[
                { value: '', text: 'All' },
                { value: 'missed', text: `Missed ${totals.missed}` },
                { value: 'enabled', text: `Enabled ${totals.enabled}` },
                { value: 'disabled', text: `Disabled ${totals.disabled}` },
              ]}
              value={state}
              onChoose={(value) => go(addressOf(search, value))}
            />
          </span>
        </header>
        {entries.length === 0 ? (
          <div class="blank">
            <p>{search === '' && state === '' ? 'No entry is declared or stored yet.' : 'No entry fits.'}</p>
          </div>
        ) : (
          <ScheduleTable entries={entries} />
        )}
        {next !== null && <p class="hint table-end">The first {count(entries.length)} are shown: search for others.</p>}
      </section>
    </>
  );
}

function Missed({ entry: { name, missed } }: { readonly entry: ScheduleView }): VNode {
  return (
    <Note tone="warn" icon="missed">
      <b>
        <Hostile text={name} most={120} /> missed its last tick.
      </b>{' '}
      <Hostile text={missed?.text ?? ''} most={400} /> {missed?.since != null && <Ago at={missed.since} />}
    </Note>
  );
}
