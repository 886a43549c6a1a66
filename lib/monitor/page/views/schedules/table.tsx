import type { VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';

import type { SentAnswer, ScheduleView } from '../../../answers.ts';
import { useAction } from '../../data/action.ts';
import { act } from '../../data/api.ts';
import { nowMs } from '../../data/clock.ts';
import { useMayAct } from '../../data/queries.ts';
import { useChosen } from '../../data/use-chosen.ts';
import { Badge } from '../../parts/badge.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Button } from '../../parts/controls.tsx';
import { Icon } from '../../parts/icons.tsx';
import { ProblemNote } from '../../parts/loaded.tsx';
import { ACTIONS, Table } from '../../parts/table.tsx';
import { Ago, Hostile } from '../../parts/text.tsx';
import { tell } from '../../parts/toast.tsx';
import { plainText } from '../../pure/hostile-text.ts';
import { scheduleExpression, scheduleWords, zoneOf } from '../../pure/schedule-words.ts';
import { tasksAddress } from '../../pure/task-filters.ts';
import { count, exactUtc, planned, UNKNOWN } from '../../pure/words.ts';
import { ScheduleBulk } from './bulk.tsx';
import { ScheduleEditor } from './editor.tsx';
import { RunsDialog } from './runs-dialog.tsx';

export function ScheduleTable({ entries }: { readonly entries: readonly ScheduleView[] }): VNode {
  const box = useRef<HTMLDivElement>(null);
  const mayAct = useMayAct();
  const names = entries.map(({ name }) => name);
  const rowOf = (index: number): Element | undefined => box.current?.querySelectorAll('tbody tr')[index];
  const { at, selected, toggle, choose, clear } = useChosen(names, {
    onMove: (index) => rowOf(index)?.scrollIntoView({ block: 'nearest' }),
    onOpen: (name) => rowOf(names.indexOf(name))?.querySelector<HTMLElement>('[data-edit]')?.click(),
  });
  const chosen = entries.filter(({ name }) => selected.has(name));
  return (
    <div ref={box}>
      <Table
        label="Schedules"
        class="cards schedules"
        columns={['Name', 'When and zone', 'Way', 'Next', 'Last run', ACTIONS]}
      >
        {entries.map((entry) => (
          <Row
            key={entry.name}
            entry={entry}
            isAt={entry.name === at}
            isSelected={selected.has(entry.name)}
            {...(mayAct ? { onToggle: toggle } : {})}
          />
        ))}
      </Table>
      {chosen.length > 0 && (
        <ScheduleBulk entries={chosen} shown={entries.length} onAll={() => choose(names)} onNone={clear} />
      )}
    </div>
  );
}

interface RowProps {
  readonly entry: ScheduleView;
  readonly isAt: boolean;
  readonly isSelected: boolean;
  /** Absent for those who may not act. */
  readonly onToggle?: (name: string) => void;
}

function Row({ entry, isAt, isSelected, onToggle }: RowProps): VNode {
  const { name, task, schedule, source, firedBy, reason, choice, changedBy, enabled } = entry;
  const mayAct = useMayAct();
  const zone = zoneOf(schedule);
  return (
    <tr class={`${enabled ? '' : 'disabled'}${isAt ? ' at' : ''}${isSelected ? ' selected' : ''}`}>
      <td>
        <div class="row">
          {onToggle !== undefined && (
            <input
              type="checkbox"
              aria-label={`Select ${plainText(name, 80)}`}
              checked={isSelected}
              onChange={() => onToggle(name)}
            />
          )}
          <Switch entry={entry} mayAct={mayAct} />
          <div class="grow">
            <Hostile class="name" text={name} most={120} /> {source === 'stored' && <span class="tag">stored</span>}
            {choice !== null && (
              <span
                class="tag tone-warn"
                title={`Over its code${changedBy === null ? '' : `, by ${plainText(changedBy, 80)}`}`}
              >
                {choice ? 'enabled' : 'disabled'} by hand
              </span>
            )}
            <Link class="second mono" href={tasksAddress({ task })}>
              <Hostile text={task} most={120} />
            </Link>
          </div>
        </div>
      </td>
      <td>
        {scheduleWords(schedule, nowMs())}
        <span class="second mono">
          {scheduleExpression(schedule)}
          {zone === undefined ? '' : ` · ${zone}`}
        </span>
      </td>
      <td>
        <span class="tag">{firedBy === 'rule' ? 'Rule' : 'Sweep'}</span>
        {reason !== null && <span class="second">{plainText(reason)}</span>}
      </td>
      <td>
        <Ticks entry={entry} zone={zone} />
      </td>
      <td>
        {entry.missed !== null && <Badge state="missed" />}
        <LastRun entry={entry} />
      </td>
      <td>{mayAct && <Actions entry={entry} />}</td>
    </tr>
  );
}

/** Of what a rule fires only its tasks tell. */
function LastRun({ entry }: { readonly entry: ScheduleView }): VNode {
  const { lastRun, lastRunAt, totalRunCount } = entry;
  const at = lastRun?.at ?? lastRunAt;
  if (at === null) return <span class="faint">no run is known</span>;
  return (
    <>
      {lastRun === null ? (
        <Ago at={at} />
      ) : (
        <Link class="row" href={`/tasks/${encodeURIComponent(lastRun.id)}`}>
          <Badge state={lastRun.state} /> <Ago at={at} />
        </Link>
      )}
      {totalRunCount !== null && <span class="second">{count(totalRunCount)} times</span>}
    </>
  );
}

function Ticks({ entry, zone }: { readonly entry: ScheduleView; readonly zone: string | undefined }): VNode {
  const [first, ...others] = entry.nextTicks;
  if (!entry.enabled || first === undefined) return <span class="faint">{entry.enabled ? UNKNOWN : 'disabled'}</span>;
  const title = [first, ...others].map((tick) => `${planned(tick, nowMs(), zone)}  (${exactUtc(tick)})`).join('\n');
  return (
    <span title={title}>
      <b>{planned(first, nowMs(), zone)}</b>
      <span class="second">
        <Ago at={first} />
      </span>
    </span>
  );
}

/** At once: what can be taken back is not asked about. */
function Switch({ entry, mayAct }: { readonly entry: ScheduleView; readonly mayAct: boolean }): VNode {
  const { name, enabled, version } = entry;
  const path = `/api/schedules/${encodeURIComponent(name)}`;
  const change = useAction(async () => {
    await act(`${path}/${enabled ? 'disable' : 'enable'}`, { version });
    const said = `${plainText(name, 60)} is ${enabled ? 'disabled' : 'enabled'}.`;
    tell(said, () => void act(`${path}/${enabled ? 'enable' : 'disable'}`));
  });
  return (
    <>
      <input
        class="switch"
        type="checkbox"
        role="switch"
        aria-label={`${plainText(name, 80)} is enabled`}
        checked={enabled}
        disabled={!mayAct || change.isBusy}
        onChange={change.run}
      />
      {change.problem !== undefined && <ProblemNote error={change.problem} />}
    </>
  );
}

/** What somebody has said over the code is taken back. */
function FollowCode({ entry: { name, version } }: { readonly entry: ScheduleView }): VNode {
  const follow = useAction(async () => {
    await act(`/api/schedules/${encodeURIComponent(name)}/follow-code`, { version });
    tell(`${plainText(name, 60)} is as its code says.`);
  });
  return (
    <>
      <Button
        icon="undo"
        kind="bare"
        label={`Let the code decide about ${plainText(name, 80)}`}
        disabled={follow.isBusy}
        onClick={follow.run}
      />
      {follow.problem !== undefined && <ProblemNote error={follow.problem} />}
    </>
  );
}

function Actions({ entry }: { readonly entry: ScheduleView }): VNode {
  const [asked, setAsked] = useState<'edit' | 'delete' | 'run' | 'runs'>();
  const name = plainText(entry.name, 80);
  const path = `/api/schedules/${encodeURIComponent(entry.name)}`;
  const close = (): void => setAsked(undefined);
  return (
    <span class="row schedule-actions">
      <Button icon="play" onClick={() => setAsked('run')}>
        Run now…
      </Button>
      <Button icon="audit" kind="bare" label={`Runs of ${name}`} onClick={() => setAsked('runs')} />
      {entry.choice !== null && <FollowCode entry={entry} />}
      <Button icon="edit" kind="bare" label={`Edit ${name}`} data-edit onClick={() => setAsked('edit')} />
      {entry.source === 'stored' && (
        <Button icon="trash" kind="bare" label={`Delete ${name}`} onClick={() => setAsked('delete')} />
      )}
      {asked === 'runs' && <RunsDialog name={entry.name} onClose={close} />}
      {asked === 'edit' && <ScheduleEditor entry={entry} onClose={close} />}
      {asked === 'run' && (
        <Confirm
          title={`Run ${name} now`}
          button={`Run ${name}`}
          onClose={close}
          onConfirm={async () => {
            const { id } = await act<SentAnswer>(`${path}/run`);
            tell(`${name} was sent as ${id.slice(0, 8)}.`);
          }}
        >
          <p>
            Sends <Hostile class="mono" text={entry.task} most={120} /> once, with its own arguments. Its next tick
            stays where it is.
          </p>
        </Confirm>
      )}
      {asked === 'delete' && (
        <Confirm
          title={`Delete ${name}`}
          button={`Delete ${name}`}
          isBad
          typedName={name}
          onClose={close}
          onConfirm={async () => {
            await act(path, {}, 'DELETE');
            tell(`${name} is deleted.`);
          }}
        >
          <p>
            <Icon name="warning" /> It fires no more, and its counts are gone.
          </p>
        </Confirm>
      )}
    </span>
  );
}
