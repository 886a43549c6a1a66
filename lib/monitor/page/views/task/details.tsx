import type { ComponentChildren, VNode } from 'preact';
import { Link } from 'wouter-preact';

import type { TaskAnswer } from '../../../answers.ts';
import { Panel } from '../../parts/controls.tsx';
import { Ago, At, Hostile } from '../../parts/text.tsx';
import { tasksAddress } from '../../pure/task-filters.ts';

export function Details({ task }: { readonly task: TaskAnswer }): VNode {
  const { story } = task;
  return (
    <Panel title="Details">
      <dl class="pairs">
        {task.queue !== null && (
          <Pair name="Queue">
            <Link href="/queues">
              <Hostile text={task.queue} />
            </Link>
          </Pair>
        )}
        {task.name !== null && (
          <Pair name="Others">
            <Link href={tasksAddress({ task: task.name })}>all of this task</Link>
          </Pair>
        )}
        {task.retries !== null && <Pair name="Retries">{task.retries}</Pair>}
        {task.started !== null && (
          <Pair name="Claimed">
            <At at={task.started} />{' '}
            <span class="faint">
              (<Ago at={task.started} />)
            </span>
          </Pair>
        )}
        {task.finished !== null && (
          <Pair name="Ended">
            <At at={task.finished} />
          </Pair>
        )}
        {task.revoked !== null && (
          <Pair name="Revoked">
            <At at={task.revoked} />
          </Pair>
        )}
        {story !== null && story.deliveries > 1 && <Pair name="Deliveries">{story.deliveries}</Pair>}
        {story?.scheduleEntry != null && (
          <Pair name="Schedule">
            <Link href={`/schedules?text=${encodeURIComponent(story.scheduleEntry)}`}>
              <Hostile text={story.scheduleEntry} />
            </Link>
          </Pair>
        )}
        {story?.parentId != null && (
          <Pair name="Sent by">
            <Link class="mono" href={`/tasks/${encodeURIComponent(story.parentId)}`}>
              <Hostile text={story.parentId} />
            </Link>
          </Pair>
        )}
      </dl>
    </Panel>
  );
}

function Pair({ name, children }: { readonly name: string; readonly children: ComponentChildren }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
