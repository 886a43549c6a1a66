import type { VNode } from 'preact';

import type { TaskAnswer } from '../../../answers.ts';
import { useNow } from '../../data/clock.ts';
import { Panel } from '../../parts/controls.tsx';
import { isFinal } from '../../pure/states.ts';
import {
  axisSteps,
  type Lane,
  type Segment,
  type SegmentKind,
  sharesText,
  type Timeline,
  timelineOf,
} from '../../pure/timeline.ts';
import { clockTime, duration } from '../../pure/words.ts';

const LEGEND: readonly { readonly kind: SegmentKind; readonly text: string }[] = [
  { kind: 'delayed', text: 'Delayed on purpose' },
  { kind: 'queued', text: 'Queued' },
  { kind: 'parked', text: 'Parked for a slot' },
  { kind: 'retry', text: 'Waiting to retry' },
  { kind: 'run', text: 'Running' },
  { kind: 'fail', text: 'Ran and failed' },
];

/** One lane an attempt, on one axis. */
export function TaskTimeline({ task }: { readonly task: TaskAnswer }): VNode | null {
  const now = useNow();
  const { story, started, state } = task;
  const running = isFinal(state) || state === 'RETRY' ? null : (story?.startedAt ?? started);
  const timeline = timelineOf(story?.attempts ?? [], running, now);
  if (timeline === undefined) return null;
  const kinds = new Set(timeline.lanes.flatMap(({ segments }) => segments.map(({ kind }) => kind)));
  return (
    <Panel title="Timeline" hint={sharesText(timeline)}>
      <div class="timeline">
        <ol>
          {timeline.lanes.map((lane) => (
            <LaneRow key={lane.attempt} lane={lane} timeline={timeline} />
          ))}
        </ol>
        <Axis timeline={timeline} nowMs={now} />
        <p class="timeline-legend">
          {LEGEND.filter(({ kind }) => kinds.has(kind)).map(({ kind, text }) => (
            <span key={kind}>
              <i class={`segment-${kind}`} />
              {text}
            </span>
          ))}
        </p>
      </div>
    </Panel>
  );
}

function percent(part: number, { startMs, endMs }: Timeline): string {
  return `${(part / (endMs - startMs)) * 100}%`;
}

function LaneRow({ lane, timeline }: { readonly lane: Lane; readonly timeline: Timeline }): VNode {
  return (
    <li class="lane">
      <span class="dim">Attempt {lane.attempt}</span>
      <span class="lane-bars">
        {lane.segments.map((segment) => (
          <Bar key={`${segment.kind} ${segment.startMs}`} segment={segment} timeline={timeline} />
        ))}
      </span>
      <span class="number dim">{duration(lane.tookSeconds)}</span>
    </li>
  );
}

// A narrower bar has no room for words: its title has them.
const WORDS_FROM_SHARE = 0.12;

function Bar({ segment, timeline }: { readonly segment: Segment; readonly timeline: Timeline }): VNode {
  const { kind, startMs, endMs, label } = segment;
  const text = endMs === startMs ? label : `${label} ${duration((endMs - startMs) / 1000)}`;
  const isWide = (endMs - startMs) / (timeline.endMs - timeline.startMs) > WORDS_FROM_SHARE;
  return (
    <span
      class={`segment segment-${kind}`}
      title={text}
      style={{ left: percent(startMs - timeline.startMs, timeline), width: percent(endMs - startMs, timeline) }}
    >
      <span class={isWide ? '' : 'visually-hidden'}>{text}</span>
    </span>
  );
}

function Axis({ timeline, nowMs }: { readonly timeline: Timeline; readonly nowMs: number }): VNode {
  return (
    <div class="lane axis" aria-hidden="true">
      <span />
      <span class="lane-bars">
        {axisSteps(timeline).map((step, index) => (
          <span key={step} style={{ left: percent(step, timeline) }}>
            {index === 0 ? clockTime(new Date(timeline.startMs).toISOString(), nowMs) : `+${duration(step / 1000)}`}
          </span>
        ))}
      </span>
      <span />
    </div>
  );
}
