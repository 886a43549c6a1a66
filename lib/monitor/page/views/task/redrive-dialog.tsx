/** Sends back tasks that lie in dead-letter queues. */
import type { VNode } from 'preact';

import { useLettersGone } from '../../data/letters-gone.ts';
import { untilComplete } from '../../data/until-complete.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { tell } from '../../parts/toast.tsx';
import { reportText } from '../../pure/letters.ts';
import { counted, listed, shortId } from '../../pure/words.ts';

interface RedriveProps {
  readonly ids: readonly string[];
  readonly onClose: () => void;
  readonly onDone?: () => void;
}

export function RedriveTasksDialog({ ids, onClose, onDone }: RedriveProps): VNode {
  const take = useLettersGone();
  const redrive = async (): Promise<void> => {
    const report = await untilComplete('/api/dead-letters/redrive', { id: ids }, ids.length);
    take({ ids }, report, ids.length);
    tell(reportText(report));
    onDone?.();
  };
  const what = counted(ids.length, 'task');
  return (
    <Confirm title={`Retry ${what}`} button={`Retry ${what}`} onConfirm={redrive} onClose={onClose}>
      <p>
        <code>{listed(ids.map(shortId))}</code> {ids.length === 1 ? 'goes' : 'go'} back from the dead-letter queue, and{' '}
        {ids.length === 1 ? 'runs' : 'run'} again under {ids.length === 1 ? 'its id' : 'their ids'}, on the code that is
        deployed now.
      </p>
      <p class="hint">What they did before they failed is done twice, unless they are idempotent.</p>
    </Confirm>
  );
}
