import type { VNode } from 'preact';
import { Link } from 'wouter-preact';

import type { SlotsAnswer } from '../../../answers.ts';
import { useSlots } from '../../data/queries.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Ago, At } from '../../parts/text.tsx';
import { count, shortId } from '../../pure/words.ts';

export function SlotsPanel({ task, slotKey }: { readonly task: string; readonly slotKey: string }): VNode {
  return (
    <div class="body">
      <Loaded query={useSlots(task, slotKey)} rows={2} isBare>
        {(slots) => <Shown slots={slots} />}
      </Loaded>
    </div>
  );
}

// More squares than this nobody counts.
const SQUARES = 10;

function Shown({ slots }: { readonly slots: SlotsAnswer }): VNode {
  const { limit, active, scheduled, reserved, waiting } = slots;
  const held = active.length + scheduled.length;
  return (
    <>
      <div class="row wrap">
        {limit !== null && limit <= SQUARES && (
          <span class="slots" aria-hidden="true">
            {Array.from({ length: limit }, (_, index) => (
              <i key={index} class={index < held ? 'held' : ''} />
            ))}
          </span>
        )}
        <b>
          {count(held)} of {limit === null ? 'a limit that no worker has told yet' : count(limit)} held
        </b>
        <span class={waiting > 0 ? 'tone-warn strong' : 'faint'}>
          {waiting > 0 ? `${count(waiting)} wait` : 'nobody waits'}
        </span>
      </div>
      <ul class="holders">
        {[...active, ...scheduled].map(({ id, until }) => (
          <li key={id} class="pill">
            <Link class="mono" href={`/tasks/${encodeURIComponent(id)}`}>
              {shortId(id)}
            </Link>{' '}
            until <At at={until} />
          </li>
        ))}
      </ul>
      {reserved.length > 0 && (
        <ol class="holders">
          {reserved.map(({ id, since }, index) => (
            <li key={id} class="pill">
              {index + 1}.{' '}
              <Link class="mono" href={`/tasks/${encodeURIComponent(id)}`}>
                {shortId(id)}
              </Link>{' '}
              waits since <Ago at={since} />
            </li>
          ))}
        </ol>
      )}
    </>
  );
}
