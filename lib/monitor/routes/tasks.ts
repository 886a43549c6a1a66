/** Tasks: what ended, what waits, and one of them. */
import * as v from 'valibot';

import { cut } from '../../base/error-text.ts';
import { isFinal } from '../../base/states.ts';
import { MAX_LISTED_HISTORY, MAX_MONITOR_RELATIVES } from '../../base/limits.ts';
import type { TaskStory } from '../../history/story.ts';
import { scheduledTasks } from '../../operate/scheduled.ts';
import { taskStates, taskSummaries, type TaskSummary } from '../../operate/task-summary.ts';
import { waitingLines } from '../../operate/waiting-lines.ts';
import type { TaskAnswer } from '../answers.ts';
import { explainView } from '../explain-view.ts';
import { jsonText } from '../json-text.ts';
import { read, type Route } from '../route.ts';
import { integerText, NAME } from '../schemas/common.ts';
import { EXPLAIN, RUNNING, TASK, TASK_COUNTS, TASKS, TREE, WAITING } from '../schemas/history.ts';
import type { MonitoredService } from '../service.ts';
import { RANGES } from './overview.ts';

// Of a result where values are not shown whole: enough to know it by.
const RESULT_CHARACTERS = 1024;
const MOST_WAITING = 500;
// Seven days are 700 queries, and a task that waits in its queue has no item: a page asks of it again and again.
const SEARCHED = '1h';
const LISTED = '1d';

export const TASK_ROUTES: readonly Route[] = [
  read('/api/tasks', {
    summary: 'Attempts that ended, the newest first: of the last day, unless `from` says otherwise',
    query: v.strictObject({
      state: v.optional(v.union([NAME, v.array(NAME)])),
      task: v.optional(NAME),
      queue: v.optional(NAME),
      from: v.optional(NAME),
      to: v.optional(NAME),
      text: v.optional(NAME),
      limit: v.optional(integerText(1, MAX_LISTED_HISTORY)),
      cursor: v.optional(NAME),
    }),
    answer: TASKS,
    run: ({ service, query }) => service.app.history.list({ from: LISTED, ...said(query) }),
  }),
  read('/api/tasks/waiting', {
    summary: 'Tasks that wait for their time in the table, the next ones first',
    query: v.strictObject({ limit: v.optional(integerText(1, MOST_WAITING)) }),
    answer: WAITING,
    run: async ({ service, query }) => {
      const { timers } = await service.app.ports();
      return scheduledTasks(timers, { shards: service.environment.timerShards, limit: query.limit ?? 50 });
    },
  }),
  read('/api/tasks/counts', {
    summary: 'How many attempts ended, and in which states: a part of the overview, for a few of its requests',
    query: v.strictObject({ range: v.optional(v.picklist(['1h', '6h', '1d', '7d']), '1h') }),
    answer: TASK_COUNTS,
    run: async ({ service: { app }, query: { range } }) => {
      const { seconds, every } = RANGES[range];
      const { total } = await app.stats({ from: new Date(app.clock.nowMs() - seconds * 1000), every });
      return { range, total };
    },
  }),
  read('/api/tasks/running', {
    summary: 'Tasks that hold slots for which others wait: what runs now, where the store knows it',
    query: v.strictObject({ limit: v.optional(integerText(1, MOST_WAITING)) }),
    answer: RUNNING,
    run: ({ service, query }) => running(service, query.limit ?? 50),
  }),
  read('/api/tasks/{id}', {
    summary: 'One task: its state, its attempts, its result or error. Without an item it is searched for since `from`',
    query: v.strictObject({ from: v.optional(NAME, SEARCHED) }),
    answer: TASK,
    run: ({ service, params, query }) => taskAnswer(service, params.id, query.from),
  }),
  read('/api/tasks/{id}/explain', {
    summary: 'Why a task does not run, where it runs, or how it ended; of a group, how far it is',
    query: v.strictObject({ task: v.optional(NAME), key: v.optional(NAME), queue: v.optional(NAME) }),
    answer: EXPLAIN,
    run: async ({ service: { app }, params, query }) =>
      explainView(await app.explain(params.id, said(query)), app.clock.nowMs()),
  }),
  read('/api/tasks/{id}/tree', {
    summary: 'The task that sent it, and those that it sent, with their states',
    answer: TREE,
    run: ({ service, params }) => tree(service, params.id),
  }),
];

