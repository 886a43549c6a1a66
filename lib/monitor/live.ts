/** GET /api/live: news as server-sent events, for a monitor on a process. An open stream on Lambda is paid for by the second. */
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';

import { errorLine } from '../base/error-text.ts';
import type { TaskEnd } from '../history/end-view.ts';
import { jsonText } from './json-text.ts';
import { queuesOf } from './queue-views.ts';
import type { MonitoredService } from './service.ts';

// What ends shows in the history a moment later; quicker than this nobody reads.
const LOOK_EVERY_MS = 2000;
const NEWEST = 50;

// Ends are written down a moment later, and clocks differ: what is as old as this may be new here.
const LATE_MS = 30_000;

/**
 * Events: `tasks` with what has ended since the last one, the newest first; `queues` at the beginning, and when one has
 * changed; `failed` where a store cannot be asked, which is tried again.
 */
export function liveStream(context: Context, service: MonitoredService): Response {
  const { clock } = service.app;
  return streamSSE(context, async (stream) => {
    const over = new AbortController();
    stream.onAbort(() => over.abort());
    const news = new News(service);
    while (!over.signal.aborted) {
      try {
        for (const { event, value } of await news.look()) await stream.writeSSE({ event, data: jsonText(value) });
      } catch (error) {
        await stream.writeSSE({ event: 'failed', data: jsonText({ error: errorLine(error) }) });
      }
      await clock.sleep(LOOK_EVERY_MS, over.signal);
    }
  });
}

/** What one page has not been told yet. */
class News {
  readonly #service: MonitoredService;
  /** Ends of the last half minute that it knows. */
  #known: ReadonlySet<string> | undefined;
  #queues = '';

  constructor(service: MonitoredService) {
    this.#service = service;
  }

  async look(): Promise<readonly { readonly event: string; readonly value: unknown }[]> {
    const { app } = this.#service;
    const { entries } = await app.history.list({ from: new Date(app.clock.nowMs() - LATE_MS), limit: NEWEST });
    const keyOf = ({ id, attempt }: TaskEnd): string => `${id}#${attempt}`;
    const known = this.#known;
    this.#known = new Set(entries.map(keyOf));
    const fresh = entries.filter((entry) => known !== undefined && !known.has(keyOf(entry)));
    const queues = await queuesOf(this.#service);
    const text = jsonText(queues);
    const isChanged = text !== this.#queues;
    this.#queues = text;
    return [
      ...(fresh.length === 0 ? [] : [{ event: 'tasks', value: { entries: fresh } }]),
      ...(isChanged ? [{ event: 'queues', value: { queues } }] : []),
    ];
  }
}
