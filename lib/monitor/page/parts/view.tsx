/** The frame of a view: its head, which names it, and its body. */
import type { ComponentChildren, VNode } from 'preact';
import { useEffect } from 'preact/hooks';

import { isHeld, useSession } from '../data/queries.ts';
import { useStore } from '../data/store.ts';

interface ViewProps {
  readonly title: string;
  /** In the head in place of the title alone. */
  readonly heading?: ComponentChildren;
  readonly actions?: ComponentChildren;
  /** Its values change by themselves. */
  readonly live?: boolean;
  readonly children: ComponentChildren;
}

export function View({ title, heading, actions, live = true, children }: ViewProps): VNode {
  const { app } = useSession();
  useEffect(() => {
    document.title = `${title} · ${app} · Celeriac`;
  }, [title, app]);
  return (
    <div class="view">
      <header class="top">
        {heading ?? <h1>{title}</h1>}
        <span class="grow" />
        {actions}
        {live && <LiveButton />}
      </header>
      <main id="main" tabIndex={-1}>
        <div class="stack">{children}</div>
      </main>
    </div>
  );
}

function LiveButton(): VNode {
  const held = useStore(isHeld);
  return (
    <button
      type="button"
      class="live"
      aria-pressed={!held}
      title={held ? 'Let it go on (.)' : 'Hold everything (.)'}
      onClick={() => isHeld.set(!held)}
    >
      <i />
      {held ? 'Held' : 'Live'}
    </button>
  );
}
