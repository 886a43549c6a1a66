/** The texts of rules, as people find them in the console. That they fire when they should: test/beat/emission.test.ts. */
import { describe, expect, it } from 'vitest';

import { clocked } from '../../lib/schedules/clocked.ts';
import { crontab } from '../../lib/schedules/crontab.ts';
import { fillTemplate, ruleExpression } from '../../lib/schedules/eventbridge.ts';
import { every } from '../../lib/schedules/interval.ts';
import { solar } from '../../lib/schedules/solar.ts';

const inUtc = (text: string): ReturnType<typeof crontab> => crontab(text, { timezone: 'UTC' });

describe('an EventBridge expression', () => {
  it.each([
    ['* * * * *', '* * * * ? *'],
    ['0 0 * * *', '0 0 * * ? *'],
    // Two values are a list, three or more at equal distances a step, where that reaches to the end of the field.
    ['0,30 * * * *', '0,30 * * * ? *'],
    ['*/20 * * * *', '0/20 * * * ? *'],
    ['5-59/15 * * * *', '5/15 * * * ? *'],
    ['0,20 * * * *', '0,20 * * * ? *'],
    ['0-30/10 * * * *', '0,10,20,30 * * * ? *'],
    ['0,20,41 * * * *', '0,20,41 * * * ? *'],
    ['0,1,20,40 * * * *', '0,1,20,40 * * * ? *'],
    // Three neighbours are a range; one that goes to the end is a step too.
    ['1-3 * * * *', '1-3 * * * ? *'],
    ['1,2 * * * *', '1,2 * * * ? *'],
    ['1,2,4-6,9 * * * *', '1,2,4-6,9 * * * ? *'],
    ['0,57-59 * * * *', '0,57-59 * * * ? *'],
    ['57-59 * * * *', '57/1 * * * ? *'],
    ['0 8-17 * * *', '0 8-17 * * ? *'],
    ['0 0 1,15 * *', '0 0 1,15 * ? *'],
    ['0 0 29-31 * *', '0 0 29/1 * ? *'],
    ['0 0 * */3 *', '0 0 * 1/3 ? *'],
    // Days of the week by name: EventBridge counts them from 1.
    ['0 0 * * 0', '0 0 ? * SUN *'],
    ['0 0 * * mon-fri', '0 0 ? * MON-FRI *'],
    ['0 0 * * */2', '0 0 ? * SUN,TUE,THU,SAT *'],
    ['0 0 * * 5,6', '0 0 ? * FRI,SAT *'],
  ])('of %s is cron(%s)', (text, inside) => {
    expect(ruleExpression(inUtc(text))).toEqual({ ok: true, expression: `cron(${inside})` });
  });

  it.each([
    [60, 'rate(1 minute)'],
    [120, 'rate(2 minutes)'],
    [3600, 'rate(1 hour)'],
    [5400, 'rate(90 minutes)'],
    [86_400, 'rate(1 day)'],
    [90_000, 'rate(25 hours)'],
    [172_800, 'rate(2 days)'],
  ])('of every %i s is %s', (seconds, expression) => {
    expect(ruleExpression(every(seconds))).toEqual({ ok: true, expression });
  });

  it.each([
    [inUtc('0 0 1 * 1'), 'day of month and day of week'],
    [crontab('0 0 * * *', { timezone: 'Europe/Berlin' }), 'time zone Europe/Berlin'],
    [every(90), 'seconds'],
    [every(60, { relative: true }), 'relative'],
    [solar('sunset', 0, 0), 'the sun'],
    [clocked('2030-01-01T00:00:00Z'), 'a single instant'],
  ])('there is none for %j: %s', (schedule, reason) => {
    expect(ruleExpression(schedule)).toEqual({ ok: false, reason });
  });

  it.each(['UTC', 'Etc/UTC', 'Etc/UCT', 'UCT', 'Etc/Zulu', 'Zulu', 'GMT', 'Etc/GMT'])('%s is UTC', (timezone) => {
    expect(ruleExpression(crontab('0 0 * * *', { timezone }))).toMatchObject({ ok: true });
  });
});

it('a template is given the firing in whole seconds, wherever it asks for it', () => {
  expect(fillTemplate('{"at":"<time>","again":"<time>","<other>":1}', Date.UTC(2030, 0, 1, 2, 3, 4, 567))).toBe(
    '{"at":"2030-01-01T02:03:04Z","again":"2030-01-01T02:03:04Z","<other>":1}',
  );
});
