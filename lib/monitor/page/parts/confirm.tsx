/** Asks before something is done: what it hits, how many, what follows. */
import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';

import { useAction } from '../data/action.ts';
import { Button, Field } from './controls.tsx';
import { Dialog } from './dialog.tsx';
import { ProblemNote } from './loaded.tsx';

interface ConfirmProps {
  readonly title: ComponentChildren;
  /** The verb with its object. */
  readonly button: string;
  readonly isBad?: boolean;
  /** Has to be typed: for what cannot be taken back. */
  readonly typedName?: string;
  readonly wide?: boolean;
  readonly isReady?: boolean;
  readonly hint?: ComponentChildren;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
}

export function Confirm(props: ConfirmProps): VNode {
  const {
    title,
    button,
    isBad = false,
    typedName,
    wide = false,
    isReady = true,
    hint,
    onConfirm,
    onClose,
    children,
  } = props;
  const [typed, setTyped] = useState('');
  const action = useAction(async () => {
    await onConfirm();
    onClose();
  });
  const isAllowed = isReady && !action.isBusy && (typedName === undefined || typed === typedName);
  return (
    <Dialog
      title={title}
      wide={wide}
      onClose={onClose}
      onSubmit={() => {
        if (isAllowed) action.run();
      }}
      footer={
        <>
          <span class="hint grow">{hint}</span>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind={isBad ? 'bad-main' : 'main'} disabled={!isAllowed}>
            {action.isBusy ? 'Working…' : button}
          </Button>
        </>
      }
    >
      {children}
      {typedName !== undefined && (
        <Field label={`Type ${typedName} to go on`}>
          <input
            class="input mono"
            autocomplete="off"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </Field>
      )}
      {action.problem !== undefined && <ProblemNote error={action.problem} />}
    </Dialog>
  );
}
