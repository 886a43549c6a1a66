import type { VNode } from 'preact';

import { stateView } from '../pure/states.ts';
import { plainText } from '../pure/hostile-text.ts';
import { Icon } from './icons.tsx';

/** A state: icon and word; Celery's name in the title. */
export function Badge({
  state,
  large = false,
  text,
}: {
  readonly state: string;
  readonly large?: boolean;
  readonly text?: string;
}): VNode {
  const { word, icon, tone } = stateView(state);
  return (
    <span class={`badge badge-${tone}${large ? ' badge-large' : ''}`} title={plainText(state, 100)}>
      <Icon name={icon} />
      {text ?? plainText(word, 30)}
    </span>
  );
}
