import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

import type { RevokedAnswer } from '../../../answers.ts';
import { act } from '../../data/api.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { tell } from '../../parts/toast.tsx';
import { counted, listed, shortId } from '../../pure/words.ts';

interface RevokeProps {
  readonly ids: readonly string[];
  readonly onClose: () => void;
  readonly onDone?: () => void;
}

export function RevokeDialog({ ids, onClose, onDone }: RevokeProps): VNode {
  const [isTerminating, setTerminating] = useState(false);
  const revoke = async (): Promise<void> => {
    const { states } = await act<RevokedAnswer>('/api/tasks/revoke', { ids, terminate: isTerminating });
    const revoked = states.filter((state) => state === 'REVOKED').length;
    tell(
      revoked === ids.length
        ? `${counted(revoked, 'task')} revoked.`
        : `${counted(revoked, 'task')} of ${ids.length} revoked; the others had ended, or end by themselves.`,
    );
    onDone?.();
  };
  return (
    <Confirm
      title={`Revoke ${counted(ids.length, 'task')}`}
      button={`Revoke ${counted(ids.length, 'task')}`}
      isBad
      onConfirm={revoke}
      onClose={onClose}
    >
      <p>
        <code>{listed(ids.map(shortId))}</code> will not start. What has ended keeps its state.
      </p>
      <label class="row">
        <input
          type="checkbox"
          checked={isTerminating}
          onChange={(event) => setTerminating(event.currentTarget.checked)}
        />
        <span>End those that run as well (terminate)</span>
      </label>
      {isTerminating && <p class="hint">Their code is told to stop, and what it has done so far stays done.</p>}
    </Confirm>
  );
}
