/** News of a monitor on a process, as server-sent events: what they tell need not be asked for again and again. */
import { type QueryClient, useQueryClient } from '@tanstack/preact-query';
import { useEffect } from 'preact/hooks';

import type { OverviewAnswer, QueuesAnswer, TasksAnswer } from '../../answers.ts';
import { storeOf, useStore } from './store.ts';

/** The stream is open. */
export const isTold = storeOf(false);

const QUEUES = '/api/queues';
const OVERVIEW = '/api/overview?';

export function useLive(isAsked: boolean): void {
  const client = useQueryClient();
  const isHeard = useStore(listens) && isAsked;
  useEffect(() => {
    if (!isHeard) return undefined;
    // The browser opens it again by itself where it breaks off.
    const source = new EventSource('/api/live');
    source.addEventListener('open', () => isTold.set(true));
    source.addEventListener('error', () => isTold.set(false));
    source.addEventListener('tasks', ({ data }: MessageEvent<string>) => ended(client, JSON.parse(data) as News));
    source.addEventListener('queues', ({ data }: MessageEvent<string>) => counted(client, JSON.parse(data) as Counts));
    return () => {
      source.close();
      isTold.set(false);
    };
  }, [client, isHeard]);
}

type News = Pick<TasksAnswer, 'entries'>;
type Counts = Pick<OverviewAnswer, 'queues'>;

/** What is newer than a list, and those tasks themselves, are looked at now. */
function ended(client: QueryClient, { entries }: News): void {
  const own = new Set(entries.map(({ id }) => `/api/tasks/${encodeURIComponent(id)}`));
  void client.invalidateQueries({
    predicate: ({ queryKey: [path] }) =>
      typeof path === 'string' && (path.startsWith('/api/tasks?') || own.has(path.split('?')[0] ?? '')),
  });
}

function counted(client: QueryClient, { queues }: Counts): void {
  const told = new Map(queues.map((queue) => [queue.queue, queue]));
  const known = client.getQueryData<QueuesAnswer>([QUEUES]);
  // What belongs to a pause is not in the news.
  if (known?.queues.some(({ queue, state }) => told.get(queue)?.state !== state) === true)
    void client.invalidateQueries({ queryKey: [QUEUES] });
  const withNews = <T extends Counts>(before: T | undefined): T | undefined =>
    before && { ...before, queues: before.queues.map((queue) => ({ ...queue, ...told.get(queue.queue) })) };
  client.setQueryData<QueuesAnswer>([QUEUES], withNews);
  client.setQueriesData<OverviewAnswer>({ predicate: isOverview }, withNews);
}

function isOverview({ queryKey: [path] }: { readonly queryKey: readonly unknown[] }): boolean {
  return typeof path === 'string' && path.startsWith(OVERVIEW);
}

function canListen(): boolean {
  return document.visibilityState === 'visible' && navigator.onLine;
}

const listens = storeOf(canListen());
document.addEventListener('visibilitychange', () => listens.set(canListen()));
// A stream whose network is gone may stay open, and tell nothing.
for (const event of ['online', 'offline']) globalThis.addEventListener(event, () => listens.set(canListen()));
