import type { VNode } from 'preact';

import type { TaskAnswer } from '../../../answers.ts';
import { useNow } from '../../data/clock.ts';
import { Icon } from '../../parts/icons.tsx';
import { Hostile } from '../../parts/text.tsx';
import { sentenceOf } from '../../pure/task-words.ts';

/** Why it is in the state it is in. */
export function Explanation({ task }: { readonly task: TaskAnswer }): VNode {
  const { tone, text, more } = sentenceOf(task, useNow());
  return (
    <div class={`explanation explanation-${tone}`}>
      <Icon name={tone === 'bad' || tone === 'warn' ? 'warning' : 'info'} />
      <div>
        <p>
          <b>
            <Hostile text={text} most={1000} />
          </b>
        </p>
        {more !== undefined && (
          <p class="dim">
            <Hostile text={more} most={1000} />
          </p>
        )}
      </div>
    </div>
  );
}
