/** Queues: what lies in each, what holds it back, and what can be done about it. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';

import type { PausedAnswer, QueuesAnswer, QueueView } from '../../answers.ts';
import { useAction } from '../data/action.ts';
import { act } from '../data/api.ts';
import { useMayAct, useQueues } from '../data/queries.ts';
import { Badge } from '../parts/badge.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Button, Field, Note } from '../parts/controls.tsx';
import { Loaded, ProblemNote } from '../parts/loaded.tsx';
import { Ago, Hostile, Quiet } from '../parts/text.tsx';
import { tell } from '../parts/toast.tsx';
import { View } from '../parts/view.tsx';
import { plainText } from '../pure/hostile-text.ts';
import { tasksAddress } from '../pure/task-filters.ts';
import { count, counted, duration, UNKNOWN } from '../pure/words.ts';
import { byTrouble } from './overview/tables.tsx';
import { PurgeDialog } from './queues/purge-dialog.tsx';

export function QueuesView(): VNode {
  return (
    <View title="Queues">
      <Loaded query={useQueues()}>
        {({ queues, unknown, parkedMore }) => (
          <>
            {unknown.map(({ what, error }) => (
              <Note key={what} tone="warn" icon="warning">
                {NOT_KNOWN[what]} <Hostile text={error} most={300} />
              </Note>
            ))}
            {queues.toSorted(byTrouble).map((queue) => (
              <QueuePanel key={queue.queue} queue={queue} />
            ))}
            <p class="hint">
              SQS counts by estimate: what is shown may be a minute old. The age of the oldest message is CloudWatch’s,
              some minutes late, and leaves out what was received three times. Parked tasks wait for a slot: they lie in
              no queue.
              {parkedMore && ' More keys have tasks that wait than were counted.'}
            </p>
          </>
        )}
      </Loaded>
    </View>
  );
}

const NOT_KNOWN: Readonly<Record<QueuesAnswer['unknown'][number]['what'], string>> = {
  oldest: 'How old messages are is not known:',
  parked: 'How many tasks wait for a slot is not known:',
  'event sources': 'Whether workers are fed is not known:',
};
const MISMATCHES: Readonly<Record<NonNullable<QueueView['mismatch']>, string>> = {
  'paused but fed': 'It is paused, and its event source is on: workers get what lies there.',
  'not fed and not paused': 'Nobody has paused it, and its event source is off: workers get nothing.',
};

function QueuePanel({ queue }: { readonly queue: QueueView }): VNode {
  const mayAct = useMayAct();
  const { paused } = queue;
  return (
    <section class="panel">
      <header class="panel-head">
        <h2 class="mono">
          <Hostile text={queue.queue} most={80} />
        </h2>
        <Badge state={queue.state} />
        {mayAct && queue.state !== 'external' && <QueueActions queue={queue} />}
      </header>
      {queue.mismatch !== undefined && (
        <Note tone="bad" icon="warning">
          <b>{MISMATCHES[queue.mismatch]}</b> <Hostile text={queue.advice ?? ''} />
        </Note>
      )}
      <dl class="numbers">
        <Figure name="Ready" value={queue.ready} />
        <Figure name="In flight" value={queue.inFlight} />
        <Figure name="Delayed" value={queue.delayed} />
        <Figure name="Parked" value={queue.parked} />
        <Figure name="Oldest" value={queue.oldestSeconds} text={duration} />
        <Figure name="Dead" value={queue.dead ?? 0} tone="bad" />
        <Figure name="Tasks" value={queue.tasks} />
      </dl>
      <div class="more">
        {paused !== undefined && (
          <p>
            <b>Paused</b> by <Hostile text={paused.by} most={100} />, <Ago at={paused.since} />
            {paused.why !== undefined && (
              <>
                : “<Hostile text={paused.why} />”
              </>
            )}
            . SQS deletes what is older than the queue keeps it, paused or not.
          </p>
        )}
        {paused === undefined && <p>{standing(queue)}</p>}
        <p>
          <Link href={tasksAddress({ queue: queue.queue })}>Its tasks</Link>
          {(queue.dead ?? 0) > 0 && (
            <>
              {' · '}
              <Link href={`/dead-letters?queue=${encodeURIComponent(queue.queue)}`}>Its dead letters</Link>
            </>
          )}
        </p>
      </div>
    </section>
  );
}

function standing({ ready, inFlight, delayed, parked = 0, state }: QueueView): string {
  if (state === 'external') return 'Its workers are elsewhere: they are paused there.';
  if (ready === 0 && parked > 0) return `Nothing waits for a worker, and ${counted(parked, 'task')} for a slot.`;
  if (ready === 0 && inFlight === 0)
    return delayed === 0 ? 'Nothing waits.' : `Nothing waits but ${counted(delayed, 'task')} whose time has not come.`;
  return ready === 0
    ? 'Nothing waits: all that is there is being worked on.'
    : `${counted(ready, 'message')} wait for a worker.`;
}

function Figure({
  name,
  value,
  tone,
  text = count,
}: {
  readonly name: string;
  readonly value: number | undefined;
  readonly tone?: 'bad';
  readonly text?: (value: number) => string;
}): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Quiet
          value={value ?? 0}
          text={value === undefined ? UNKNOWN : text(value)}
          {...(tone === undefined ? {} : { tone })}
        />
      </dd>
    </div>
  );
}

function QueueActions({ queue: { queue, state } }: { readonly queue: QueueView }): VNode {
  const [isAsking, setAsking] = useState(false);
  const [isPurging, setPurging] = useState(false);
  const path = `/api/queues/${encodeURIComponent(queue)}`;
  const resume = useAction(async () => {
    await act(`${path}/resume`);
    tell(`${plainText(queue, 60)} is resumed.`, () => void act(`${path}/pause`, { why: '' }));
  });
  return (
    <span class="panel-actions">
      {resume.problem !== undefined && <ProblemNote error={resume.problem} />}
      {state === 'paused' ? (
        <Button icon="play" kind="main" disabled={resume.isBusy} onClick={resume.run}>
          Resume
        </Button>
      ) : (
        <Button icon="pause" onClick={() => setAsking(true)}>
          Pause…
        </Button>
      )}
      <Button icon="trash" kind="bare" label={`Purge ${plainText(queue, 60)}…`} onClick={() => setPurging(true)} />
      {isAsking && <PauseDialog queue={queue} path={path} onClose={() => setAsking(false)} />}
      {isPurging && <PurgeDialog queue={queue} onClose={() => setPurging(false)} />}
    </span>
  );
}

interface PauseProps {
  readonly queue: string;
  readonly path: string;
  readonly onClose: () => void;
}

function PauseDialog({ queue, path, onClose }: PauseProps): VNode {
  const [why, setWhy] = useState('');
  const name = plainText(queue, 60);
  const pause = async (): Promise<void> => {
    const { keptSeconds } = await act<PausedAnswer>(`${path}/pause`, { why });
    const kept = keptSeconds === null ? '' : ` Its messages are kept for ${duration(keptSeconds)}.`;
    tell(`${name} is paused.${kept}`, () => void act(`${path}/resume`));
  };
  return (
    <Confirm title={`Pause ${name}`} button={`Pause ${name}`} onConfirm={pause} onClose={onClose}>
      <p>Its workers get nothing until it is resumed. What runs goes on to its end; what is sent waits in the queue.</p>
      <Field label="Why" hint="Shown beside the queue">
        <input class="input" maxLength={300} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
      </Field>
    </Confirm>
  );
}
