/** Deletes all that lies in a queue. */
import type { VNode } from 'preact';

import type { PurgedAnswer, PurgedQueueView } from '../../../answers.ts';
import { act } from '../../data/api.ts';
import { usePurge } from '../../data/queries.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Hostile } from '../../parts/text.tsx';
import { tell } from '../../parts/toast.tsx';
import { plainText } from '../../pure/hostile-text.ts';
import { count, counted, listed } from '../../pure/words.ts';

export function PurgeDialog({ queue, onClose }: { readonly queue: string; readonly onClose: () => void }): VNode {
  const query = usePurge(queue);
  const name = plainText(queue, 80);
  const purge = async (): Promise<void> => {
    const { queues } = await act<PurgedAnswer>(`/api/queues/${encodeURIComponent(queue)}/purge`, { name: queue });
    const left = queues.filter(({ purged }) => !purged).map((each) => plainText(each.queue, 60));
    tell(
      left.length === 0
        ? `${name} is purged: SQS takes up to a minute for it.`
        : `${listed(left)} ${left.length === 1 ? 'was' : 'were'} purged in the last minute already: SQS does it once a minute.`,
    );
  };
  return (
    <Confirm
      title={`Purge ${name}`}
      button={`Purge ${name}`}
      isBad
      typedName={name}
      isReady={query.data !== undefined}
      onConfirm={purge}
      onClose={onClose}
    >
      <p>
        All that lies there is deleted for good, also what is sent while SQS does it. Tasks that run go on; none of
        those that wait ever runs, and nothing tells of them.
      </p>
      <Loaded query={query} rows={1} isBare>
        {({ queues }) => (
          <ul class="lines">
            {queues.map((each) => (
              <li key={each.queue}>
                <Hostile class="mono grow" text={each.queue} most={80} />
                <b>{messagesText(each)}</b>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Confirm>
  );
}

function messagesText({ ready, inFlight, delayed }: PurgedQueueView): string {
  return `${counted(ready, 'message')} ready, ${count(delayed)} delayed, ${count(inFlight)} in flight`;
}
