/** At which numbers an entry stops being a rule of EventBridge, and what of a rule's message is believed. */
import { describe, expect, it } from 'vitest';
import { Celeriac } from '../../lib/app/app.ts';
import { type BeatPlan, planBeat } from '../../lib/beat/plan.ts';
import { fromRule } from '../../lib/wire/rule-message.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import {
  BEAT_RULE_OVERHEAD_CHARACTERS,
  BEAT_RULES_MAX_CHARACTERS,
  EVENTBRIDGE_MAX_EVENT_AGE_SECONDS,
  EVENTBRIDGE_MIN_EVENT_AGE_SECONDS,
} from '../../lib/base/limits.ts';
import { type BeatEntry, resolveEntry } from '../../lib/beat/entry.ts';
import { every } from '../../lib/schedules/interval.ts';

const app = new Celeriac('shop', { beatRuleLimit: 2000 });
const report = app.task('report', (...args: unknown[]) => args.length);

function plansOf(entries: readonly BeatEntry[]): BeatPlan[] {
  return planBeat(
    app,
    entries.map((entry, index) => resolveEntry(`entry-${index}`, entry, 'UTC')),
  );
}

describe('what a rule can hold', () => {
  it.each([
    [EVENTBRIDGE_MIN_EVENT_AGE_SECONDS - 1, 'sweep', 'startingDeadline under a minute'],
    [EVENTBRIDGE_MIN_EVENT_AGE_SECONDS, 'rule', ''],
    [3600, 'rule', ''],
    [EVENTBRIDGE_MAX_EVENT_AGE_SECONDS, 'rule', ''],
    [EVENTBRIDGE_MAX_EVENT_AGE_SECONDS + 1, 'sweep', 'startingDeadline over a day'],
  ])('a deadline of %i s: %s', (startingDeadline, firedBy, reason) => {
    const [plan] = plansOf([{ task: report.s(), schedule: every('1h'), startingDeadline }]);
    expect(plan).toMatchObject({ firedBy, reason });
  });

  it('rules fill a template up to its limit, and not beyond', () => {
    const long = (size: number): BeatEntry => ({ task: report.s('x'.repeat(size)), schedule: every('1h') });
    const plans = plansOf([...Array.from({ length: 2000 }, () => long(2000)), long(1)]);
    const length = ({ template }: BeatPlan): number => (template?.length ?? 0) + BEAT_RULE_OVERHEAD_CHARACTERS;
    const rules = plans.filter(({ firedBy }) => firedBy === 'rule');
    const swept = plans.filter(({ firedBy }) => firedBy === 'sweep');
    const total = rules.reduce((sum, plan) => sum + length(plan), 0);
    expect(total).toBeLessThanOrEqual(BEAT_RULES_MAX_CHARACTERS);
    const [first] = plans;
    // One more of the long ones would not have had room.
    expect(total + (first === undefined ? 0 : length(first))).toBeGreaterThan(BEAT_RULES_MAX_CHARACTERS);
    expect(swept.length).toBeGreaterThan(1);
    expect(new Set(swept.map(({ reason }) => reason))).toEqual(
      new Set(['more rules than a CloudFormation template holds']),
    );
  });
});

describe('the span in which a tick of a rule may start', () => {
  const FIRED = '2020-01-07T12:30:07Z';
  const MINUTE_MS = Date.parse('2020-01-07T12:30:00Z');
  const expiresMs = (expires: unknown): number | null => {
    const [plan] = plansOf([{ task: report.s(), schedule: every('1h') }]);
    const message = decodeMessage((plan?.template ?? '').replaceAll('<time>', FIRED));
    const beat = message.celeriac['beat'] as object;
    const celeriac = { ...message.celeriac, beat: { ...beat, rate: false, expires } };
    return fromRule({ ...message, celeriac }).expiresMs;
  };

  it.each([
    [0, 0],
    [90, 90_000],
    [0.0004, 0],
    [100 * 366 * 86_400, 100 * 366 * 86_400_000],
  ])('%f s', (seconds, ms) => {
    expect(expiresMs(seconds)).toBe(MINUTE_MS + ms);
  });

  it.each([-1, 100 * 366 * 86_400 + 1, Infinity, NaN, '90', '', null, undefined, true, [90]])(
    'what is none is not believed: %j',
    (value) => {
      expect(expiresMs(value)).toBeNull();
    },
  );
});
