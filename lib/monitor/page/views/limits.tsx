/** Locks, slots and rates: who holds, since and until when, who waits; freed by hand. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useLocation, useSearch } from 'wouter-preact';

import type { CatalogueTask, LocksAnswer } from '../../answers.ts';
import { act } from '../data/api.ts';
import { useCatalogue, useLocks, useMayAct } from '../data/queries.ts';
import { Confirm } from '../parts/confirm.tsx';
import { Button, Note, Panel } from '../parts/controls.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { ACTIONS, numberColumn, Table } from '../parts/table.tsx';
import { Ago, At, Hostile } from '../parts/text.tsx';
import { tell } from '../parts/toast.tsx';
import { View } from '../parts/view.tsx';
import { plainText } from '../pure/hostile-text.ts';
import { count } from '../pure/words.ts';
import { RatePanel } from './limits/rates.tsx';
import { SlotsPanel } from './limits/slots.tsx';

export function LimitsView(): VNode {
  return (
    <View title="Limits and locks">
      <Loaded query={useCatalogue()}>
        {({ tasks }) => (
          <>
            <Slots tasks={tasks} />
            <RatePanel tasks={tasks} />
          </>
        )}
      </Loaded>
      <Loaded query={useLocks()} rows={3}>
        {(answer) => <Locks answer={answer} />}
      </Loaded>
    </View>
  );
}

/** Of a task and, where it has keys, one of them: lines of keys that nobody names are not listed anywhere. */
function Slots({ tasks }: { readonly tasks: readonly CatalogueTask[] }): VNode {
  const [, go] = useLocation();
  const query = new URLSearchParams(useSearch());
  const limited = tasks.filter(({ concurrency, oneInstance }) => concurrency !== undefined || oneInstance === true);
  const task = query.get('task') ?? limited[0]?.name ?? '';
  const key = query.get('key') ?? '';
  const show = (change: { readonly task?: string; readonly key?: string }): void =>
    go(`/limits?${new URLSearchParams({ task, key, ...change })}`);
  return (
    <Panel title="Concurrency" hint="who runs, and who waits in which order">
      <form class="row wrap limits-form" onSubmit={(event) => event.preventDefault()}>
        <input
          class="input input-small mono grow"
          list="limited-tasks"
          aria-label="Task"
          placeholder="Task"
          value={task}
          onChange={(event) => show({ task: event.currentTarget.value })}
        />
        <datalist id="limited-tasks">
          {limited.map(({ name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <input
          class="input input-small mono"
          aria-label="Key"
          placeholder="Key, where it has some"
          value={key}
          onChange={(event) => show({ key: event.currentTarget.value })}
        />
      </form>
      {task === '' ? (
        <p class="hint body">No task is limited, or only the app’s code knows which.</p>
      ) : (
        <SlotsPanel task={task} slotKey={key} />
      )}
    </Panel>
  );
}

type Lock = LocksAnswer['locks'][number];

function Locks({ answer }: { readonly answer: LocksAnswer }): VNode {
  const { locks, more } = answer;
  if (locks.length === 0) return <Note icon="limits">No lock is held.</Note>;
  return (
    <Panel title="Locks" hint={`${count(locks.length)}${more ? ' and more' : ''} held`}>
      <Table label="Locks" class="cards locks" columns={['Key', 'Held by', 'Until', numberColumn('Token'), ACTIONS]}>
        {locks.map((lock) => (
          <LockRow key={lock.key} lock={lock} />
        ))}
      </Table>
    </Panel>
  );
}

function LockRow({ lock }: { readonly lock: Lock }): VNode {
  const { key, owner, info, until, token } = lock;
  const [isAsking, setAsking] = useState(false);
  const mayAct = useMayAct();
  const name = plainText(key, 80);
  return (
    <tr>
      <td>
        <Hostile class="name" text={key} most={160} title />
      </td>
      <td>
        <Hostile text={info ?? owner} most={120} title />
      </td>
      <td>
        <At at={until} />{' '}
        <span class="faint">
          <Ago at={until} />
        </span>
      </td>
      <td class="number">{count(token)}</td>
      <td>
        {mayAct && (
          <Button icon="unlock" onClick={() => setAsking(true)}>
            Free…
          </Button>
        )}
        {isAsking && (
          <Confirm
            title={`Free ${name}`}
            button={`Free ${name}`}
            isBad
            onClose={() => setAsking(false)}
            onConfirm={async () => {
              await act('/api/locks/free', { key, token });
              tell(`${name} is free.`);
            }}
          >
            <p>
              Who has it is not told before it renews or ends: until then it and the next one may run at the same time.
              Writes that check the token ({count(token)}) stay safe.
            </p>
          </Confirm>
        )}
      </td>
    </tr>
  );
}
