import { keepPreviousData, useQuery } from '@tanstack/preact-query';
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import type { ScheduleView } from '../../../answers.ts';
import { act, problemFrom } from '../../data/api.ts';
import { after, nowMs } from '../../data/clock.ts';
import { cronWords } from '../../../../schedules/describe-schedule.ts';
import { type ScheduleForm, scheduleWords, zoneOf } from '../../pure/schedule-words.ts';
import { planned } from '../../pure/words.ts';

interface PreviewProps {
  readonly name: string;
  readonly form: ScheduleForm;
  readonly body: Record<string, unknown> | undefined;
}

// Half a word is not asked about.
const TYPED_MS = 350;

/** What saving would give: the server checks it, nothing is stored. */
export function SchedulePreview({ name, form, body }: PreviewProps): VNode {
  const wanted = body === undefined ? undefined : JSON.stringify({ ...body, name });
  const [asked, setAsked] = useState(wanted);
  useEffect(() => after(TYPED_MS, () => setAsked(wanted)), [wanted]);
  const { data, error } = useQuery({
    queryKey: ['schedule check', asked],
    queryFn: () => act<ScheduleView>('/api/schedules/check', JSON.parse(asked ?? '{}') as unknown),
    enabled: asked !== undefined,
    placeholderData: keepPreviousData,
    retry: false,
  });
  if (error !== null && asked !== undefined)
    return (
      <div class="preview" aria-live="polite">
        <p class="tone-bad">{problemFrom(error).message}</p>
      </div>
    );
  if (data === undefined || body === undefined)
    return (
      <div class="preview">
        <p class="preview-words">{form.kind === 'crontab' ? cronWords(form.cron.join(' ')) : ''}</p>
        <p class="hint">The next ticks stand here once the entry has a name and a task.</p>
      </div>
    );
  const zone = zoneOf(data.schedule);
  return (
    <div class="preview" aria-live="polite">
      <p class="preview-words">{scheduleWords(data.schedule, nowMs())}</p>
      <p class="hint">
        {zone === undefined ? '' : `in ${zone}. `}Goes by {data.firedBy}
        {data.reason === null ? '' : `: ${data.reason}`}.
      </p>
      <h3>Next {data.nextTicks.length} ticks</h3>
      <ol class="ticks">
        {data.nextTicks.map((tick) => (
          <li key={tick}>
            <b>{planned(tick, nowMs(), zone ?? 'UTC')}</b>
            <span class="faint">{planned(tick, nowMs(), 'UTC')} UTC</span>
          </li>
        ))}
      </ol>
      {data.nextTicks.length === 0 && <p class="tone-warn">It would never fire.</p>}
    </div>
  );
}
