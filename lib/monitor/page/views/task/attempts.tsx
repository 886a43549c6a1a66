import type { VNode } from 'preact';

import type { TaskAnswer } from '../../../answers.ts';
import { Badge } from '../../parts/badge.tsx';
import { Panel } from '../../parts/controls.tsx';
import { Icon } from '../../parts/icons.tsx';
import { At, BLOCK_CHARACTERS, Hostile } from '../../parts/text.tsx';
import { shownState } from '../../pure/states.ts';
import { stackLines } from '../../pure/task-words.ts';
import { count, counted, duration } from '../../pure/words.ts';

type Attempt = NonNullable<TaskAnswer['story']>['attempts'][number];

/** The last one first, and open. */
export function Attempts({ task }: { readonly task: TaskAnswer }): VNode | null {
  const attempts = (task.story?.attempts ?? []).toReversed();
  if (attempts.length === 0) return null;
  return (
    <Panel title="Attempts" hint={count(attempts.length)}>
      {attempts.map((attempt, index) => (
        <details key={`${attempt.attempt} ${attempt.endedAt}`} class="attempt" open={index === 0}>
          <summary>
            <Icon name="chevron" />
            <b>Attempt {attempt.attempt + 1}</b>
            <Badge state={shownState(attempt.state, attempt.deadLetter)} />
            <Hostile class="cut error-text" text={attempt.error ?? ''} />
            <span class="dim number">
              <At at={attempt.endedAt} /> · {duration(attempt.runSeconds)}
            </span>
          </summary>
          <AttemptBody
            attempt={attempt}
            {...(index === 0 && task.traceback !== null ? { stack: task.traceback } : {})}
          />
        </details>
      ))}
    </Panel>
  );
}

function AttemptBody({ attempt, stack }: { readonly attempt: Attempt; readonly stack?: string }): VNode {
  return (
    <div class="attempt-body">
      {stack !== undefined && <Stack stack={stack} />}
      {stack === undefined && attempt.error !== null && (
        <pre class="code">
          <Hostile text={attempt.error} most={BLOCK_CHARACTERS} />
        </pre>
      )}
      <p class="hint">
        Began <At at={attempt.startedAt} />, waited {duration(attempt.waitSeconds)}
        {attempt.deliveries > 1 && `, delivered ${attempt.deliveries} times`}
        {attempt.lostRuns > 0 &&
          `, ${counted(attempt.lostRuns, 'run')} ended without a word: a worker died, or ran out of time`}
        {attempt.deadLetter !== null && (
          <>
            {'; put aside: '}
            <Hostile text={attempt.deadLetter} />
          </>
        )}
      </p>
    </div>
  );
}

export function Stack({ stack }: { readonly stack: string }): VNode {
  const shown = stack.slice(0, BLOCK_CHARACTERS);
  return (
    <pre class="code" tabIndex={0} aria-label="Stack">
      {stackLines(shown).map(({ text, kind }, index) => (
        <span key={index} class={`stack-${kind}`}>
          <Hostile text={text} most={1000} />
          {'\n'}
        </span>
      ))}
      {shown.length < stack.length && '…'}
    </pre>
  );
}
