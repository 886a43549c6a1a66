/** One attempt that ended, in one line. */
import type { VNode } from 'preact';
import { Link } from 'wouter-preact';

import type { TasksAnswer } from '../../../answers.ts';
import { Badge } from '../../parts/badge.tsx';
import { Ago, Hostile } from '../../parts/text.tsx';
import { shownState } from '../../pure/states.ts';
import { duration, shortId } from '../../pure/words.ts';

export type Entry = TasksAnswer['entries'][number];

export function keyOf({ id, attempt }: Pick<Entry, 'id' | 'attempt'>): string {
  return `${id} ${attempt}`;
}

export function idOf(key: string): string {
  return key.slice(0, key.lastIndexOf(' '));
}

interface RowProps {
  readonly entry: Entry;
  readonly index: number;
  readonly measure: (element: Element | null) => void;
  readonly isAt: boolean;
  readonly isSelected: boolean;
  /** Absent for those who may not act. */
  readonly onToggle?: (key: string) => void;
}

export function TaskRow({ entry, index, measure, isAt, isSelected, onToggle }: RowProps): VNode {
  const { id, task, queue, repr, waitSeconds, runSeconds, endedAt } = entry;
  const key = keyOf(entry);
  return (
    <tr ref={measure} data-index={index} class={`${isAt ? 'at' : ''}${isSelected ? ' selected' : ''}`}>
      {onToggle !== undefined && (
        <td class="col-select">
          <input
            type="checkbox"
            aria-label={`Select ${shortId(id)}`}
            checked={isSelected}
            onChange={() => onToggle(key)}
          />
        </td>
      )}
      <td class="col-state">
        <Badge state={shownState(entry.state, entry.deadLetter)} />
      </td>
      <td class="col-task">
        <Link class="name" href={`/tasks/${encodeURIComponent(id)}`}>
          <Hostile text={task} most={120} title />
        </Link>{' '}
        <code class="faint">{shortId(id)}</code>
      </td>
      <td class="col-args">{repr !== null && <Hostile class="repr" text={repr} title />}</td>
      <td class="col-outcome">
        <Outcome entry={entry} />
      </td>
      <td class="col-queue cut">
        <Hostile text={queue} most={60} />
      </td>
      <td class="col-number number">{duration(waitSeconds)}</td>
      <td class="col-number number">{duration(runSeconds)}</td>
      <td class="col-when number">
        <Ago at={endedAt} />
      </td>
    </tr>
  );
}

/** And then? */
function Outcome({ entry }: { readonly entry: Entry }): VNode | null {
  const { error, deadLetter, attempt, deliveries } = entry;
  const times = [
    ...(attempt > 0 ? [`attempt ${attempt + 1}`] : []),
    ...(deliveries > 1 ? [`delivered ${deliveries} times`] : []),
  ].join(', ');
  if (error !== null)
    return (
      <>
        <Hostile class="error-text" text={error} title />
        {times !== '' && <span class="faint"> · {times}</span>}
      </>
    );
  if (deadLetter !== null) return <Hostile class="error-text" text={deadLetter} title />;
  return <span class="faint">{times}</span>;
}
