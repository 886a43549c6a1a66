/** What views ask the API for, and how often. */
import { keepPreviousData, useInfiniteQuery, useQuery, type UseQueryResult } from '@tanstack/preact-query';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

import type {
  AuditAnswer,
  CatalogueAnswer,
  DeadLettersAnswer,
  LocksAnswer,
  OpenedLettersAnswer,
  OverviewAnswer,
  PurgedAnswer,
  QueuesAnswer,
  RunningAnswer,
  RunsAnswer,
  SchedulesAnswer,
  SessionAnswer,
  SlotsAnswer,
  TaskAnswer,
  TaskCountsAnswer,
  TasksAnswer,
  TreeAnswer,
  WaitingAnswer,
} from '../../answers.ts';
import { isFinal } from '../pure/states.ts';
import { type TaskFilters, tasksQuery } from '../pure/task-filters.ts';
import { act, get } from './api.ts';
import { isTold } from './live.ts';
import { storeOf, useStore } from './store.ts';

export const Session = createContext<SessionAnswer | undefined>(undefined);

export function useSession(): SessionAnswer {
  const session = useContext(Session);
  if (session === undefined) throw new Error('No session above.');
  return session;
}

/** Whether actions are shown: to operators. */
export function useMayAct(): boolean {
  const { user, readOnly } = useSession();
  return user?.role === 'operator' && !readOnly;
}

/** Nothing is asked again until it is let go. */
export const isHeld = storeOf(false);

// A process on one's own machine is asked often; behind a function URL every request is billed.
const EVERY_MS = { stream: 3000, poll: 15_000 };

/** @param hasNews changes are told while the stream is open, and asking is for what it has missed */
function useEvery(times = 1, hasNews = false): number | false {
  const { live } = useSession();
  const isQuiet = useStore(isTold) && hasNews;
  return useStore(isHeld) ? false : isQuiet ? EVERY_MS.poll : EVERY_MS[live] * times;
}

export function useSessionQuery(): UseQueryResult<SessionAnswer> {
  return useQuery({
    queryKey: ['session'],
    queryFn: ({ signal }) => get<SessionAnswer>('/api/session', signal),
    retry: 1,
    staleTime: Infinity,
  });
}

/** A view of now: asked again and again, the last answer stays until the next one. */
function useWatched<T>(
  path: string,
  options: { readonly times?: number; readonly enabled?: boolean; readonly hasNews?: boolean } = {},
): UseQueryResult<T> {
  const every = useEvery(options.times, options.hasNews);
  return useQuery({
    queryKey: [path],
    queryFn: ({ signal }) => get<T>(path, signal),
    refetchInterval: every,
    placeholderData: keepPreviousData,
    enabled: options.enabled ?? true,
  });
}

export function useOverview(range: OverviewAnswer['range'], enabled = true): UseQueryResult<OverviewAnswer> {
  return useWatched(`/api/overview?range=${range}`, { times: 2, enabled });
}

/** How many ended in each state, for a list. */
export function useTaskCounts(range: OverviewAnswer['range'], enabled: boolean): UseQueryResult<TaskCountsAnswer> {
  return useWatched(`/api/tasks/counts?range=${range}`, { times: 2, enabled });
}

export function useQueues(enabled = true): UseQueryResult<QueuesAnswer> {
  return useWatched('/api/queues', { hasNews: true, enabled });
}

/** What a purge would delete: counted once, when it is asked about. */
export function usePurge(queue: string): UseQueryResult<PurgedAnswer> {
  return useQuery({
    queryKey: ['purge', queue],
    queryFn: () => act<PurgedAnswer>(`/api/queues/${encodeURIComponent(queue)}/purge`, { name: queue, dryRun: true }),
    gcTime: 0,
  });
}

/** Runs of an entry that have ended. */
export function useRuns(name: string): UseQueryResult<RunsAnswer> {
  return useWatched(`/api/schedules/${encodeURIComponent(name)}/runs`);
}

// Clocks differ, and what ends is in the history a moment later.
const SOUGHT_AGAIN_MS = 900_000;

