import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

import type { TaskAnswer } from '../../../answers.ts';
import { useMayAct } from '../../data/queries.ts';
import { Button } from '../../parts/controls.tsx';
import { isFinal } from '../../pure/states.ts';
import { CallDialog } from './call-dialog.tsx';
import { RedriveTasksDialog } from './redrive-dialog.tsx';
import { RevokeDialog } from './revoke-dialog.tsx';

/** What can be done with it: missing for viewers, greyed where it cannot be done now. */
export function TaskActions({ task }: { readonly task: TaskAnswer }): VNode | null {
  const mayAct = useMayAct();
  const [asked, setAsked] = useState<'again' | 'revoke' | 'redrive'>();
  if (!mayAct) return null;
  const close = (): void => setAsked(undefined);
  const isDead = task.story?.deadLetter != null;
  const isOver = isFinal(task.state);
  return (
    <>
      {task.name !== null && (
        <Button icon="edit" onClick={() => setAsked('again')}>
          Run again…
        </Button>
      )}
      <Button
        icon="revoked"
        disabled={isOver}
        {...(isOver ? { title: 'It has ended.' } : {})}
        onClick={() => setAsked('revoke')}
      >
        Revoke…
      </Button>
      {isDead && (
        <Button icon="retrying" kind="main" data-retry onClick={() => setAsked('redrive')}>
          Retry…
        </Button>
      )}
      {asked === 'again' && task.name !== null && <CallDialog name={task.name} insteadOf={task} onClose={close} />}
      {asked === 'revoke' && <RevokeDialog ids={[task.id]} onClose={close} />}
      {asked === 'redrive' && <RedriveTasksDialog ids={[task.id]} onClose={close} />}
    </>
  );
}
