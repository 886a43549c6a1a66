import type { VNode } from 'preact';

import type { TaskAnswer } from '../../../answers.ts';
import { useSession } from '../../data/queries.ts';
import { CopyButton, Panel } from '../../parts/controls.tsx';
import { BLOCK_CHARACTERS, Hostile } from '../../parts/text.tsx';

/** Arguments as their sender had them shown, and what it returned. */
export function Values({ task }: { readonly task: TaskAnswer }): VNode {
  const { showValues } = useSession();
  const repr = task.story?.attempts.at(-1)?.repr ?? null;
  return (
    <Panel
      title="Arguments and result"
      {...(task.resultText === null ? {} : { actions: <CopyButton text={task.resultText} label="Copy the result" /> })}
    >
      <div class="body">
        <h3>Arguments</h3>
        {repr === null ? (
          <p class="dim">Not stored with its attempts.</p>
        ) : (
          <pre class="code code-wrap">
            <Hostile text={repr} most={BLOCK_CHARACTERS} />
          </pre>
        )}
        <h3>Result</h3>
        {task.resultText === null ? (
          <p class="dim">{missing(task)}</p>
        ) : (
          <pre class="code code-wrap" tabIndex={0} aria-label="Result">
            <Hostile text={task.resultText} most={BLOCK_CHARACTERS} />
          </pre>
        )}
        <p class="hint">
          Arguments are shown as their sender had them shown (<code>argsrepr</code>).
          {!showValues && ' This monitor shows the beginnings of results: its setting showValues shows them whole.'}
          {!task.isResultWhole && ' The result is longer.'}
        </p>
      </div>
    </Panel>
  );
}

function missing(task: TaskAnswer): string {
  if (task.ignored) return 'Kept from readers: the task is declared with ignoreResult.';
  if (task.error !== null) return 'None: it threw.';
  return task.state === 'SUCCESS' ? 'None is stored, or it has expired.' : 'None yet.';
}