export function useTask(id: string): UseQueryResult<TaskAnswer> {
  const every = useEvery();
  const path = `/api/tasks/${encodeURIComponent(id)}`;
  return useQuery({
    queryKey: [path],
    queryFn: ({ client, queryKey, signal }) => {
      // Where it has no item its attempts are searched for, four queries an hour: in the whole history once, then in what is new.
      const { data, dataUpdatedAt = 0 } = client.getQueryState<TaskAnswer>(queryKey) ?? {};
      const from = data?.isKnown === false ? new Date(dataUpdatedAt - SOUGHT_AGAIN_MS).toISOString() : '7d';
      return get<TaskAnswer>(`${path}?from=${from}`, signal);
    },
    // What has ended does not change; that it was put aside may follow by a moment.
    refetchInterval: ({ state }) =>
      state.data !== undefined && isFinal(state.data.state) && state.dataUpdateCount > 3 ? false : every,
  });
}

export function useTree(id: string): UseQueryResult<TreeAnswer> {
  return useWatched(`/api/tasks/${encodeURIComponent(id)}/tree`, { times: 2 });
}

export function useWaiting(): UseQueryResult<WaitingAnswer> {
  return useWatched('/api/tasks/waiting?limit=100');
}

export function useRunning(): UseQueryResult<RunningAnswer> {
  return useWatched('/api/tasks/running?limit=100');
}

export function useDeadLetters(queue: string): UseQueryResult<DeadLettersAnswer> {
  // Looking receives: letters are hidden from others for a while, so it is looked once, and again when asked.
  const path = queue === '' ? '/api/dead-letters' : `/api/dead-letters?queue=${encodeURIComponent(queue)}`;
  return useQuery({
    queryKey: [path],
    queryFn: ({ signal }) => get<DeadLettersAnswer>(path, signal),
    staleTime: Infinity,
  });
}

export function useLetter(id: string, queue: string, enabled: boolean): UseQueryResult<OpenedLettersAnswer> {
  const path = `/api/dead-letters/${encodeURIComponent(id)}?queue=${encodeURIComponent(queue)}`;
  return useQuery({ queryKey: [path], queryFn: ({ signal }) => get<OpenedLettersAnswer>(path, signal), enabled });
}

export function useLocks(): UseQueryResult<LocksAnswer> {
  return useWatched('/api/locks');
}

export function useSlots(task: string, key: string): UseQueryResult<SlotsAnswer> {
  const query = new URLSearchParams({ task, ...(key === '' ? {} : { key }) });
  return useWatched(`/api/slots?${query}`);
}

export function useCatalogue(): UseQueryResult<CatalogueAnswer> {
  return useWatched('/api/catalogue', { times: 10 });
}

export function useAudit(): UseQueryResult<AuditAnswer> {
  return useWatched('/api/audit?limit=100');
}

/** Pages of the list of tasks: read once, held where they are; what is newer is counted by `useNewer`. */
export function useTaskPages(filters: TaskFilters) {
  return useInfiniteQuery({
    queryKey: ['tasks', filters],
    queryFn: ({ pageParam, signal }) =>
      get<TasksAnswer>(`/api/tasks?limit=100&${tasksQuery(filters, pageParam)}`, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ cursor }: TasksAnswer) => cursor ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
}

// What ended on several machines comes into the history out of order.
const OUT_OF_ORDER_MS = 60_000;

/** Asked again and again, so from the newest that is known on: each hour of a range costs queries. */
export function useNewest(
  filters: TaskFilters,
  knownUntil: string | undefined,
  enabled: boolean,
): UseQueryResult<TasksAnswer> {
  const from = knownUntil === undefined ? undefined : new Date(Date.parse(knownUntil) - OUT_OF_ORDER_MS).toISOString();
  return useWatched(`/api/tasks?limit=100&${tasksQuery({ ...filters, since: '15m' }, undefined, from)}`, {
    hasNews: true,
    enabled,
  });
}

export function useSchedules(search: string, state: string): UseQueryResult<SchedulesAnswer> {
  const query = new URLSearchParams({
    limit: '500',
    ...(search === '' ? {} : { search }),
    ...(state === '' ? {} : { state }),
  });
  return useWatched(`/api/schedules?${query}`, { times: 2 });
}
