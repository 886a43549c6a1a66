/** What is done to the rows that are selected. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

import { Button, CopyButton } from '../../parts/controls.tsx';
import { counted } from '../../pure/words.ts';
import { RedriveTasksDialog } from '../task/redrive-dialog.tsx';
import { RevokeDialog } from '../task/revoke-dialog.tsx';
import type { Entry } from './row.tsx';

export function BulkBar({
  entries,
  onDone,
}: {
  readonly entries: readonly Entry[];
  readonly onDone: () => void;
}): VNode {
  const [asked, setAsked] = useState<'redrive' | 'revoke'>();
  const ids = [...new Set(entries.map(({ id }) => id))];
  const letters = [...new Set(entries.filter(({ deadLetter }) => deadLetter !== null).map(({ id }) => id))];
  const close = (): void => setAsked(undefined);
  return (
    <div class="bulk" role="group" aria-label="What to do with those that are selected">
      <b>{counted(ids.length, 'task')} selected</b>
      <Button
        icon="retrying"
        kind="main"
        data-retry
        disabled={letters.length === 0}
        {...(letters.length === 0
          ? { title: 'None of them lies in a dead-letter queue: only what is kept can be sent back.' }
          : {})}
        onClick={() => setAsked('redrive')}
      >
        Retry {letters.length}…
      </Button>
      <Button icon="revoked" onClick={() => setAsked('revoke')}>
        Revoke…
      </Button>
      <CopyButton text={ids.join('\n')} label="Copy ids" />
      <Button icon="close" kind="bare" label="Select none" onClick={onDone} />
      {asked === 'redrive' && <RedriveTasksDialog ids={letters} onClose={close} onDone={onDone} />}
      {asked === 'revoke' && <RevokeDialog ids={ids} onClose={close} onDone={onDone} />}
    </div>
  );
}
