/** Tasks whose time has not come. */
import type { VNode } from 'preact';
import { Link } from 'wouter-preact';

import { useWaiting } from '../../data/queries.ts';
import { Badge } from '../../parts/badge.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Ago, At, Hostile } from '../../parts/text.tsx';
import { shortId, UNKNOWN } from '../../pure/words.ts';

export function WaitingTable(): VNode {
  return (
    <Loaded query={useWaiting()} isBare>
      {({ tasks, more }) => (
        <>
          {tasks.length === 0 && <p class="blank">No task waits for its time in the table.</p>}
          {tasks.length > 0 && (
            <div class="table-wrap">
              <table class="tasks cards">
                <thead>
                  <tr>
                    <th class="col-state">State</th>
                    <th class="col-task">Task</th>
                    <th class="col-args">Arguments</th>
                    <th class="col-queue">Queue</th>
                    <th class="col-when number">Due</th>
                    <th class="col-when number">In</th>
                  </tr>
                </thead>
                <tbody>
                  {tasks.map(({ id, name, args, queue, due, retries }) => (
                    <tr key={id}>
                      <td class="col-state">
                        <Badge state={retries > 0 ? 'RETRY' : 'DELAYED'} />
                      </td>
                      <td class="col-task">
                        <Link class="name" href={`/tasks/${encodeURIComponent(id)}`}>
                          <Hostile text={name ?? UNKNOWN} most={120} title />
                        </Link>{' '}
                        <code class="faint">{shortId(id)}</code>
                      </td>
                      <td class="col-args">{args !== undefined && <Hostile class="repr" text={args} title />}</td>
                      <td class="col-queue cut">
                        <Hostile text={queue} most={60} />
                      </td>
                      <td class="col-outcome number">
                        <At at={due} />
                      </td>
                      <td class="col-when number">
                        <Ago at={due} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <p class="hint table-end">
            {more ? 'There are more of them. ' : ''}What waits for less than a quarter of an hour lies in SQS, which can
            only count it: the view of queues does.
          </p>
        </>
      )}
    </Loaded>
  );
}
