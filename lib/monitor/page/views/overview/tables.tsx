import type { VNode } from 'preact';
import { Link } from 'wouter-preact';

import type { OverviewAnswer } from '../../../answers.ts';
import { Badge } from '../../parts/badge.tsx';
import { Panel } from '../../parts/controls.tsx';
import { numberColumn, Table } from '../../parts/table.tsx';
import { Hostile, Quiet } from '../../parts/text.tsx';
import { failuresOf } from '../../pure/series.ts';
import { tasksAddress } from '../../pure/task-filters.ts';
import { count, counted, duration, share, UNKNOWN } from '../../pure/words.ts';

type Queue = OverviewAnswer['queues'][number];

/** The worst first: dead letters, then what waits. */
export function byTrouble(left: Queue, right: Queue): number {
  const paused = Number(right.state === 'paused') - Number(left.state === 'paused');
  return (
    paused || (right.dead ?? 0) - (left.dead ?? 0) || right.ready - left.ready || (left.queue < right.queue ? -1 : 1)
  );
}

export function QueueSummary({ queues }: { readonly queues: readonly Queue[] }): VNode {
  return (
    <Panel
      title="Queues"
      hint={`${count(queues.length)}, worst first`}
      actions={<Link href="/queues">All about queues</Link>}
    >
      <Table
        label="Queues"
        class="cards grid-cards"
        columns={['Queue', 'State', ...['Ready', 'In flight', 'Delayed', 'Parked', 'Oldest', 'Dead'].map(numberColumn)]}
      >
        {queues.toSorted(byTrouble).map((queue) => (
          <tr key={queue.queue}>
            <td class="whole">
              <Link class="name" href={tasksAddress({ queue: queue.queue })}>
                <Hostile text={queue.queue} most={80} />
              </Link>
            </td>
            <td class="whole">
              <Badge state={queue.state} />
            </td>
            <td class="number" data-label="Ready">
              <Quiet value={queue.ready} text={count(queue.ready)} />
            </td>
            <td class="number" data-label="In flight">
              <Quiet value={queue.inFlight} text={count(queue.inFlight)} />
            </td>
            <td class="number" data-label="Delayed">
              <Quiet value={queue.delayed} text={count(queue.delayed)} />
            </td>
            <td class="number" data-label="Parked">
              <Quiet value={queue.parked ?? 0} text={count(queue.parked)} />
            </td>
            <td class="number" data-label="Oldest">
              {queue.oldestSeconds === undefined ? UNKNOWN : duration(queue.oldestSeconds)}
            </td>
            <td class="number" data-label="Dead">
              <Quiet value={queue.dead ?? 0} text={count(queue.dead)} tone="bad" />
            </td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}

interface TasksProps {
  readonly tasks: OverviewAnswer['tasks'];
  readonly range: OverviewAnswer['range'];
}

const SHOWN = 20;

export function TaskSummary({ tasks, range }: TasksProps): VNode | null {
  if (tasks.length === 0) return null;
  return (
    <Panel title="Tasks by name" hint="worst first" actions={<Link href="/catalogue">All in the catalogue</Link>}>
      <Table
        label="Tasks by name"
        class="cards grid-cards"
        columns={['Task', ...['Ended', 'Failed', 'Lost', 'Waiting, p95', 'Run time, p95'].map(numberColumn)]}
      >
        {tasks.slice(0, SHOWN).map((task) => {
          const failed = failuresOf(task);
          return (
            <tr key={task.task}>
              <td class="whole">
                <Link class="name" href={tasksAddress({ task: task.task, since: range })}>
                  <Hostile text={task.task} most={120} />
                </Link>
              </td>
              <td class="number" data-label="Ended">
                {count(task.count)}
              </td>
              <td class="number" data-label="Failed">
                <Quiet
                  value={failed}
                  text={failed === 0 ? '0' : `${count(failed)} (${share(failed / task.count)})`}
                  tone="bad"
                />
              </td>
              <td class="number" data-label="Lost">
                <Quiet value={task.lostRuns} text={count(task.lostRuns)} tone="bad" />
              </td>
              <td class="number" data-label="Waiting, p95">
                {task.waitSeconds === null ? UNKNOWN : duration(task.waitSeconds.p95)}
              </td>
              <td class="number" data-label="Run time, p95">
                {task.runSeconds === null ? UNKNOWN : duration(task.runSeconds.p95)}
              </td>
            </tr>
          );
        })}
      </Table>
      {tasks.length > SHOWN && (
        <p class="hint table-end">{counted(tasks.length - SHOWN, 'other')} with less trouble.</p>
      )}
    </Panel>
  );
}
