import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Celeriac } from '../../lib/app/app.ts';
import { type BeatPlan, planBeat } from '../../lib/beat/plan.ts';
import { fromRule, tickId } from '../../lib/wire/rule-message.ts';
import { prepareTick } from '../../lib/beat/tick.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import type { Message } from '../../lib/wire/message.ts';
import { crontab } from '../../lib/schedules/crontab.ts';
import { type BeatEntry, resolveEntry } from '../../lib/beat/entry.ts';
import { every } from '../../lib/schedules/interval.ts';
import { signature } from '../../lib/wire/signature.ts';
import { runs } from '../support/runs.ts';

const app = new Celeriac('shop', {
  queues: { default: {}, mail: {}, orders: { fifo: true }, celery: { external: true } },
  routes: { 'mail.*': 'mail' },
});
const report = app.task('report', (...args: unknown[]) => args.length);
app.task('mail.send', { expires: '10m', priority: 3 }, (to: string) => to);
app.task('orders.pack', { queue: 'orders' }, () => 1);

const DAILY = crontab({ minute: 30, hour: 12 });
// Long ago, so that a swept tick has no ETA either.
const FIRED = '2020-01-07T12:30:07Z';
const MINUTE = Date.parse('2020-01-07T12:30:00Z');

function planOf(entry: BeatEntry, name = 'daily'): BeatPlan {
  const [plan] = planBeat(app, [resolveEntry(name, entry, 'UTC')]);
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

/** What EventBridge does, after its reference: names in angle brackets give way to values, as plain text inside of quotes. */
function filled(template: string, time: string): string {
  expect(template).toMatch(/^[\x20-\x7e]+$/);
  expect(template.replaceAll('<time>', '')).not.toMatch(/[<>]/);
  return template.replace(/<([^<>]*)>/g, (_all, name: string) => {
    expect(name).toBe('time');
    return time;
  });
}

function received(plan: BeatPlan, time = FIRED): Message {
  expect(plan).toMatchObject({ firedBy: 'rule', reason: '' });
  const body = filled(plan.template ?? '', time);
  const message = fromRule(decodeMessage(body));
  // Should it write the JSON anew, nothing changes.
  expect(fromRule(decodeMessage(JSON.stringify(JSON.parse(body))))).toEqual(message);
  return message;
}

/** The same tick as the sweeper sends it. */
function swept(plan: BeatPlan, dueMs = MINUTE): Message {
  return decodeMessage(prepareTick(app, plan.entry, dueMs, 0).prepared.outgoing.body);
}

describe('the message of a rule', () => {
  it('is the message that the sweeper would send, in every field', () => {
    const plan = planOf({
      task: signature('mail.send', { args: ['ann@example.com'], kwargs: { copy: true } }),
      schedule: DAILY,
      options: {
        priority: 7,
        headers: { tenant: 'acme' },
        timeLimit: '20s',
        softTimeLimit: '10s',
        expires: '90s',
        ignoreResult: true,
        shadow: 'mail.daily',
        link: report.s('sent'),
        linkError: report.s('failed'),
      },
    });
    const message = received(plan);
    expect(message).toEqual(swept(plan));
    expect(message).toMatchObject({
      id: tickId('daily', MINUTE),
      rootId: tickId('daily', MINUTE),
      parentId: null,
      task: 'mail.send',
      args: ['ann@example.com'],
      kwargs: { copy: true },
      queue: 'mail',
      priority: 7,
      headers: { tenant: 'acme', periodic_task_name: 'daily' },
      timeLimit: [20, 10],
      etaMs: null,
      expiresMs: MINUTE + 90_000,
      ignoreResult: true,
      shadow: 'mail.daily',
      argsrepr: "('ann@example.com',)",
      celeriac: { beat: { entry: 'daily', scheduled: '2020-01-07T12:30:00.000Z' } },
    });
    expect(message.embed.callbacks).toHaveLength(1);
    expect(message.embed.errbacks).toHaveLength(1);
  });

  it("has the task's own queue, priority and expires where the entry has none", () => {
    const plan = planOf({ task: 'mail.send', args: ['bob'], schedule: DAILY });
    const message = received(plan);
    expect(message).toEqual(swept(plan));
    expect(message).toMatchObject({ queue: 'mail', priority: 3, expiresMs: MINUTE + 600_000 });
    // Nothing in it is of the time when it was made.
    expect(decodeMessage(filled(plan.template ?? '', FIRED))).toMatchObject({ etaMs: null, expiresMs: null });
  });

  it.each(['12:30:00Z', '12:30:07Z', '12:30:59Z'])('has one id for all firings of a minute: %s', (time) => {
    const plan = planOf({ task: report.s(), schedule: DAILY });
    expect(received(plan, `2030-01-07T${time}`)).toMatchObject({
      id: tickId('daily', Date.parse('2030-01-07T12:30:00Z')),
      celeriac: { beat: { scheduled: '2030-01-07T12:30:00.000Z' } },
    });
  });

  it('has other ids for other minutes and entries', () => {
    const ids = ['daily', 'nightly'].flatMap((name) => {
      const plan = planOf({ task: report.s(), schedule: DAILY }, name);
      return ['2030-01-07T12:30:59Z', '2030-01-07T12:31:00Z', '2031-01-07T12:30:00Z'].map(
        (time) => received(plan, time).id,
      );
    });
    expect(new Set(ids).size).toBe(6);
  });

  it('reaches a task elsewhere as a legal message of its own, with an id of its firing', () => {
    const plan = planOf({ task: 'python.task', customTask: true, schedule: DAILY });
    const messages = ['12:30:00Z', '12:31:00Z'].map((time) =>
      decodeMessage(filled(plan.template ?? '', `2030-01-07T${time}`)),
    );
    expect(new Set(messages.map(({ id }) => id)).size).toBe(2);
    for (const { id, rootId, parentId, etaMs, expiresMs } of messages) {
      expect(id.length).toBeLessThanOrEqual(128);
      expect({ rootId, parentId, etaMs, expiresMs }).toEqual({
        rootId: id,
        parentId: null,
        etaMs: null,
        expiresMs: null,
      });
    }
  });

  it.each([
    ['2030-01-07T12:30:00Z', 0],
    ['2030-01-07T12:30:59Z', 0],
  ])('expires count from the minute of %s', (time, expires) => {
    const plan = planOf({ task: report.s(), schedule: DAILY, options: { expires } });
    expect(received(plan, time).expiresMs).toBe(Date.parse('2030-01-07T12:30:00Z'));
  });

  it('a time that cannot be read is refused', () => {
    const plan = planOf({ task: report.s(), schedule: DAILY });
    expect(() => fromRule(decodeMessage(filled(plan.template ?? '', 'noon')))).toThrow('has no readable time');
  });
});

describe('what stands in a template', () => {
  const ODD = [
    '<time>',
    '<>',
    '</script>',
    '<aws.events.rule-name>',
    '"quoted"',
    String.raw`back\slash \u003ctime\u003e \n`,
    '👩‍💻 é',
    'line\u2028and\u2029line',
    '\u0000\u007f\u0080\uffff',
    '\ud800 alone',
    '~celeriac-time~',
    '{{time}} ${time} $.time',
  ];

  it.each(ODD)('%j comes through in arguments, headers and shown arguments', (text) => {
    const plan = planOf({
      task: report.s(text, { [text]: [text] }),
      schedule: DAILY,
      options: { headers: { [`x-${text}`]: text }, argsrepr: text, kwargsrepr: text, shadow: text },
    });
    const message = received(plan);
    expect(message).toEqual(swept(plan));
    expect(message).toMatchObject({ args: [text, { [text]: [text] }], argsrepr: text, kwargsrepr: text, shadow: text });
    expect(message.headers[`x-${text}`]).toBe(text);
  });

  it.each(ODD)('%j comes through in the name of the entry', (text) => {
    const plan = planOf({ task: report.s(), schedule: DAILY }, text);
    const message = received(plan);
    expect(message).toEqual(swept(plan));
    expect(message).toMatchObject({ id: tickId(text, MINUTE), headers: { periodic_task_name: text } });
  });

  it('any JSON comes through, as the sweeper sends it', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...ODD), fc.string());
    const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(json, text), { maxLength: 4 }),
        fc.dictionary(fc.string({ minLength: 1 }), fc.oneof(json, text), { maxKeys: 3 }),
        text,
        fc.date({ min: new Date('2000-01-01'), max: new Date('2026-01-01'), noInvalidDate: true }),
        (args, kwargs, header, fired) => {
          const plan = planOf({ task: 'report', args, kwargs, schedule: DAILY, options: { headers: { header } } });
          if (plan.firedBy === 'sweep') {
            expect(plan.reason).toMatch(/^a message of \d+ characters/);
            return;
          }
          const time = fired.toISOString().replace(/\.\d+Z$/, 'Z');
          const minute = Math.floor(fired.getTime() / 60_000) * 60_000;
          const message = received(plan, time);
          expect(message).toEqual(swept(plan, minute));
          expect(message.id).toBe(tickId('daily', minute));
        },
      ),
      { numRuns: runs(200, 1000) },
    );
  });

  it('a signature that was somebody’s child begins a line of its own, whichever way it goes', () => {
    const task = signature('report', { options: { root_id: 'root', parent_id: 'parent' } });
    const plan = planOf({ task, schedule: DAILY });
    const id = tickId('daily', MINUTE);
    expect(received(plan)).toMatchObject({ id, rootId: id, parentId: null });
    expect(swept(plan)).toMatchObject({ id, rootId: id, parentId: null });
  });

  it('a null in a signature is no option', () => {
    const task = signature('mail.send', { args: ['x'], options: { expires: null, countdown: null } });
    const plan = planOf({ task, schedule: DAILY });
    expect(received(plan)).toEqual(swept(plan));
    expect(received(plan).expiresMs).toBe(MINUTE + 600_000);
  });
});

