import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';

import type { DeadLettersAnswer } from '../../../answers.ts';
import { useMayAct } from '../../data/queries.ts';
import { Button } from '../../parts/controls.tsx';
import { ACTIONS, numberColumn, Table } from '../../parts/table.tsx';
import { Ago, BLOCK_CHARACTERS, Hostile } from '../../parts/text.tsx';
import { count, counted, shortId } from '../../pure/words.ts';
import type { Group } from './group.ts';
import { RedriveTasksDialog } from '../task/redrive-dialog.tsx';
import { EditLetterDialog } from './edit-dialog.tsx';

type Letter = DeadLettersAnswer['letters'][number];

export function GroupLetters({
  group,
  letters,
}: {
  readonly group: Group;
  readonly letters: readonly Letter[];
}): VNode {
  return (
    <div class="group-open">
      <pre class="code code-wrap" tabIndex={0} aria-label="Error">
        <Hostile text={group.error} most={BLOCK_CHARACTERS} />
      </pre>
      <Table
        label="Letters of the group"
        class="cards letters"
        regionClass="boxed"
        columns={['Task', 'Arguments', numberColumn('Tried'), numberColumn('Gave up'), ACTIONS]}
      >
        {letters.map((letter) => (
          <LetterRow key={letter.messageId} letter={letter} />
        ))}
      </Table>
      {letters.length < group.count && (
        <p class="hint">
          {count(letters.length)} of {count(group.count)} shown: the newest.
        </p>
      )}
    </div>
  );
}

function LetterRow({ letter }: { readonly letter: Letter }): VNode {
  const mayAct = useMayAct();
  const [asked, setAsked] = useState<'redrive' | 'edit'>();
  const { id, argsrepr, retries, failedAt } = letter;
  const close = (): void => setAsked(undefined);
  return (
    <tr>
      <td>
        {id === undefined ? (
          <span class="faint">no id</span>
        ) : (
          <Link class="name" href={`/tasks/${encodeURIComponent(id)}`}>
            {shortId(id)}
          </Link>
        )}
      </td>
      <td class="whole">
        <Hostile class="repr" text={argsrepr} title />
      </td>
      <td class="number">{retries === undefined ? '' : counted(retries + 1, 'attempt')}</td>
      <td class="number">
        <Ago at={failedAt} />
      </td>
      <td class="whole">
        {mayAct && id !== undefined && (
          <span class="row letter-actions">
            <Button icon="edit" onClick={() => setAsked('edit')}>
              Edit…
            </Button>
            <Button icon="undo" onClick={() => setAsked('redrive')}>
              Redrive…
            </Button>
          </span>
        )}
        {asked === 'redrive' && id !== undefined && <RedriveTasksDialog ids={[id]} onClose={close} />}
        {asked === 'edit' && id !== undefined && <EditLetterDialog id={id} queue={letter.queue} onClose={close} />}
      </td>
    </tr>
  );
}
