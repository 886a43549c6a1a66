/** What is refused when it is declared or stored: each message names the entry, the field, the value and the fix. */
import { type BeatEntry, Celeriac, CeleriacError, clocked, crontab, every, signature, solar } from 'celeriac';
import { array, minLength, number, object, pipeAsync, checkAsync, string, tuple, tupleAsync } from 'valibot';
import { describe, expect, it } from 'vitest';

import { beatWorld, START } from '../support/beat-world.ts';

/** Without types, as from JSON or JavaScript. */
const raw = (entry: unknown): BeatEntry => entry as BeatEntry;
const note = (change: object): BeatEntry => raw({ task: 'note', schedule: every('1m'), ...change });

/** What is given, the error's code, and what its message says. */
const BAD: readonly (readonly [string, () => BeatEntry, string, readonly string[]])[] = [
  // ------------------------------------------------------------ schedule
  ['no schedule', () => raw({ task: 'note' }), 'INVALID_SCHEDULE', ['schedule: undefined given', 'crontab(...)']],
  ['schedule null', () => note({ schedule: null }), 'INVALID_SCHEDULE', ['schedule: null given']],
  [
    'an unknown type',
    () => note({ schedule: { type: 'cron' } }),
    'INVALID_SCHEDULE',
    ['{"type":"cron"}', 'every(...)'],
  ],
  ['interval zero', () => note({ schedule: 0 }), 'INVALID_SCHEDULE', ['every: 0 given', '1 second to 100 years']],
  ['interval below a second', () => note({ schedule: 0.5 }), 'INVALID_SCHEDULE', ['0.5', 'one task that loops']],
  ['interval text', () => note({ schedule: '10 minutes' }), 'INVALID_SCHEDULE', ["'10 minutes'", "'5m'"]],
  ['interval NaN', () => note({ schedule: Number.NaN }), 'INVALID_SCHEDULE', ['every']],
  [
    'crontab day 7',
    () => note({ schedule: { type: 'crontab', dayOfWeek: 7 } }),
    'INVALID_SCHEDULE',
    ['dayOfWeek', '7', '0'],
  ],
  [
    'crontab minute 60',
    () => note({ schedule: { type: 'crontab', minute: '60' } }),
    'INVALID_SCHEDULE',
    ['minute', '60'],
  ],
  [
    '31 February',
    () => note({ schedule: { type: 'crontab', minute: 0, hour: 0, dayOfMonth: 31, monthOfYear: 2 } }),
    'INVALID_SCHEDULE',
    ['dayOfMonth', '31', '2'],
  ],
  [
    'an unknown zone',
    () => note({ schedule: { type: 'crontab', timezone: 'Europe/Atlantis' } }),
    'INVALID_SCHEDULE',
    ['Europe/Atlantis', 'Europe/Berlin'],
  ],
  [
    'an unknown zone of an interval',
    () => note({ schedule: { type: 'interval', seconds: 60, relative: true, timezone: 'Mars' } }),
    'INVALID_SCHEDULE',
    ['Mars'],
  ],
  [
    'an unknown DST policy',
    () => note({ schedule: { type: 'crontab', dst: 'twice' } }),
    'INVALID_SCHEDULE',
    ["'twice'", "'shift'", "'skip'"],
  ],
  [
    'a solar event',
    () => note({ schedule: { type: 'solar', event: 'noon' } }),
    'INVALID_SCHEDULE',
    ["'noon'", 'solar_noon'],
  ],
  [
    'a latitude',
    () => note({ schedule: { type: 'solar', event: 'sunset', latitude: 91, longitude: 0 } }),
    'INVALID_SCHEDULE',
    ['latitude', '91', '90'],
  ],
  ['no instant', () => note({ schedule: { type: 'clocked', at: 'soon' } }), 'INVALID_SCHEDULE', ['clocked', "'soon'"]],
  // ---------------------------------------------------------------- span
  [
    'startTime after expires',
    () => note({ startTime: '2030-02-02', expires: '2030-02-01' }),
    'INVALID_SCHEDULE',
    ['startTime: Date 2030-02-02T00:00:00.000Z is not before expires', '2030-02-01', 'Correct one'],
  ],
  [
    'a single instant before startTime',
    () => note({ schedule: clocked('2030-01-05'), startTime: '2030-01-06' }),
    'INVALID_SCHEDULE',
    ['once at 2030-01-05T00:00:00.000Z is never due between startTime and expires'],
  ],
  [
    'a single instant after expires',
    () => note({ schedule: clocked('2030-01-05'), expires: '2030-01-05' }),
    'INVALID_SCHEDULE',
    ['once at 2030-01-05T00:00:00.000Z is never due'],
  ],
  [
    'a span without a match',
    () => note({ schedule: crontab({ minute: 0, hour: 4 }), startTime: '2030-01-01T05:00:00Z', expires: '2030-01-02' }),
    'INVALID_SCHEDULE',
    ['crontab 0 4 * * * UTC is never due'],
  ],
  ['startTime text', () => note({ startTime: 'tomorrow' }), 'INVALID_OPTION', ['startTime', "'tomorrow'", 'ISO 8601']],
  ['expires in ms', () => note({ expires: START }), 'INVALID_OPTION', ['expires', String(START), 'milliseconds']],
  ['startingDeadline', () => note({ startingDeadline: 0 }), 'INVALID_OPTION', ['startingDeadline: 0', 'at least 1']],
  // --------------------------------------------------------------- flags
  ['enabled', () => note({ enabled: 'yes' }), 'INVALID_SCHEDULE', ["enabled: 'yes' given; true or false"]],
  ['oneOff', () => note({ oneOff: 1 }), 'INVALID_SCHEDULE', ['oneOff: 1 given; true or false']],
  ['customTask', () => note({ customTask: 'x' }), 'INVALID_SCHEDULE', ["customTask: 'x' given"]],
  ['catchUp', () => note({ catchUp: 'none' }), 'INVALID_SCHEDULE', ["catchUp: 'none' given; 'one' or 'all'"]],
  ['description', () => note({ description: 5 }), 'INVALID_SCHEDULE', ['description: 5 given; text of at most 2000']],
  ['a long one', () => note({ description: 'x'.repeat(2001) }), 'INVALID_SCHEDULE', ['text of 2001 characters given']],
  ['a stray field', () => note({ cron: '* * * * *' }), 'INVALID_SCHEDULE', ["'cron' is no field", 'schedule']],
  ['no object', () => raw('note'), 'INVALID_SCHEDULE', ["'note' given; an object with task and schedule"]],
  ['null', () => raw(null), 'INVALID_SCHEDULE', ['null given']],
  // ---------------------------------------------------------------- task
  ['no task', () => raw({ schedule: 60 }), 'INVALID_SCHEDULE', ['task: undefined given', 'task.s(1)']],
  [
    'an unknown task',
    () => note({ task: 'nope' }),
    'INVALID_SCHEDULE',
    ["task 'nope'", 'note, strict', 'customTask: true'],
  ],
  ['a name that is none', () => note({ task: 'a b', customTask: true }), 'INVALID_OPTION', ["task name: 'a b' given"]],
  [
    'the same in a signature',
    () => note({ task: signature('a b'), customTask: true }),
    'INVALID_OPTION',
    ["task name: 'a b' given"],
  ],
  ['a function', () => note({ task: () => {} }), 'INVALID_SCHEDULE', ['task: a function given']],
  [
    'a composite',
    () => note({ task: signature('celery.chain', { subtaskType: 'chain' }), customTask: true }),
    'INVALID_SCHEDULE',
    ['a chain cannot be scheduled', 'schedule a task that starts it'],
  ],
  // ----------------------------------------------------------- arguments
  [
    'args beside a signature',
    () => note({ task: signature('note'), args: [1] }),
    'INVALID_SCHEDULE',
    ['Leave them out'],
  ],
  ['args text', () => note({ args: 'abc' }), 'INVALID_SCHEDULE', ["args: 'abc' given; an array"]],
  ['args number', () => note({ args: 5 }), 'INVALID_SCHEDULE', ['args: 5 given; an array']],
  ['kwargs array', () => note({ kwargs: [1] }), 'INVALID_SCHEDULE', ['kwargs: [1] given; an object']],
  ['an argument that is no JSON', () => note({ args: [{ f: () => {} }] }), 'NOT_SERIALIZABLE', ['args[0].f']],
  ['kwargs that are no JSON', () => note({ kwargs: { big: 1n } }), 'NOT_SERIALIZABLE', ['kwargs.big']],
  [
    'args that the schema refuses',
    () => note({ task: 'strict', args: ['x'] }),
    'INVALID_ARGUMENTS',
    ["'strict'", 'args.0'],
  ],
  ['too few of them', () => note({ task: 'strict' }), 'INVALID_ARGUMENTS', ["'strict'"]],
  [
    'more than DynamoDB holds',
    () => note({ args: ['x'.repeat(400_000)] }),
    'MESSAGE_TOO_LARGE',
    ['400', '360448', 'reference'],
  ],
  ['more than SQS holds', () => note({ args: ['x'.repeat(1_100_000)] }), 'MESSAGE_TOO_LARGE', ['1048576']],
  // ------------------------------------------------------------- options
  [
    'an unknown queue',
    () => note({ options: { queue: 'nope' } }),
    'QUEUE_NOT_FOUND',
    ["'nope'", 'default', 'correct the name'],
  ],
  ['eta', () => note({ options: { eta: '2030-01-01' } }), 'INVALID_OPTION', ["'eta'", 'countdown']],
  ['taskId', () => note({ options: { taskId: 'x' } }), 'INVALID_OPTION', ["'taskId'", 'every tick has its own']],
  ['kwargs', () => note({ options: { kwargs: { a: 1 } } }), 'INVALID_OPTION', ['kwargs go beside args']],
  [
    'eta of a signature',
    () => note({ task: signature('note', { options: { eta: '2030-01-01' } }) }),
    'INVALID_OPTION',
    ["'eta' of the signature", 'countdown'],
  ],
  [
    'the id of a signature',
    () => note({ task: signature('note', { options: { task_id: 'x' } }) }),
    'INVALID_OPTION',
    ["'task_id' of the signature"],
  ],
  ['a stray option', () => note({ options: { quue: 'mail' } }), 'INVALID_OPTION', ["'quue'", 'queue']],
  ['options text', () => note({ options: 'mail' }), 'INVALID_OPTION', ["options: 'mail' given; an object"]],
  ['priority', () => note({ options: { priority: 10 } }), 'INVALID_OPTION', ['priority: 10 given', '0 to 9']],
  ['countdown', () => note({ options: { countdown: 'later' } }), 'INVALID_OPTION', ['countdown', "'later'"]],
  ['headers', () => note({ options: { headers: 'x' } }), 'INVALID_OPTION', ["headers: 'x' given"]],
];

