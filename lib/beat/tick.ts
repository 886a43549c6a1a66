/** One tick: its identity and its message. */
import { hasExternalTaskIn } from '../producer/destination.ts';
import { type Call, prepareChecked } from '../producer/producer.ts';
import type { App } from '../producer/app.ts';
import type { ScheduleEntry } from './entry.ts';
import { fromSignatureOptions } from '../options/signature-options.ts';
import { tickId } from '../wire/rule-message.ts';

/** The header by which django-celery-beat names the entry. */
export const PERIODIC_TASK_NAME = 'periodic_task_name';

/** @throws what a call throws: unknown queue, options, message too large. */
export function prepareTick(app: App, entry: ScheduleEntry, scheduledMs: number, version: number): Call {
  const { signature } = entry;
  const { options, lineage } = fromSignatureOptions(signature.options);
  const { rootId: _rootId, ...line } = lineage;
  return prepareChecked(
    app,
    signature.task,
    signature.args,
    {
      ...options,
      kwargs: { ...options.kwargs, ...signature.kwargs },
      headers: { ...options.headers, [PERIODIC_TASK_NAME]: entry.name },
      taskId: tickId(entry.name, scheduledMs, version),
    },
    {
      ...line,
      // Nobody's child, wherever it is sent from.
      parentId: null,
      scheduledMs,
      celeriac: { beat: { entry: entry.name, scheduled: new Date(scheduledMs).toISOString() } },
    },
  );
}

/**
 * Whether an entry's ticks cannot be taken back: nobody asks for revokes in Celery's workers, nor before a run of a
 * task that is `idempotent`.
 */
export function isIrrevocable(app: App, { signature }: ScheduleEntry): boolean {
  return app.registry.find(signature.task)?.options.idempotent === true || hasExternalTaskIn(app)(signature);
}
