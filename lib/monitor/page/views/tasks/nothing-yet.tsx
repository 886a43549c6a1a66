/** Before the first task: what there is, and ways to send one. */
import type { VNode } from 'preact';

import { useCatalogue, useSession } from '../../data/queries.ts';
import { CopyButton } from '../../parts/controls.tsx';
import { Mark } from '../../parts/shell.tsx';
import { counted } from '../../pure/words.ts';

export function Command({ text }: { readonly text: string }): VNode {
  return (
    <div class="command">
      <code tabIndex={0}>{text}</code>
      <CopyButton text={text} label="Copy" />
    </div>
  );
}

export function NothingYet(): VNode {
  const { app } = useSession();
  const { data } = useCatalogue();
  const name = data?.tasks[0]?.name ?? 'add';
  return (
    <div class="blank">
      <Mark />
      <h2>No task has ended yet</h2>
      <p>
        {data === undefined ? 'The service' : counted(data.tasks.length, 'task')} of <b>{app}</b>{' '}
        {data?.tasks.length === 1 ? 'is' : 'are'} ready. The first one can be sent
      </p>
      <ol>
        <li>
          from code: <Command text={`await app.send('${name}', [])`} />
        </li>
        <li>
          from a terminal: <Command text={`npx celeriac call ${name}`} />
        </li>
        <li>
          from this page: <a href="/catalogue">the task catalogue</a> has a form for each.
        </li>
      </ol>
      <p class="hint">An end is in the history some seconds after it happened.</p>
    </div>
  );
}
