/** What fires each declared entry. The same answer at synth and at run time, since both ask here. */
import {
  BEAT_RULE_OVERHEAD_CHARACTERS,
  BEAT_RULES_MAX_CHARACTERS,
  EVENTBRIDGE_MAX_EVENT_AGE_SECONDS,
  EVENTBRIDGE_MIN_EVENT_AGE_SECONDS,
} from '../base/limits.ts';
import type { BeatManifest } from '../options/manifest.ts';
import type { App } from '../producer/app.ts';
import type { ScheduleEntry } from './entry.ts';
import { ruleExpression } from '../schedules/eventbridge.ts';
import { ruleTemplate } from './rule-template.ts';

export interface BeatPlan extends BeatManifest {
  readonly entry: ScheduleEntry;
}

/** @throws what a call of an entry's task throws. */
export function planBeat(app: App, entries: readonly ScheduleEntry[]): BeatPlan[] {
  const { beatRuleLimit } = app.settings;
  let rules = 0;
  let characters = 0;
  return entries.map((entry) => {
    const plan = planEntry(app, entry);
    if (plan.firedBy !== 'rule') return plan;
    const own = (plan.template?.length ?? 0) + BEAT_RULE_OVERHEAD_CHARACTERS;
    if (rules >= beatRuleLimit) return { ...swept(plan), reason: `more than ${beatRuleLimit} rules (beatRuleLimit)` };
    if (characters + own > BEAT_RULES_MAX_CHARACTERS)
      return { ...swept(plan), reason: 'more rules than a CloudFormation template holds' };
    rules += 1;
    characters += own;
    return plan;
  });
}

function planEntry(app: App, entry: ScheduleEntry): BeatPlan {
  const built = ruleTemplate(app, entry);
  const common = {
    entry,
    name: entry.name,
    task: entry.signature.task,
    queue: built.queue,
    schedule: entry.schedule,
    enabled: entry.enabled,
    ...(entry.startMs === null ? {} : { startMs: entry.startMs }),
    ...(entry.expiresMs === null ? {} : { expiresMs: entry.expiresMs }),
    ...(entry.oneOff ? { oneOff: true } : {}),
  };
  const expression = ruleExpression(entry.schedule);
  const reason =
    sweptBecause(entry) ??
    secretIn(app, entry) ??
    (expression.ok ? undefined : expression.reason) ??
    (built.ok ? undefined : built.reason);
  if (reason !== undefined || !expression.ok || !built.ok) return { ...common, firedBy: 'sweep', reason: reason ?? '' };
  return {
    ...common,
    firedBy: 'rule',
    reason: '',
    expression: expression.expression,
    template: built.template,
    ...(entry.startingDeadlineSeconds === null ? {} : { startingDeadlineSeconds: entry.startingDeadlineSeconds }),
  };
}

function swept({ expression: _expression, template: _template, ...plan }: BeatPlan): BeatPlan {
  return { ...plan, firedBy: 'sweep' };
}

/** A rule's template stands in EventBridge and in the stack as it is: nothing encrypts it. */
function secretIn({ settings }: App, { signature: { args, kwargs, options } }: ScheduleEntry): string | undefined {
  if (settings.codec === undefined) return undefined;
  const links = [options['link'], options['link_error']].flat().some((link) => link != null);
  return args.length + Object.keys(kwargs).length > 0 || links ? 'arguments are encrypted (codec)' : undefined;
}

function sweptBecause(entry: ScheduleEntry): string | undefined {
  if (entry.oneOff) return 'one-off';
  if (entry.startMs !== null) return 'startTime';
  if (entry.expiresMs !== null) return 'expires of the entry';
  const deadline = entry.startingDeadlineSeconds;
  if (deadline !== null && deadline < EVENTBRIDGE_MIN_EVENT_AGE_SECONDS) return 'startingDeadline under a minute';
  if (deadline !== null && deadline > EVENTBRIDGE_MAX_EVENT_AGE_SECONDS) return 'startingDeadline over a day';
  return entry.catchUp === 'all' ? "catchUp 'all'" : undefined;
}
