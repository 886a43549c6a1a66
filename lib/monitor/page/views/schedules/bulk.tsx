/** What is done to the schedules that are selected: each has its own end, which is told. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

import type { ManyAnswer, ScheduleView } from '../../../answers.ts';
import { useAction } from '../../data/action.ts';
import { act } from '../../data/api.ts';
import { Button, Field } from '../../parts/controls.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icons.tsx';
import { ProblemNote } from '../../parts/loaded.tsx';
import { Table } from '../../parts/table.tsx';
import { Hostile } from '../../parts/text.tsx';
import { counted } from '../../pure/words.ts';

type What = 'enable' | 'disable' | 'follow-code' | 'run' | 'delete';

interface Words {
  readonly verb: string;
  readonly done: string;
  readonly hint: string;
}

const WORDS: Readonly<Record<What, Words>> = {
  enable: { verb: 'Enable', done: 'enabled', hint: 'They fire from their next ticks on.' },
  disable: {
    verb: 'Disable',
    done: 'disabled',
    hint: 'They do not fire until they are enabled, over deployments too.',
  },
  'follow-code': {
    verb: 'Hand back',
    done: 'as their code says',
    hint: 'What somebody has said over the code of declared entries is taken back. Stored ones have no code.',
  },
  run: {
    verb: 'Run',
    done: 'sent',
    hint: 'Their tasks are sent once, with their own arguments. Next ticks stay where they are.',
  },
  delete: {
    verb: 'Delete',
    done: 'deleted',
    hint: 'They fire no more, and their counts are gone. Declared ones stay: they go with their code.',
  },
};

interface BulkProps {
  readonly entries: readonly ScheduleView[];
  /** How many rows are shown. */
  readonly shown: number;
  readonly onAll: () => void;
  readonly onNone: () => void;
}

export function ScheduleBulk({ entries, shown, onAll, onNone }: BulkProps): VNode {
  const [asked, setAsked] = useState<What>();
  return (
    <div class="bulk" role="group" aria-label="What to do with those that are selected">
      <b>{counted(entries.length, 'schedule')} selected</b>
      {entries.length < shown && <Button onClick={onAll}>All {shown}</Button>}
      <Button icon="play" onClick={() => setAsked('enable')}>
        Enable…
      </Button>
      <Button icon="pause" onClick={() => setAsked('disable')}>
        Disable…
      </Button>
      <Button
        icon="undo"
        disabled={entries.every(({ choice }) => choice === null)}
        onClick={() => setAsked('follow-code')}
      >
        Hand back…
      </Button>
      <Button icon="play" onClick={() => setAsked('run')}>
        Run…
      </Button>
      <Button
        icon="trash"
        disabled={entries.every(({ source }) => source === 'code')}
        onClick={() => setAsked('delete')}
      >
        Delete…
      </Button>
      <Button icon="close" kind="bare" label="Select none" onClick={onNone} />
      {asked !== undefined && (
        <ManyDialog names={entries.map(({ name }) => name)} what={asked} onClose={() => setAsked(undefined)} />
      )}
    </div>
  );
}

// As many as one request takes.
const AT_ONCE = 100;

interface ManyProps {
  readonly names: readonly string[];
  readonly what: What;
  readonly onClose: () => void;
}

function ManyDialog({ names: given, what, onClose }: ManyProps): VNode {
  // Those that are deleted are selected no more, while their ends are still read.
  const [names] = useState(given);
  const [typed, setTyped] = useState('');
  const [results, setResults] = useState<ManyAnswer['results']>();
  const { verb, done } = WORDS[what];
  const title = `${verb} ${counted(names.length, 'schedule')}`;
  const many = useAction(async () => {
    const ends: ManyAnswer['results'][number][] = [];
    for (let from = 0; from < names.length; from += AT_ONCE) {
      const some = names.slice(from, from + AT_ONCE);
      ends.push(...(await act<ManyAnswer>('/api/schedules/many', { names: some, what })).results);
      setResults([...ends]);
    }
  });
  const isBad = what === 'delete';
  const isAllowed = !many.isBusy && results === undefined && (!isBad || typed === String(names.length));
  const submit = { title: many.isBusy ? 'Working…' : title, isBad, isAllowed };
  return (
    <Dialog
      title={title}
      wide
      onClose={onClose}
      onSubmit={() => {
        if (isAllowed) many.run();
      }}
      footer={<Footer isOver={results !== undefined && !many.isBusy} submit={submit} onClose={onClose} />}
    >
      {results === undefined ? (
        <Question names={names} what={what} {...(isBad ? { typed, onType: setTyped } : {})} />
      ) : (
        <Ends results={results} of={names.length} done={done} />
      )}
      {many.problem !== undefined && <ProblemNote error={many.problem} />}
    </Dialog>
  );
}

interface FooterProps {
  readonly isOver: boolean;
  readonly submit: { readonly title: string; readonly isBad: boolean; readonly isAllowed: boolean };
  readonly onClose: () => void;
}

function Footer({ isOver, submit, onClose }: FooterProps): VNode {
  return (
    <>
      <span class="grow" />
      {isOver ? (
        <Button kind="main" onClick={onClose}>
          Close
        </Button>
      ) : (
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind={submit.isBad ? 'bad-main' : 'main'} disabled={!submit.isAllowed}>
            {submit.title}
          </Button>
        </>
      )}
    </>
  );
}

interface QuestionProps {
  readonly names: readonly string[];
  readonly what: What;
  /** Where how many they are has to be typed. */
  readonly typed?: string;
  readonly onType?: (typed: string) => void;
}

function Question({ names, what, typed, onType }: QuestionProps): VNode {
  return (
    <>
      <p>{WORDS[what].hint}</p>
      <ul class="names mono">
        {names.map((name) => (
          <li key={name}>
            <Hostile text={name} most={120} />
          </li>
        ))}
      </ul>
      {onType !== undefined && (
        <Field label={`Type how many, ${names.length}, to go on`}>
          <input
            class="input mono"
            autocomplete="off"
            inputMode="numeric"
            value={typed}
            onInput={(event) => onType(event.currentTarget.value)}
          />
        </Field>
      )}
    </>
  );
}

interface EndsProps {
  readonly results: ManyAnswer['results'];
  readonly of: number;
  readonly done: string;
}

/** Those that were refused first. */
function Ends({ results, of, done }: EndsProps): VNode {
  const good = results.filter(({ ok }) => ok).length;
  const sorted = results.toSorted((left, right) => Number(left.ok) - Number(right.ok));
  return (
    <>
      <p role="status">
        <b>
          {good} of {of} {done}.
        </b>
      </p>
      <Table label="How each ended" class="cards" regionClass="table-low" columns={['Schedule', 'End']}>
        {sorted.map(({ name, ok, error }) => (
          <tr key={name}>
            <td class="whole">
              <Hostile class="mono" text={name} most={120} />
            </td>
            <td class="whole">
              {ok ? (
                <span class="row tone-ok">
                  <Icon name="succeeded" /> done
                </span>
              ) : (
                <Hostile class="error-text" text={error ?? ''} most={400} />
              )}
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}
