/** One task: what state it is in and why, its attempts on one axis, its values, its relatives. */
import type { VNode } from 'preact';
import { Link } from 'wouter-preact';

import type { TaskAnswer } from '../../answers.ts';
import { useTask } from '../data/queries.ts';
import { Badge } from '../parts/badge.tsx';
import { CopyButton, Note } from '../parts/controls.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Ago, Hostile } from '../parts/text.tsx';
import { View } from '../parts/view.tsx';
import { plainText } from '../pure/hostile-text.ts';
import { shownState } from '../pure/states.ts';
import { shortId, UNKNOWN } from '../pure/words.ts';
import { TaskActions } from './task/actions.tsx';
import { Attempts } from './task/attempts.tsx';
import { Details } from './task/details.tsx';
import { Explanation } from './task/explanation.tsx';
import { TaskTimeline } from './task/timeline.tsx';
import { Tree } from './task/tree.tsx';
import { Values } from './task/values.tsx';

export function TaskView({ id }: { readonly id: string }): VNode {
  const query = useTask(id);
  const { data } = query;
  const short = shortId(id);
  return (
    <View
      title={`${plainText(data?.name ?? 'Task', 60)} ${plainText(short, 20)}`}
      heading={
        <p class="crumbs">
          <Link href="/tasks">Tasks</Link> <span class="faint">/</span> <Hostile class="mono" text={short} most={40} />
        </p>
      }
      actions={data === undefined ? null : <TaskActions task={data} />}
    >
      <Loaded query={query}>{(task) => <Shown task={task} />}</Loaded>
    </View>
  );
}

function Shown({ task }: { readonly task: TaskAnswer }): VNode {
  const state = shownState(task.state, task.story?.deadLetter ?? null);
  return (
    <>
      <div class="task-head">
        <div class="row wrap">
          <Badge state={task.isKnown ? state : 'PENDING'} large {...(task.isKnown ? {} : { text: 'Unknown' })} />
          <h1 class="mono">
            <Hostile text={task.name ?? UNKNOWN} most={255} />
          </h1>
        </div>
        <p class="row wrap dim">
          <Hostile class="mono" text={task.id} most={255} />
          <CopyButton text={task.id} label="Copy the id" />
          {task.finished !== null && (
            <span>
              ended <Ago at={task.finished} />
            </span>
          )}
        </p>
      </div>
      <Explanation task={task} />
      {task.story !== null && <TaskTimeline task={task} />}
      <div class="columns-main">
        <div class="stack">
          {task.story !== null && <Attempts task={task} />}
          <Values task={task} />
        </div>
        <div class="stack">
          {task.isKnown && <Tree id={task.id} />}
          <Details task={task} />
        </div>
      </div>
      {task.story !== null && !task.story.isComplete && (
        <Note>Not all attempts are shown: those of more than seven days ago are gone, and the newest 50 are read.</Note>
      )}
    </>
  );
}