function refused(action: () => unknown): CeleriacError {
  try {
    action();
  } catch (error) {
    if (error instanceof CeleriacError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const strictApp = () =>
  beatWorld((_note, app) => {
    app.task('strict', { schema: tuple([number()]) }, (x: unknown) => void x);
    return {};
  });

describe('bad entries', () => {
  it.each(BAD)('%s', async (_what, given, code, says) => {
    const { app, world } = strictApp();
    const error = refused(() => app.beat({ bad: given() }));
    expect(error.code, error.message).toBe(code);
    for (const part of ["entry 'bad': ", ...says]) expect(error.message).toContain(part);
    expect(error.stack).toContain(error.message);
    expect(error.message).not.toMatch(/undefined cannot|\[object|TypeError/);
    expect(app.manifest().beat).toEqual([]);

    const stored = await app.schedules.put('bad', given()).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(stored).toMatchObject({ code, message: error.message });
    expect(await world.schedules.list(undefined, 10)).toEqual([]);
  });

  it.each([[''], ['  '], ['x'.repeat(201)], [5 as never]])('the name %o', async (name) => {
    const { app } = beatWorld();
    for (const action of [
      () => app.schedules.put(name, note({})),
      () => app.schedules.get(name),
      () => app.schedules.enable(name),
      () => app.schedules.runNow(name),
      () => app.schedules.delete(name),
    ])
      await expect(action()).rejects.toThrow('text of 1 to 200 characters is allowed');
    if (typeof name === 'string') expect(refused(() => app.beat({ [name]: note({}) })).code).toBe('INVALID_SCHEDULE');
  });

  it('two entries of one name', () => {
    const { app } = beatWorld((task) => ({ a: { task: task.s(), schedule: 60 } }));
    expect(refused(() => app.beat({ a: note({}) })).message).toBe(
      "entry 'a' is declared twice. Rename one, or merge them.",
    );
  });

  it('a time that has passed is refused when it is stored; declared, it waits for nothing', async () => {
    const { app, world, runs } = beatWorld();
    const past = note({ schedule: clocked('2029-12-31T23:59:59Z') });
    await expect(app.schedules.put('past', past)).rejects.toThrow(
      "entry 'past' has no due time after 2030-01-01T00:00:00.000Z. Correct its schedule, startTime or expires; runNow() runs its task once.",
    );
    await expect(app.schedules.put('past', note({ expires: '2029-06-01' }))).rejects.toThrow('has no due time');
    expect(await app.schedules.put('past', { ...past, enabled: false })).toMatchObject({ enabled: false });
    await expect(app.schedules.enable('past')).rejects.toThrow('has no due time');
    app.beat({ declared: past });
    await world.advance('1h');
    expect(runs).toEqual([]);
  });
});

describe('good entries', () => {
  it('every kind of schedule, duration and instant', () => {
    const { app } = beatWorld();
    app.beat({
      seconds: note({ schedule: 1 }),
      text: note({ schedule: '90s' }),
      plain: note({ schedule: { type: 'crontab', minute: 5 } }),
      solar: note({ schedule: solar('dawn_civil', -33.9, 151.2) }),
      dates: note({ startTime: new Date(START), expires: '2031-01-01', startingDeadline: '1h', enabled: false }),
      nulls: note({ startTime: null, expires: null, startingDeadline: null }),
      [' padded']: note({}),
    });
    expect(app.manifest().beat.map(({ name, firedBy, enabled }) => `${name} ${firedBy} ${enabled}`)).toEqual([
      'seconds sweep true',
      'text sweep true',
      'plain rule true',
      'solar sweep true',
      'dates sweep false',
      'nulls rule true',
      ' padded rule true',
    ]);
  });

  it("a task that runs elsewhere goes to its queue under the app's zone", async () => {
    const { app, world } = beatWorld(() => ({}), { queues: { default: {}, py: {} }, timezone: 'Asia/Tokyo' });
    const put = await app.schedules.put('python', {
      task: 'proj.tasks.add',
      customTask: true,
      args: [1],
      kwargs: { k: 2 },
      schedule: crontab({ minute: 0, hour: 9 }),
      options: { queue: 'py' },
    });
    expect(put).toMatchObject({ customTask: true, schedule: { timezone: 'Asia/Tokyo' } });
    await app.schedules.runNow('python');
    const [deadLetter] = world.broker.peekAll('py');
    const envelope: unknown = JSON.parse(Buffer.from(deadLetter?.body ?? '', 'base64').toString());
    expect(envelope).toMatchObject({
      headers: { task: 'proj.tasks.add', periodic_task_name: 'python', argsrepr: '(1,)', kwargsrepr: "{'k': 2}" },
    });
  });

  it('what the schema makes of the arguments is what is stored', async () => {
    const { app } = beatWorld();
    app.task(
      'many',
      {
        schema: tupleAsync([
          pipeAsync(
            array(string()),
            minLength(1),
            checkAsync(async () => true),
          ),
        ]),
      },
      (x: unknown) => x,
    );
    app.task('object', { schema: tuple([object({ a: number() })]) }, (x: unknown) => x);
    app.beat({ later: { task: 'many', args: [[]], schedule: 60 } });
    await expect(app.schedules.put('now', { task: 'many', args: [[]], schedule: 60 })).rejects.toThrow(
      "entry 'now': Arguments of task 'many' do not fit its schema",
    );
    const put = await app.schedules.put('object', { task: 'object', args: [{ a: 1, stray: 2 }], schedule: 60 });
    expect(put.task.args).toEqual([{ a: 1 }]);
  });

  it('what is changed after it was declared changes nothing', async () => {
    const { app, world, runs } = beatWorld();
    const args = [{ deep: 1 }];
    app.beat({ a: { task: 'note', args, schedule: every('30s') } });
    args[0] = { deep: 2 };
    const inner = { deep: 1 };
    app.beat({ b: { task: 'note', args: [inner], schedule: every('30s') } });
    inner.deep = 2;
    await world.advance('31s');
    expect(runs.map((run) => run.args)).toEqual([[{ deep: 1 }], [{ deep: 1 }]]);
  });

  it('an app without a beat has an empty one', () => {
    expect(new Celeriac('plain').manifest().beat).toEqual([]);
  });
});
