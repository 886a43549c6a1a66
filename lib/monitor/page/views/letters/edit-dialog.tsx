import type { VNode } from 'preact';

import type { LettersReport } from '../../../answers.ts';
import { act } from '../../data/api.ts';
import { useLettersGone } from '../../data/letters-gone.ts';
import { ArgumentsFields, useArguments } from '../../parts/arguments.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Note } from '../../parts/controls.tsx';
import { tell } from '../../parts/toast.tsx';
import { reportText } from '../../pure/letters.ts';
import { shortId } from '../../pure/words.ts';

interface EditProps {
  readonly id: string;
  readonly queue: string;
  readonly onClose: () => void;
}

/** Sends a letter back with other arguments. */
export function EditLetterDialog({ id, queue, onClose }: EditProps): VNode {
  const { typed, change, parsed, isKept } = useArguments({ id, queue });
  const take = useLettersGone();
  const redrive = async (): Promise<void> => {
    const report = await act<LettersReport>('/api/dead-letters/redrive', { id, queue, edit: parsed });
    take({ ids: [id] }, report, 1);
    tell(reportText(report));
  };
  return (
    <Confirm
      title={`Edit and redrive ${shortId(id)}`}
      button="Redrive with these"
      isReady={isKept === true && parsed !== undefined}
      onConfirm={redrive}
      onClose={onClose}
    >
      {isKept === false && (
        <Note tone="warn">
          Its arguments cannot be read here: this monitor does not show values, or the letter is hidden for a moment.
        </Note>
      )}
      <ArgumentsFields typed={typed} onChange={change} />
      <p class="hint">It runs under its id, as a new attempt.</p>
    </Confirm>
  );
}