describe('what a rule cannot say is swept, with the reason', () => {
  const entry: BeatEntry = { task: report.s(), schedule: DAILY };
  it.each<[string, Partial<BeatEntry>]>([
    ['a FIFO queue', { task: 'orders.pack' }],
    ['a FIFO queue', { options: { queue: 'orders' } }],
    ['its queue is consumed elsewhere', { options: { queue: 'celery' }, task: 'python.task', customTask: true }],
    ['its queue is consumed elsewhere', { task: app.remote('proj.add', { queue: 'celery' }).s() }],
    ['groupKey', { options: { groupKey: 'acme' } }],
    ['countdown', { options: { countdown: 30 } }],
    ['an absolute expires', { options: { expires: new Date('2031-01-01') } }],
    ['an absolute expires', { options: { expires: '2031-01-01T00:00:00Z' } }],
    ['expires of a task that runs elsewhere', { task: 'python.task', customTask: true, options: { expires: 60 } }],
    ['one-off', { oneOff: true }],
    ['startTime', { startTime: '2031-01-01' }],
    ['expires of the entry', { expires: '2031-01-01' }],
    ["catchUp 'all'", { catchUp: 'all' }],
    ['time zone Europe/Berlin', { schedule: crontab({ hour: 7 }, { timezone: 'Europe/Berlin' }) }],
    ['day of month and day of week', { schedule: crontab('0 0 13 * fri') }],
    ['seconds', { schedule: 30 }],
    ['relative', { schedule: every('1d', { relative: true }) }],
  ])('%s', (reason, change) => {
    const plan = planOf({ ...entry, ...change });
    expect(plan).toMatchObject({ firedBy: 'sweep', reason });
    expect(plan).not.toHaveProperty('expression');
    expect(plan).not.toHaveProperty('template');
  });

  it('takes the zone of the app where the schedule has none', () => {
    const [plan] = planBeat(app, [resolveEntry('daily', entry, 'Asia/Tokyo')]);
    expect(plan).toMatchObject({ firedBy: 'sweep', reason: 'time zone Asia/Tokyo' });
  });

  it('countdown 0 is none', () => {
    expect(received(planOf({ ...entry, options: { countdown: 0 } })).etaMs).toBeNull();
  });

  it('templates have up to 8,192 characters', () => {
    const withFiller = (length: number): BeatPlan =>
      planOf({ ...entry, options: { headers: { filler: 'x'.repeat(length) } } });
    const base = withFiller(0).template?.length ?? 0;
    const longest = withFiller(8192 - base);
    expect(longest.firedBy).toBe('rule');
    expect(longest.template).toHaveLength(8192);
    expect(withFiller(8193 - base)).toMatchObject({
      firedBy: 'sweep',
      reason: 'a message of 8193 characters (8192 are allowed)',
    });
  });

  it('rules beyond the limit are swept in the order of declaration', () => {
    const limited = new Celeriac('limited', { beatRuleLimit: 2 });
    limited.task('report', () => 1);
    const entries = ['a', 'b', 'c', 'd'].map((name) =>
      resolveEntry(name, { task: 'report', schedule: name === 'a' ? 30 : DAILY }, 'UTC'),
    );
    const plans = planBeat(limited, entries);
    expect(plans.map(({ firedBy, reason }) => [firedBy, reason])).toEqual([
      ['sweep', 'seconds'],
      ['rule', ''],
      ['rule', ''],
      ['sweep', 'more than 2 rules (beatRuleLimit)'],
    ]);
    expect(plans[3]).not.toHaveProperty('template');
  });

  it('290 rules are the default', () => {
    const entries = Array.from({ length: 302 }, (_, index) => resolveEntry(`entry ${index}`, entry, 'UTC'));
    const firing = planBeat(app, entries).map(({ firedBy }) => firedBy);
    expect(firing.filter((firedBy) => firedBy === 'rule')).toHaveLength(290);
    expect(new Set(firing.slice(290))).toEqual(new Set(['sweep']));
  });
});
