/** What the list of tasks is asked for, as its address says it: addresses are shared, and Back undoes a filter. Pure. */
import { STATE_CHOICES } from './states.ts';

export const RANGES = ['15m', '1h', '6h', '1d', '7d'] as const;
export type ListRange = (typeof RANGES)[number];

export interface TaskFilters {
  /** A key of STATE_CHOICES. */
  readonly state: string;
  /** A name, or the beginning of one before a star; empty: any. */
  readonly task: string;
  readonly queue: string;
  /** Anywhere in the beginnings of arguments and errors. */
  readonly text: string;
  readonly since: ListRange;
}

export const NO_FILTERS: TaskFilters = { state: 'all', task: '', queue: '', text: '', since: '1d' };

export function filtersIn(search: string): TaskFilters {
  const query = new URLSearchParams(search);
  const state = query.get('state') ?? NO_FILTERS.state;
  const since = RANGES.find((range) => range === query.get('since')) ?? NO_FILTERS.since;
  return {
    state: STATE_CHOICES.some(({ key }) => key === state) ? state : NO_FILTERS.state,
    task: query.get('task') ?? '',
    queue: query.get('queue') ?? '',
    text: query.get('text') ?? '',
    since,
  };
}

/** Without what is the default: the shortest address that says it. */
export function searchOf(filters: TaskFilters): string {
  const query = new URLSearchParams();
  for (const key of ['state', 'task', 'queue', 'text', 'since'] as const)
    if (filters[key] !== NO_FILTERS[key]) query.set(key, filters[key]);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

export function tasksAddress(some: Partial<TaskFilters>): string {
  return `/tasks${searchOf({ ...NO_FILTERS, ...some })}`;
}

/** What was typed: `task:orders.charge` and `queue:mail` are filters of their own, the rest is text. */
export function typedFilters(typed: string): Pick<TaskFilters, 'task' | 'queue' | 'text'> {
  const words = typed.split(/\s+/).filter((word) => word !== '');
  const named = (field: string): string =>
    words.findLast((word) => word.startsWith(`${field}:`))?.slice(field.length + 1) ?? '';
  const text = words.filter((word) => !/^(?:task|queue):/.test(word)).join(' ');
  return { task: named('task'), queue: named('queue'), text };
}

export function typedText({ task, queue, text }: Pick<TaskFilters, 'task' | 'queue' | 'text'>): string {
  return [task === '' ? '' : `task:${task}`, queue === '' ? '' : `queue:${queue}`, text]
    .filter((word) => word !== '')
    .join(' ');
}

/** The question to the API. */
export function tasksQuery(filters: TaskFilters, cursor?: string, from: string = filters.since): string {
  const query = new URLSearchParams({ from });
  for (const state of STATE_CHOICES.find(({ key }) => key === filters.state)?.states ?? [])
    query.append('state', state);
  for (const key of ['task', 'queue', 'text'] as const) if (filters[key] !== '') query.set(key, filters[key]);
  if (cursor !== undefined) query.set('cursor', cursor);
  return query.toString();
}

export function isFiltered(filters: TaskFilters): boolean {
  return (['state', 'task', 'queue', 'text'] as const).some((key) => filters[key] !== NO_FILTERS[key]);
}

/** An id alone opens its task. */
export function isTaskId(typed: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(typed.trim());
}
