import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';

import type { CatalogueTask, RateAnswer } from '../../../answers.ts';
import { act } from '../../data/api.ts';
import { useMayAct } from '../../data/queries.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Button, Field, Panel } from '../../parts/controls.tsx';
import { Hostile } from '../../parts/text.tsx';
import { tell } from '../../parts/toast.tsx';
import { plainText } from '../../pure/hostile-text.ts';
import { tasksAddress } from '../../pure/task-filters.ts';

export function RatePanel({ tasks }: { readonly tasks: readonly CatalogueTask[] }): VNode | null {
  const limited = tasks.filter(({ rateLimit, rateLimitNow }) => rateLimit !== undefined || rateLimitNow !== undefined);
  if (limited.length === 0) return null;
  return (
    <Panel title="Rate limits" hint="over all workers">
      <ul class="lines">
        {limited.map((task) => (
          <li key={task.name}>
            <Link class="name grow cut" href={tasksAddress({ task: task.name })}>
              <Hostile text={task.name} most={120} />
            </Link>
            <RateText task={task} />
            <RateButton task={task} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function RateText({ task: { rateLimit, rateLimitNow } }: { readonly task: CatalogueTask }): VNode {
  if (rateLimitNow === undefined) return <span>{rateLimit ?? 'no limit'}</span>;
  return (
    <span>
      <b class="tone-warn">{rateLimitNow === '0' ? 'no limit' : rateLimitNow}</b>{' '}
      <span class="faint">by an operator; {rateLimit ?? 'no limit'} in code</span>
    </span>
  );
}

export function RateButton({ task }: { readonly task: CatalogueTask }): VNode | null {
  const mayAct = useMayAct();
  const [isAsking, setAsking] = useState(false);
  const [rate, setRate] = useState(task.rateLimitNow ?? task.rateLimit ?? '');
  if (!mayAct) return null;
  const name = plainText(task.name, 80);
  return (
    <>
      <Button icon="edit" onClick={() => setAsking(true)}>
        Rate…
      </Button>
      {isAsking && (
        <Confirm
          title={`Rate limit of ${name}`}
          button="Set the rate limit"
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            const limit = rate.trim() === '' ? null : rate.trim();
            const { text } = await act<RateAnswer>('/api/rates', { task: task.name, limit });
            tell(`${name}: ${text}.`);
          }}
        >
          <Field label="Starts" hint="10/m, 1/s; 0 for no limit; empty for what its code says">
            <input class="input mono" value={rate} onInput={(event) => setRate(event.currentTarget.value)} />
          </Field>
        </Confirm>
      )}
    </>
  );
}
