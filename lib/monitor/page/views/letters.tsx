/** Dead letters: grouped by task, error and shape of message; the count first. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useLocation, useSearch } from 'wouter-preact';

import type { DeadLettersAnswer } from '../../answers.ts';
import { useDeadLetters, useMayAct, useQueues } from '../data/queries.ts';
import { Button, Note } from '../parts/controls.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Ago, Hostile } from '../parts/text.tsx';
import { View } from '../parts/view.tsx';
import { plainText } from '../pure/hostile-text.ts';
import { lettersText } from '../pure/letters.ts';
import { count, counted } from '../pure/words.ts';
import type { Group } from './letters/group.ts';
import { DropDialog, RedriveDialog } from './letters/dialogs.tsx';
import { GroupLetters } from './letters/group-letters.tsx';

export function LettersView(): VNode {
  const [, go] = useLocation();
  const queue = new URLSearchParams(useSearch()).get('queue') ?? '';
  const query = useDeadLetters(queue);
  const { data: queues } = useQueues();
  return (
    <View
      title="Dead letters"
      live={false}
      actions={
        <>
          <select
            class="input input-small"
            aria-label="Queue"
            value={queue}
            onChange={({ currentTarget: { value } }) =>
              go(value === '' ? '/dead-letters' : `/dead-letters?queue=${encodeURIComponent(value)}`)
            }
          >
            <option value="">Any queue</option>
            {(queues?.queues ?? []).map(({ queue: name }) => (
              <option key={name} value={name}>
                {plainText(name, 60)}
              </option>
            ))}
          </select>
          <Button icon="retrying" disabled={query.isFetching} onClick={() => void query.refetch()}>
            {query.isFetching ? 'Looking…' : 'Look again'}
          </Button>
        </>
      }
    >
      <Loaded query={query}>{(answer) => <Letters answer={answer} />}</Loaded>
    </View>
  );
}

function Letters({ answer }: { readonly answer: DeadLettersAnswer }): VNode {
  const { groups, complete, letters } = answer;
  const all = groups.reduce((sum, group) => sum + group.count, 0);
  if (groups.length === 0)
    return (
      <Note icon="succeeded">
        {complete
          ? 'No letter lies in a dead-letter queue.'
          : 'None was found; others may be hidden for half a minute, since somebody looks at them.'}
      </Note>
    );
  const sorted = groups.toSorted((left, right) => right.count - left.count);
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>
          {lettersText(all)}, {counted(groups.length, 'error')}
        </h2>
        <span class="hint">grouped by task, error and shape of its message</span>
      </header>
      {!complete && <p class="hint table-end">There may be more: looking stops where it takes too long.</p>}
      {sorted.map((group) => (
        <GroupRow key={`${group.queue} ${group.fingerprint}`} group={group} letters={letters} />
      ))}
    </section>
  );
}

interface GroupProps {
  readonly group: Group;
  readonly letters: DeadLettersAnswer['letters'];
}

function GroupRow({ group, letters }: GroupProps): VNode {
  const [isOpen, setOpen] = useState(false);
  const [asked, setAsked] = useState<'redrive' | 'drop'>();
  const mayAct = useMayAct();
  const close = (): void => setAsked(undefined);
  const { task, error, queue, lastAt, firstAt } = group;
  return (
    <div class="group">
      <div class="group-row">
        <Button
          icon="chevron"
          kind="bare"
          label={isOpen ? 'Close the group' : 'Open the group'}
          expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        />
        <b class="group-count">{count(group.count)}</b>
        <div class="grow">
          <p class="cut">
            <Hostile class="error-text strong" text={error} title />
          </p>
          <p class="cut">
            <Hostile class="name" text={task ?? 'a message that cannot be read'} most={120} />{' '}
            <span class="faint">
              <Hostile text={queue} most={60} />
            </span>
          </p>
        </div>
        <span class="hint group-when">
          last <Ago at={lastAt} />
          <br />
          first <Ago at={firstAt} />
        </span>
        {mayAct && (
          <span class="row group-actions">
            <Button icon="undo" kind="main" onClick={() => setAsked('redrive')}>
              Redrive {count(group.count)}…
            </Button>
            <Button
              icon="trash"
              kind="bare"
              label={`Drop ${lettersText(group.count)}…`}
              onClick={() => setAsked('drop')}
            />
          </span>
        )}
      </div>
      {isOpen && (
        <GroupLetters group={group} letters={letters.filter(({ fingerprint }) => fingerprint === group.fingerprint)} />
      )}
      {asked === 'redrive' && <RedriveDialog group={group} onClose={close} />}
      {asked === 'drop' && <DropDialog group={group} onClose={close} />}
    </div>
  );
}
