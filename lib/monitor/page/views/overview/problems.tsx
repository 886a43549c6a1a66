import type { VNode } from 'preact';
import { Link } from 'wouter-preact';

import type { OverviewAnswer, ProblemView } from '../../../answers.ts';
import { Icon, type IconName } from '../../parts/icons.tsx';
import { Ago, Hostile } from '../../parts/text.tsx';
import { tasksAddress } from '../../pure/task-filters.ts';
import { counted, share } from '../../pure/words.ts';

interface Kind {
  readonly word: string;
  readonly icon: IconName;
  readonly tone: 'bad' | 'warn';
  readonly way: string;
}

const KINDS: Readonly<Record<ProblemView['kind'], Kind>> = {
  failing: { word: 'Failing', icon: 'failed', tone: 'bad', way: 'See failures' },
  lost: { word: 'Workers died', icon: 'failed', tone: 'bad', way: 'See attempts' },
  'dead-letters': { word: 'Dead letters', icon: 'dead', tone: 'bad', way: 'Look at letters' },
  missed: { word: 'Missed', icon: 'missed', tone: 'bad', way: 'Open schedule' },
  behind: { word: 'Growing', icon: 'growing', tone: 'warn', way: 'Open queue' },
  stuck: { word: 'Stuck', icon: 'delayed', tone: 'bad', way: 'Open task' },
  'not-fed': { word: 'Not as paused', icon: 'paused', tone: 'bad', way: 'Open queue' },
  paused: { word: 'Paused', icon: 'paused', tone: 'warn', way: 'Open queue' },
};

type Range = OverviewAnswer['range'];

function addressOf({ kind, subject }: ProblemView, range: Range): string {
  switch (kind) {
    case 'failing':
      return tasksAddress({ state: 'failed', task: subject, since: range });
    case 'lost':
      return tasksAddress({ task: subject, since: range });
    case 'dead-letters':
      return `/dead-letters?queue=${encodeURIComponent(subject)}`;
    case 'missed':
      return `/schedules?search=${encodeURIComponent(subject)}`;
    case 'stuck':
      return `/tasks/${encodeURIComponent(subject)}`;
    case 'behind':
    case 'not-fed':
    case 'paused':
      return '/queues';
    default:
      return kind satisfies never;
  }
}

export function Problems({
  problems,
  range,
}: {
  readonly problems: readonly ProblemView[];
  readonly range: Range;
}): VNode {
  if (problems.length === 0)
    return (
      <p class="note quiet">
        <Icon name="succeeded" /> Nothing needs a look.
      </p>
    );
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>
          {counted(problems.length, 'thing')} {problems.length === 1 ? 'needs' : 'need'} a look
        </h2>
        <span class="hint">everything else is as usual</span>
      </header>
      <ul class="problems">
        {problems.map((problem) => (
          <Problem key={`${problem.kind} ${problem.subject}`} problem={problem} range={range} />
        ))}
      </ul>
    </section>
  );
}

function Problem({ problem, range }: { readonly problem: ProblemView; readonly range: Range }): VNode {
  const { word, icon, tone, way } = KINDS[problem.kind];
  return (
    <li>
      <span class={`problem-kind tone-${tone}`}>
        <Icon name={icon} />
        {word}
      </span>
      <div class="problem-what">
        <b>
          <Hostile class="mono" text={problem.subject} most={120} />
          {problem.unit === 'share' && ` fails ${share(problem.now)} of its attempts`}
          {problem.unit === 'runs' && ` lost ${counted(problem.now, 'run')}`}
        </b>
        <p>
          <Hostile text={problem.text} most={400} />
          {problem.unit === 'share' && problem.usual !== null && ` In the time before it was ${share(problem.usual)}.`}
        </p>
      </div>
      <span class="hint problem-since">{problem.since !== null && <Ago at={problem.since} />}</span>
      <Link class="button" href={addressOf(problem, range)}>
        {way}
      </Link>
    </li>
  );
}
