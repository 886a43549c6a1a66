/** Tasks that run now, where the store knows it. */
import type { VNode } from 'preact';
import { Link } from 'wouter-preact';

import { useQueues, useRunning } from '../../data/queries.ts';
import { Badge } from '../../parts/badge.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Ago, Hostile } from '../../parts/text.tsx';
import { counted, shortId } from '../../pure/words.ts';

export function RunningTable(): VNode {
  const { data } = useQueues();
  const inFlight = data?.queues.reduce((sum, queue) => sum + queue.inFlight, 0);
  return (
    <Loaded query={useRunning()} isBare>
      {({ tasks, more }) => (
        <>
          {tasks.length === 0 && (
            <p class="blank">No task runs under a concurrency for which others wait: of those the store knows.</p>
          )}
          {tasks.length > 0 && (
            <div class="table-wrap">
              <table class="tasks cards">
                <thead>
                  <tr>
                    <th class="col-state">State</th>
                    <th class="col-task">Task</th>
                    <th class="col-args">Key</th>
                    <th class="col-number number">Wait</th>
                    <th class="col-when number">Slot ends</th>
                  </tr>
                </thead>
                <tbody>
                  {tasks.map(({ id, retries, task, key, until, waiting }) => (
                    <tr key={`${id} ${retries}`}>
                      <td class="col-state">
                        <Badge state="STARTED" />
                      </td>
                      <td class="col-task">
                        <Link class="name" href={`/tasks/${encodeURIComponent(id)}`}>
                          <Hostile text={task === '*' ? '(shared)' : task} most={120} title />
                        </Link>{' '}
                        <code class="faint">{shortId(id)}</code>
                      </td>
                      <td class="col-args">
                        <Hostile class="repr" text={key} most={120} title />
                      </td>
                      <td class="col-number number">{waiting}</td>
                      <td class="col-when number">
                        <Ago at={until} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <p class="hint table-end">
            {more ? 'There are more of them. ' : ''}These hold the slots that others wait for. Of all others SQS can
            only count what is in flight{inFlight === undefined ? '' : `: ${counted(inFlight, 'message')} now`}. The
            page of a task says whether it runs.
          </p>
        </>
      )}
    </Loaded>
  );
}
