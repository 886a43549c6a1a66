import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import type { LettersReport } from '../../../answers.ts';
import { act } from '../../data/api.ts';
import { useLetter } from '../../data/queries.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Note } from '../../parts/controls.tsx';
import { tell } from '../../parts/toast.tsx';
import { jsonText, parseArgs, parseKwargs } from '../../pure/json-fields.ts';
import { reportText } from '../../pure/letters.ts';
import { shortId } from '../../pure/words.ts';
import { JsonField } from '../task/call-dialog.tsx';

interface EditProps {
  readonly id: string;
  readonly queue: string;
  readonly onClose: () => void;
}

/** Sends a letter back with other arguments. */
export function EditLetterDialog({ id, queue, onClose }: EditProps): VNode {
  const { data } = useLetter(id, queue);
  const letter = data?.letters[0];
  const [args, setArgs] = useState('');
  const [kwargs, setKwargs] = useState('');
  useEffect(() => {
    if (letter?.args === undefined) return;
    setArgs(jsonText(letter.args));
    setKwargs(jsonText(letter.kwargs ?? {}));
    // Once, when they have come: what is typed meanwhile stays afterwards.
  }, [letter?.messageId]);
  const parsedArgs = parseArgs(args);
  const parsedKwargs = parseKwargs(kwargs);
  const isReadable = letter?.args !== undefined;
  const redrive = async (): Promise<void> => {
    if (!('value' in parsedArgs) || !('value' in parsedKwargs)) return;
    const edit = { args: parsedArgs.value, kwargs: parsedKwargs.value };
    tell(reportText(await act<LettersReport>('/api/dead-letters/redrive', { id, queue, edit })));
  };
  return (
    <Confirm
      title={`Edit and redrive ${shortId(id)}`}
      button="Redrive with these"
      isReady={isReadable && 'value' in parsedArgs && 'value' in parsedKwargs}
      onConfirm={redrive}
      onClose={onClose}
    >
      {data !== undefined && !isReadable && (
        <Note tone="warn">
          Its arguments cannot be read here: this monitor does not show values, or the letter is hidden for a moment.
        </Note>
      )}
      <JsonField
        label="Arguments"
        value={args}
        onChange={setArgs}
        error={'error' in parsedArgs ? parsedArgs.error : undefined}
        hint="A JSON list"
      />
      <JsonField
        label="Keyword arguments"
        value={kwargs}
        onChange={setKwargs}
        error={'error' in parsedKwargs ? parsedKwargs.error : undefined}
        hint="A JSON object"
      />
      <p class="hint">It runs under its id, as a new attempt.</p>
    </Confirm>
  );
}
