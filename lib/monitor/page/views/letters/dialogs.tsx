/** What is done to a group of letters; counted again by the server before, and asked until it is complete. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

import { useLettersGone } from '../../data/letters-gone.ts';
import { untilComplete } from '../../data/until-complete.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Choice, Field, Note } from '../../parts/controls.tsx';
import { Hostile } from '../../parts/text.tsx';
import { tell } from '../../parts/toast.tsx';
import { plainText } from '../../pure/hostile-text.ts';
import { lettersText, paceText, reportText } from '../../pure/letters.ts';
import { count } from '../../pure/words.ts';
import type { Group } from './group.ts';

interface GroupDialogProps {
  readonly group: Group;
  readonly onClose: () => void;
}

const RATES = [1, 5, 20, 100];

export function RedriveDialog({ group, onClose }: GroupDialogProps): VNode {
  const [many, setMany] = useState<'one' | 'all'>('all');
  const [rate, setRate] = useState('5');
  const { queue, fingerprint, task = 'a message' } = group;
  const first = group.ids[0];
  const letters = many === 'one' ? 1 : group.count;
  const take = useLettersGone();
  const redrive = async (): Promise<void> => {
    const chosen = many === 'one' ? { id: first } : { fingerprint, ...(rate === '' ? {} : { rate: `${rate}/s` }) };
    const report = await untilComplete('/api/dead-letters/redrive', { queue, ...chosen }, letters);
    take(many === 'one' ? { ids: group.ids.slice(0, 1) } : { queue, fingerprint }, report, letters);
    tell(reportText(report));
  };
  return (
    <Confirm
      title={<Hostile text={`Redrive ${lettersText(group.count)} of ${task}`} most={160} />}
      button={`Redrive ${count(letters)}`}
      hint="Close the page to stop it"
      onConfirm={redrive}
      onClose={onClose}
    >
      <p>
        They go back to <Hostile class="mono" text={queue} most={80} /> and run again under their ids, as new attempts,
        on the code that is deployed now.
      </p>
      <Note tone="warn" icon="warning">
        What has not changed since fails again. Try one first: its task shows how it ends.
      </Note>
      <div class="field">
        <span>How many</span>
        <Choice
          label="How many"
          options={[
            ...(first === undefined ? [] : [{ value: 'one' as const, text: 'One, to try' }]),
            { value: 'all' as const, text: `All ${count(group.count)}` },
          ]}
          value={many}
          onChoose={setMany}
        />
      </div>
      {many === 'all' && (
        <Field label="Rate">
          <select class="input" value={rate} onChange={(event) => setRate(event.currentTarget.value)}>
            {RATES.map((each) => (
              <option key={each} value={String(each)}>
                {paceText(each, group.count)}
              </option>
            ))}
            <option value="">as fast as it goes</option>
          </select>
        </Field>
      )}
    </Confirm>
  );
}

export function DropDialog({ group, onClose }: GroupDialogProps): VNode {
  const { queue, fingerprint, task } = group;
  const take = useLettersGone();
  const drop = async (): Promise<void> => {
    const report = await untilComplete('/api/dead-letters/drop', { queue, fingerprint }, group.count);
    take({ queue, fingerprint }, report, group.count);
    tell(reportText(report));
  };
  const what = lettersText(group.count);
  return (
    <Confirm
      title={`Drop ${what}`}
      button={`Drop ${what}`}
      isBad
      typedName={plainText(task ?? queue, 80)}
      onConfirm={drop}
      onClose={onClose}
    >
      <p>They are deleted for good: their arguments are nowhere else. What the history tells of them stays.</p>
    </Confirm>
  );
}
