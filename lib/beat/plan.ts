/** Which way each declared entry goes. The same answer at synth and at run time, since both ask here. */
import type { BeatManifest } from '../manifest.ts';
import type { Producer } from '../producer.ts';
import type { ScheduleEntry } from '../schedules/entry.ts';
import { nextTickMs } from '../schedules/entry.ts';
import { ruleExpression } from '../schedules/eventbridge.ts';
import { ruleTemplate } from './rule-template.ts';

export interface BeatPlan extends BeatManifest {
  readonly entry: ScheduleEntry;
}

/** @throws what a call of an entry's task throws. */
export function planBeat(producer: Producer, entries: readonly ScheduleEntry[]): BeatPlan[] {
  let rules = 0;
  return entries.map((entry) => {
    const plan = planEntry(producer, entry);
    if (plan.way !== 'rule') return plan;
    rules += 1;
    const { beatRuleLimit } = producer.settings;
    return rules <= beatRuleLimit
      ? plan
      : { ...swept(plan), reason: `more than ${beatRuleLimit} rules (beatRuleLimit)` };
  });
}

function planEntry(producer: Producer, entry: ScheduleEntry): BeatPlan {
  const built = ruleTemplate(producer, entry);
  const common = {
    entry,
    name: entry.name,
    task: entry.signature.task,
    queue: built.queue,
    schedule: entry.schedule,
    enabled: entry.enabled,
  };
  const expression = ruleExpression(entry.schedule);
  const reason =
    sweptBecause(entry) ?? (expression.ok ? undefined : expression.reason) ?? (built.ok ? undefined : built.reason);
  if (reason !== undefined || !expression.ok || !built.ok) return { ...common, way: 'sweep', reason: reason ?? '' };
  return {
    ...common,
    way: 'rule',
    reason: '',
    expression: expression.expression,
    template: built.template,
    ...(entry.startingDeadlineSeconds === null ? {} : { startingDeadlineSeconds: entry.startingDeadlineSeconds }),
  };
}

function swept({ expression: _expression, template: _template, ...plan }: BeatPlan): BeatPlan {
  return { ...plan, way: 'sweep' };
}

function sweptBecause(entry: ScheduleEntry): string | undefined {
  if (entry.oneOff) return 'one-off';
  if (entry.startMs !== null) return 'startTime';
  if (entry.expiresMs !== null) return 'expires of the entry';
  return entry.catchUp === 'all' ? "catchUp 'all'" : undefined;
}

/** The next due instants of an entry, at most `count`. */
export function nextTicks(entry: ScheduleEntry, afterMs: number, anchorMs: number, count: number): number[] {
  const ticks: number[] = [];
  for (let next = nextTickMs(entry, afterMs, anchorMs); next !== undefined && ticks.length < count;) {
    ticks.push(next);
    next = nextTickMs(entry, next, anchorMs);
  }
  return ticks;
}