/** Without what was not said. */
export function said<T extends object>(fields: T): { readonly [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof T]: Exclude<T[K], undefined>;
  };
}

async function running({ app }: MonitoredService, limit: number): Promise<unknown> {
  const { slots } = await app.ports();
  if (slots === undefined) return { tasks: [], more: false };
  // How many wait is counted, and not who.
  const { lines, more } = await waitingLines(slots, { nowMs: app.clock.nowMs(), each: 1 });
  const tasks = lines.flatMap(({ task, key, active, waiting }) =>
    active.map((each) => ({ ...each, task, key, waiting })),
  );
  return { tasks: tasks.slice(0, limit), more: more || tasks.length > limit };
}

async function taskAnswer(service: MonitoredService, id: string, from: string): Promise<unknown> {
  const { app } = service;
  const story = await app.history.task(id, { from });
  // Behind it: a state is never older than the attempts that are shown beside it.
  const [summary] = await taskSummaries([id], await app.ports());
  const answer = answerOf(id, summary ?? { id, state: 'PENDING' }, story, service.showValues);
  const hasEnded = isFinal(answer.state as string);
  return { ...answer, explain: hasEnded ? null : explainView(await app.explain(id), app.clock.nowMs()) };
}

type Answered = {
  readonly [K in Exclude<keyof TaskAnswer, 'explain'>]: TaskAnswer[K] | Date | TaskStory | null;
};

function answerOf(id: string, summary: TaskSummary, story: TaskStory | undefined, showValues: boolean): Answered {
  const { state, name, queue, retries, started, finished, revoked, error, traceback, ignored = false } = summary;
  const whole = summary.result === undefined || summary.result === null ? null : jsonText(summary.result);
  return {
    id,
    state: state === 'PENDING' && story?.state != null ? story.state : state,
    isKnown: story !== undefined,
    name: name ?? story?.task ?? null,
    queue: queue ?? story?.queue ?? null,
    retries: retries ?? story?.attempts.at(-1)?.attempt ?? null,
    started: started ?? story?.startedAt ?? null,
    finished: finished ?? story?.attempts.findLast(({ state: ended }) => ended !== 'RETRY')?.endedAt ?? null,
    revoked: revoked ?? null,
    resultText: whole === null || showValues ? whole : cut(whole, RESULT_CHARACTERS),
    isResultWhole: whole === null || showValues || whole.length <= RESULT_CHARACTERS,
    error: error ?? null,
    traceback: traceback ?? null,
    ignored,
    story: story ?? null,
  };
}

async function tree(service: MonitoredService, id: string): Promise<unknown> {
  const { app } = service;
  const story = await app.history.task(id, { from: SEARCHED });
  const children = (story?.children ?? []).slice(0, MAX_MONITOR_RELATIVES);
  const parentId = story?.parentId ?? undefined;
  const ids = [id, ...(parentId === undefined ? [] : [parentId]), ...children];
  // A child may be named twice.
  const distinct = [...new Set(ids)];
  const summaries = await taskStates(distinct, await app.ports());
  const found = new Map(summaries.map((summary) => [summary.id, summary]));
  const view = (each: string): unknown => {
    const { state = 'PENDING', name, finished } = found.get(each) ?? {};
    return { id: each, name: name ?? null, state, finished: finished ?? null };
  };
  return {
    parent: parentId === undefined ? null : view(parentId),
    self: view(id),
    children: children.map(view),
    more: (story?.children.length ?? 0) > children.length,
  };
}
