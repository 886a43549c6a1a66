/** The tasks of the service: what is known of each, and a form to call it. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';

import type { CatalogueTask } from '../../answers.ts';
import { useCatalogue, useMayAct } from '../data/queries.ts';
import { Button, Note } from '../parts/controls.tsx';
import { Icon } from '../parts/icons.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { ACTIONS, Table } from '../parts/table.tsx';
import { Hostile } from '../parts/text.tsx';
import { View } from '../parts/view.tsx';
import { tasksAddress } from '../pure/task-filters.ts';
import { counted, duration } from '../pure/words.ts';
import { RateText } from './limits/rates.tsx';
import { CallDialog } from './task/call-dialog.tsx';

export function CatalogueView(): VNode {
  const [sought, setSought] = useState('');
  return (
    <View
      title="Task catalogue"
      actions={
        <div class="search" role="search">
          <Icon name="search" />
          <input
            class="input input-small"
            type="search"
            data-search
            aria-label="Search the catalogue"
            placeholder="Name or queue"
            value={sought}
            onInput={(event) => setSought(event.currentTarget.value)}
          />
          <kbd>/</kbd>
        </div>
      }
    >
      <Loaded query={useCatalogue()}>
        {({ tasks, hasCode }) => (
          <>
            {!hasCode && (
              <Note>
                Names alone are known of some: options and schemas stand in the app’s code, which this monitor has not
                loaded.
              </Note>
            )}
            <Catalogue
              tasks={tasks.filter(({ name, queue }) => `${name} ${queue}`.toLowerCase().includes(sought.toLowerCase()))}
            />
          </>
        )}
      </Loaded>
    </View>
  );
}

function Catalogue({ tasks }: { readonly tasks: readonly CatalogueTask[] }): VNode {
  return (
    <section class="panel" aria-label="Tasks">
      <header class="panel-head">
        <h2>{counted(tasks.length, 'task')}</h2>
      </header>
      <Table label="Task catalogue" class="cards catalogue" columns={['Task', 'Queue', 'Limits', ACTIONS]}>
        {tasks.map((task) => (
          <Row key={task.name} task={task} />
        ))}
      </Table>
    </section>
  );
}

function Row({ task }: { readonly task: CatalogueTask }): VNode {
  const { name, queue, concurrency, oneInstance, timeLimit, rateLimit, rateLimitNow, marked, schema } = task;
  const mayAct = useMayAct();
  const [isCalling, setCalling] = useState(false);
  return (
    <tr>
      <td>
        <Link class="name" href={tasksAddress({ task: name })}>
          <Hostile text={name} most={160} />
        </Link>
      </td>
      <td>
        <Hostile text={queue} most={80} />
      </td>
      <td>
        <span class="row wrap">
          {(rateLimit !== undefined || rateLimitNow !== undefined) && <RateText task={task} />}
          {concurrency !== undefined && <span class="tag">{concurrency} at once</span>}
          {oneInstance === true && <span class="tag">one instance</span>}
          {timeLimit !== undefined && <span class="tag">ends after {duration(timeLimit)}</span>}
          {marked && <span class="tag">unique or thinned out</span>}
        </span>
      </td>
      <td>
        {mayAct && (
          <Button icon="play" onClick={() => setCalling(true)}>
            Call…
          </Button>
        )}
        {isCalling && <CallDialog name={name} schema={schema} onClose={() => setCalling(false)} />}
      </td>
    </tr>
  );
}
