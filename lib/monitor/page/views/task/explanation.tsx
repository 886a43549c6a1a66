import type { VNode } from 'preact';

import type { TaskAnswer } from '../../../answers.ts';
import { useNow } from '../../data/clock.ts';
import { Icon } from '../../parts/icons.tsx';
import { Hostile } from '../../parts/text.tsx';
import { type Sentence, sentenceOf } from '../../pure/task-words.ts';

const TONES = { quiet: 'idle', work: 'run', ok: 'ok', warn: 'warn', bad: 'bad' } as const;

/** Of what has not ended the service knows why; what has ended says it itself. */
function told(task: TaskAnswer, nowMs: number): Omit<Sentence, 'more'> & Record<'more' | 'hints', readonly string[]> {
  const { explain } = task;
  if (explain !== null)
    return { tone: TONES[explain.tone], text: explain.text, more: explain.lines, hints: explain.hints };
  const { more, ...sentence } = sentenceOf(task, nowMs);
  return { ...sentence, more: more === undefined ? [] : [more], hints: [] };
}

/** Why it is in the state it is in. */
export function Explanation({ task }: { readonly task: TaskAnswer }): VNode {
  const { tone, text, more, hints } = told(task, useNow());
  return (
    <div class={`explanation explanation-${tone}`}>
      <Icon name={tone === 'bad' || tone === 'warn' ? 'warning' : 'info'} />
      <div>
        <p>
          <b>
            <Hostile text={text} most={1000} />
          </b>
        </p>
        {more.map((line) => (
          <p key={line} class="dim">
            <Hostile text={line} most={1000} />
          </p>
        ))}
        {hints.map((hint) => (
          <p key={hint} class="hint">
            <Hostile text={hint} most={400} />
          </p>
        ))}
      </div>
    </div>
  );
}
