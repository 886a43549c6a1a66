/** `settingsFromCelery`: each mapping, each kind of warning, names in every spelling, and what is refused. */
import { build } from 'esbuild';
import { Celeriac, InvalidOption, settingsFromCelery } from 'celeriac';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { CELERY_SETTINGS, findSetting, spellings } from '../../lib/options/celery/table.ts';
import { resolveRoute } from '../../lib/options/routes.ts';
import type { AppOptions } from '../../lib/options/settings.ts';
import { becomesOption } from '../support/celery-settings-page.ts';

type Settings = Readonly<Record<string, unknown>>;

/** Options and warnings; that an app takes the options is checked on the way. */
function from(settings: Settings): { options: AppOptions; warnings: readonly string[] } {
  const warnings: string[] = [];
  const options = settingsFromCelery(settings, {
    warn: (message, setting) => {
      expect(message).toContain(setting);
      warnings.push(message);
    },
  });
  expect(new Celeriac('proj', options).settings.name).toBe('proj');
  return { options, warnings };
}

/** Options of settings that warn of nothing. */
function quietly(settings: Settings): AppOptions {
  const { options, warnings } = from(settings);
  expect(warnings).toEqual([]);
  return options;
}

function refusal(settings: Settings): string {
  try {
    settingsFromCelery(settings, { warn: () => {} });
  } catch (error) {
    expect(InvalidOption.is(error)).toBe(true);
    return (error as Error).message;
  }
  throw new Error(`${JSON.stringify(settings)} is taken`);
}

describe('settings that become options', () => {
  it.each<[Settings, AppOptions]>([
    [{}, {}],
    [{ task_default_queue: 'work' }, { defaultQueue: 'work', queues: { work: {} } }],
    [{ task_default_queue: 'work.fifo' }, { defaultQueue: 'work.fifo', queues: { 'work.fifo': { fifo: true } } }],
    [{ task_default_queue: null, task_queues: null, task_routes: null, timezone: null }, {}],
    [{ timezone: 'Europe/Berlin' }, { timezone: 'Europe/Berlin' }],
    [{ result_expires: 3600 }, { resultExpires: 3600 }],
    [{ task_always_eager: true }, { alwaysEager: true }],
    [{ task_eager_propagates: true }, { eagerPropagates: true }],
    [{ task_acks_late: false }, { acksLate: false }],
    [{ task_acks_late: true }, { acksLate: true }],
    [{ task_track_started: true }, { trackStarted: true }],
    [{ task_ignore_result: true }, { ignoreResult: true }],
    [{ task_store_errors_even_if_ignored: false }, { storeErrorsEvenIfIgnored: false }],
    [{ task_publish_retry: false }, { retry: false }],
    [
      { task_publish_retry_policy: { max_retries: 5, interval_start: 1, interval_step: 0.5, interval_max: 10 } },
      { retryPolicy: { maxRetries: 5, intervalStart: 1, intervalStep: 0.5, intervalMax: 10 } },
    ],
    [{ task_default_rate_limit: '100/m' }, { rateLimit: '100/m' }],
    [{ CELERY_DEFAULT_RATE_LIMIT: 5 }, { rateLimit: 5 }],
    [{ task_publish_retry_policy: { max_retries: 0 } }, { retryPolicy: { maxRetries: 0 } }],
  ])('%j', (settings, options) => {
    expect(quietly(settings)).toEqual(options);
  });

  it('absent settings leave the defaults of this library', () => {
    expect(new Celeriac('proj', quietly({ task_default_queue: 'work' })).settings).toMatchObject({
      acksLate: true,
      storeErrorsEvenIfIgnored: true,
    });
  });

  it.each([null, 0])('results that never expire (%j) live for 100 years, with a warning', (value) => {
    const { options, warnings } = from({ CELERY_TASK_RESULT_EXPIRES: value });
    expect(options).toEqual({ resultExpires: '100y' });
    expect(warnings).toEqual([expect.stringMatching(/^CELERY_TASK_RESULT_EXPIRES: .* 100 years; give the seconds/)]);
  });

  it('keys of the retry policy that Celery hands on to kombu are told of', () => {
    const { options, warnings } = from({ task_publish_retry_policy: { max_retries: 1, retry_errors: null } });
    expect(options).toEqual({ retryPolicy: { maxRetries: 1 } });
    expect(warnings).toEqual([expect.stringMatching(/^task_publish_retry_policy: retry_errors has no meaning here: /)]);
  });
});

describe('queues', () => {
  const three = { celery: {}, mail: {}, 'orders.fifo': { fifo: true } };
  it.each<[string, unknown]>([
    ['names', ['celery', 'mail', 'orders.fifo']],
    ['objects', [{ name: 'celery' }, { name: 'mail', routing_key: 'mail' }, 'orders.fifo']],
    ['an object by name', { celery: {}, mail: { exchange: 'mail', exchange_type: 'direct' }, 'orders.fifo': null }],
  ])('as %s', (_, queues) => {
    expect(quietly({ task_queues: queues })).toEqual({ queues: three, defaultQueue: 'celery' });
  });

  it('as kombu writes them out', () => {
    const exchange = { name: 'mail', type: 'direct', arguments: null, durable: true, passive: false };
    const rest = { durable: true, exclusive: false, queue_arguments: null, bindings: [], max_priority: null };
    expect(quietly({ task_queues: [{ name: 'mail', exchange, routing_key: 'mail', ...rest }] }).queues).toEqual({
      mail: {},
      default: {},
    });
    const topic = { name: 'mail', exchange: { name: 'news', type: 'topic' }, routing_key: 'news.#', max_priority: 10 };
    const { warnings } = from({ CELERY_QUEUES: [topic, { name: 'slow', max_priority: 10 }] });
    expect(warnings).toEqual([
      'CELERY_QUEUES: exchange (mail), routing_key (mail), max_priority (mail, slow) have no meaning here: ' +
        'a message goes to a queue by its name; what SQS offers is set in queues and with TaskService.',
    ]);
  });

  it('have one for tasks without a route: the given one, celery where it is declared, else default', () => {
    expect(quietly({ task_queues: ['a'], task_default_queue: 'b' })).toEqual({
      queues: { a: {}, b: {} },
      defaultQueue: 'b',
    });
    expect(quietly({ task_queues: ['a', 'celery'] }).defaultQueue).toBe('celery');
    expect(quietly({ task_queues: ['a'] })).toEqual({ queues: { a: {}, default: {} } });
    expect(new Celeriac('proj', quietly({ task_queues: ['a'] })).settings.defaultQueue).toBe('default');
  });

  it('that are not declared are refused where task_create_missing_queues is false', () => {
    const routes = { task_routes: { 'mail.*': 'mail' }, CELERY_CREATE_MISSING_QUEUES: false };
    expect(refusal({ ...routes, task_queues: ['celery'] })).toBe(
      "task_routes: the queue 'mail' is not in task_queues, and CELERY_CREATE_MISSING_QUEUES is false. " +
        'Add it to task_queues, or leave CELERY_CREATE_MISSING_QUEUES out.',
    );
    expect(refusal({ task_default_queue: 'work', task_queues: ['a'], task_create_missing_queues: false })).toContain(
      "task_default_queue: the queue 'work' is not in task_queues",
    );
    expect(quietly({ ...routes, task_queues: ['mail', 'celery'] }).queues).toEqual({ mail: {}, celery: {} });
    expect(quietly({ task_default_queue: 'work', task_create_missing_queues: false }).queues).toEqual({ work: {} });
    expect(quietly({ task_routes: { 'mail.*': 'mail' }, task_create_missing_queues: true }).queues).toEqual({
      mail: {},
      default: {},
    });
  });
});

describe('routes', () => {
  const queues = { feeds: {}, web: {}, default: {} };
  const map = { 'feed.*': { queue: 'feeds' }, 'web.fetch': 'web' };
  const pairs = Object.entries(map);
  it.each<[string, unknown, AppOptions['routes']]>([
    ['a dict', map, map],
    ['a list of pairs', pairs, map],
    ['a list of a list of pairs', [pairs], map],
    ['a list of dicts', [map, { other: 'web' }], [map, { other: 'web' }]],
    ['a list of both', [['a', 'web'], map], [{ a: 'web' }, map]],
  ])('as %s', (_, given, routes) => {
    expect(quietly({ task_routes: given })).toEqual({ queues: expect.objectContaining(queues) as unknown, routes });
  });

  it('of pairs: an exact name wins over patterns before it, as in Celery', () => {
    const { routes } = quietly({
      task_routes: [
        ['feed.*', 'feeds'],
        ['feed.now', { queue: 'web', priority: 3 }],
      ],
    });
    expect(resolveRoute(routes, 'feed.now', [], {})).toEqual({ queue: 'web', priority: 3 });
    expect(resolveRoute(routes, 'feed.later', [], {})).toEqual({ queue: 'feeds' });
  });

  it('keep queue and priority, and tell of the rest', () => {
    const { options, warnings } = from({
      task_routes: {
        'a.*': { queue: { name: 'web', durable: true }, routing_key: 'web', exchange: 'media', priority: null },
        b: { exchange: 'media', routing_key: 'b.#' },
      },
    });
    expect(options).toEqual({ routes: { 'a.*': { queue: 'web' }, b: {} }, queues: { web: {}, default: {} } });
    expect(warnings).toEqual([
      "task_routes: exchange ('a.*', 'b'), routing_key ('b') have no meaning here: " +
        'a task goes to a queue by its name; name it as queue.',
    ]);
  });

  it('by a function in Python, or by a pattern that means more there, are told of', () => {
    const { options, warnings } = from({ CELERY_ROUTES: ['proj.routers.Router', { 'a[bc].*': 'web', 'x[y]': 'web' }] });
    expect(options.routes).toEqual({ 'a[bc].*': 'web', 'x[y]': 'web' });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^CELERY_ROUTES: the router proj\.routers\.Router has no meaning here: .* add it to routes/,
      ),
      expect.stringMatching(/^CELERY_ROUTES: in the pattern 'a\[bc\]\.\*' only \* stands for other characters here/),
    ]);
    expect(from({ task_routes: 'proj.routers.route' }).options).toEqual({});
  });
});

describe('settings without a meaning here', () => {
  it.each<[string, unknown, RegExp]>([
    ['worker_concurrency', 8, /Lambda starts .* queues: \{ mail: \{ concurrency \} \}/],
    ['CELERYD_PREFETCH_MULTIPLIER', 1, /batchSize/],
    ['broker_url', 'redis://:secret@host/0', /TaskService deploys the SQS queues/],
    ['result_backend', 'redis://', /DynamoDB table that TaskService makes/],
    ['result_serializer', 'pickle', /JSON/],
    ['accept_content', ['json', 'pickle'], /JSON/],
    ['CELERYBEAT_SCHEDULE', { a: { task: 'a', schedule: 10 } }, /app\.beat\(/],
    ['beat_scheduler', 'django_celery_beat.schedulers:DatabaseScheduler', /app\.schedules/],
    ['worker_disable_rate_limits', true, /rateLimit/],
    ['task_annotations', { '*': { rate_limit: '10/s' } }, /options are given to each task/],
    ['enable_utc', false, /always in UTC/],
    ['task_time_limit', 300, /timeLimit/],
    ['imports', ['proj.tasks'], /TaskService as entry/],
    ['include', ['proj.tasks'], /TaskService as entry/],
    ['task_reject_on_worker_lost', false, /acksLate/],
    ['worker_logfile', '/var/log/celery.log', /daemon/],
    ['CELERY_CHORD_PROPAGATES', false, /policy/],
  ])('%s: %j', (name, value, why) => {
    const { options, warnings } = from({ [name]: value });
    expect(options).toEqual({});
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^${name} has no meaning here: .*\\.$`))]);
    expect(warnings[0]).toMatch(why);
    expect(warnings[0]).not.toContain('secret');
  });

  it('options of the transport, each by itself', () => {
    const { warnings } = from({
      BROKER_TRANSPORT_OPTIONS: {
        visibility_timeout: 3600,
        queue_name_prefix: 'prod-',
        region: 'eu-central-1',
        is_secure: true,
        predefined_queues: {},
      },
    });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^BROKER_TRANSPORT_OPTIONS\.visibility_timeout .* queues: \{ mail: \{ visibilityTimeout \}/,
      ),
      expect.stringMatching(/^BROKER_TRANSPORT_OPTIONS\.queue_name_prefix .* queueNamePrefix\.$/),
      expect.stringMatching(/^BROKER_TRANSPORT_OPTIONS\.region .* stack/),
      expect.stringMatching(/^BROKER_TRANSPORT_OPTIONS\.is_secure has no meaning here: /),
    ]);
  });

  it.each<Settings>([
    { task_serializer: 'json', result_serializer: 'json', accept_content: ['json'], result_accept_content: ['json'] },
    { accept_content: ['application/json', 'json'].toReversed(), enable_utc: true, task_protocol: 2 },
    {
      task_reject_on_worker_lost: true,
      worker_deduplicate_successful_tasks: true,
      worker_enable_remote_control: false,
    },
    { broker_url: null, imports: [], beat_schedule: {}, result_backend: '', task_time_limit: undefined },
    { worker_prefetch_multiplier: 4, broker_pool_limit: 10, CELERYD_POOL: 'prefork' },
  ])('no warning of what happens anyway: %j', (settings) => {
    expect(quietly(settings)).toEqual({});
  });

  it('every one of them tells of any other value in one sentence', () => {
    const mute = CELERY_SETTINGS.filter((setting) => !becomesOption(setting) && setting.to === undefined);
    for (const { name, here } of mute) {
      expect(from({ [name]: 'something else' }).warnings).toEqual([`${name} has no meaning here: ${here}.`]);
      expect(here, name).toMatch(/^[^.;]+.*;? .*[^.]$/);
    }
    expect(mute.length).toBeGreaterThan(180);
  });
});

describe('names', () => {
  it('each spelling of a setting is its own', () => {
    const all = CELERY_SETTINGS.flatMap((setting) => spellings(setting));
    expect(new Set(all).size).toBe(all.length);
    for (const setting of CELERY_SETTINGS)
      for (const spelling of spellings(setting)) expect(findSetting(spelling)).toBe(setting);
  });

  it('old, new and Django names say the same', () => {
    const options: AppOptions = { queues: { work: {} }, defaultQueue: 'work', alwaysEager: true, resultExpires: 60 };
    expect(quietly({ task_default_queue: 'work', task_always_eager: true, result_expires: 60 })).toEqual(options);
    expect(
      quietly({ CELERY_DEFAULT_QUEUE: 'work', CELERY_ALWAYS_EAGER: true, CELERY_TASK_RESULT_EXPIRES: 60 }),
    ).toEqual(options);
    expect(
      quietly({ CELERY_TASK_DEFAULT_QUEUE: 'work', CELERY_TASK_ALWAYS_EAGER: true, CELERY_RESULT_EXPIRES: 60 }),
    ).toEqual(options);
  });

  it('two with one value are one; with two values they are refused', () => {
    const beat = { CELERYBEAT_SCHEDULE: { a: { task: 'a' } }, beat_schedule: { a: { task: 'a' } } };
    expect(from(beat).warnings).toHaveLength(1);
    expect(refusal({ CELERY_DEFAULT_QUEUE: 'a', task_default_queue: 'b' })).toBe(
      'CELERY_DEFAULT_QUEUE and task_default_queue are two names of one setting, and their values differ. Give only task_default_queue.',
    );
    const urls = refusal({ BROKER_URL: 'redis://:secret@a', CELERY_BROKER_URL: 'redis://:secret@b' });
    expect(urls).toMatch(/^BROKER_URL and CELERY_BROKER_URL /);
    expect(urls).not.toContain('secret');
  });

  it.each([
    ['task_defalt_queue', 'task_defalt_queue is no setting of Celery; did you mean task_default_queue?'],
    [
      'CELERY_TASK_DEFALT_QUEUE',
      'CELERY_TASK_DEFALT_QUEUE is no setting of Celery; did you mean CELERY_TASK_DEFAULT_QUEUE?',
    ],
    ['CELERYD_CONCURENCY', 'CELERYD_CONCURENCY is no setting of Celery; did you mean CELERYD_CONCURRENCY?'],
    ['TASK_DEFAULT_QUEUE', 'TASK_DEFAULT_QUEUE is no setting of Celery; did you mean task_default_queue?'],
    ['CELERY_FLOWER_PORT', 'CELERY_FLOWER_PORT is no setting of Celery and is left out.'],
    ['__proto__', '__proto__ is no setting of Celery and is left out.'],
    ['constructor', 'constructor is no setting of Celery and is left out.'],
  ])('unknown: %s', (name, message) => {
    expect(from(JSON.parse(`{ ${JSON.stringify(name)}: 1 }`) as Settings)).toEqual({
      options: {},
      warnings: [message],
    });
  });

  it("a settings module's own names are left alone", () => {
    const django = { DEBUG: true, INSTALLED_APPS: ['proj'], DATABASES: {}, EMAIL_HOST: 'localhost', Queue: 'a class' };
    expect(quietly({ ...django, CELERY_TASK_ALWAYS_EAGER: true })).toEqual({ alwaysEager: true });
    expect(from({ ...django, CELERY_TASK_ALWAYS_EAGR: true }).warnings).toEqual([
      expect.stringContaining('did you mean CELERY_TASK_ALWAYS_EAGER?'),
    ]);
    // Old names are Celery's there too.
    expect(from({ ...django, CELERY_ALWAYS_EAGER: true, BROKER_URL: 'amqp://' }).warnings).toHaveLength(1);
    expect(from({ DEBUG: true }).warnings).toEqual(['DEBUG is no setting of Celery and is left out.']);
  });

  it("Django's time zone is taken where Celery has none", () => {
    const django = { TIME_ZONE: 'Europe/Berlin', CELERY_TASK_ALWAYS_EAGER: false };
    expect(quietly(django).timezone).toBe('Europe/Berlin');
    expect(quietly({ ...django, CELERY_TIMEZONE: null }).timezone).toBe('Europe/Berlin');
    expect(quietly({ ...django, CELERY_TIMEZONE: 'Asia/Tokyo' }).timezone).toBe('Asia/Tokyo');
  });
});

describe('what is refused', () => {
  it.each<[Settings, string]>([
    [{ CELERY_ALWAYS_EAGER: 'yes' }, "CELERY_ALWAYS_EAGER: 'yes' given; true or false is allowed."],
    [{ task_acks_late: null }, 'task_acks_late: null given; true or false is allowed.'],
    [{ task_create_missing_queues: 1 }, 'task_create_missing_queues: 1 given; true or false is allowed.'],
    [{ CELERY_DEFAULT_QUEUE: 3 }, 'CELERY_DEFAULT_QUEUE: 3 given; the name of a queue is allowed.'],
    [{ task_default_queue: 'a b' }, "task_default_queue: queues: 'a b' is no queue name; letters, digits, "],
    [{ task_queues: 'mail' }, "task_queues: 'mail' given; a list of names, or of objects such as { name: 'mail' }"],
    [{ task_queues: [3] }, 'task_queues: [3] given; a list of names'],
    [{ task_queues: [{}] }, 'task_queues: [{}] given; a list of names'],
    [{ task_queues: { name: 'mail' } }, 'task_queues: {"name":"mail"} given; a list of names'],
    [{ task_routes: 3 }, "task_routes: 3 given; an object such as { 'mail.*': { queue: 'mail' } }, or a list"],
    [{ task_routes: [['a.*']] }, 'task_routes: [["a.*"]] given; an object such as'],
    [{ task_routes: { a: 3 } }, "task_routes: the route of 'a': 3 given; a queue's name, or an object such as"],
    [{ task_routes: { a: { queue: 3 } } }, 'task_routes: 3 given; the name of a queue is allowed.'],
    [
      { task_routes: { a: { priority: 255 } } },
      "task_routes: priority of 'a': 255 given; a whole number from 0 to 9 is allowed.",
    ],
    [{ timezone: 1 }, "timezone: 1 given; an IANA time zone such as 'UTC'"],
    [{ CELERY_TIMEZONE: 'Mars' }, "CELERY_TIMEZONE: timezone: 'Mars' is no IANA time zone"],
    [{ result_expires: '1 day, 0:00:00' }, "result_expires: '1 day, 0:00:00' given; a number of seconds"],
    [{ result_expires: -1 }, 'result_expires: resultExpires: -1 is no duration. Give seconds'],
    [{ task_default_rate_limit: true }, "task_default_rate_limit: true given; a rate such as '100/m' is allowed."],
    [{ task_default_rate_limit: '5/w' }, "task_default_rate_limit: rateLimit: '5/w' given; starts in a time"],
    [{ task_publish_retry_policy: 3 }, 'task_publish_retry_policy: 3 given; an object such as { max_retries: 3'],
    [
      { task_publish_retry_policy: { max_retries: null } },
      'task_publish_retry_policy.max_retries: null given; a number is allowed.',
    ],
    [
      { task_publish_retry_policy: { max_retries: 1000 } },
      'task_publish_retry_policy: retryPolicy.maxRetries: 1000 given; a whole number from 0 to 100 is allowed.',
    ],
    [{ broker_transport_options: 'x' }, "broker_transport_options: 'x' given; an object by option is allowed."],
  ])('%j', (settings, message) => {
    expect(refusal(settings)).toContain(message);
  });

  it('no object, and options that there are not', () => {
    expect(refusal([] as unknown as Settings)).toBe(
      "settings of Celery: [] given; an object such as { task_default_queue: 'work' } is allowed.",
    );
    expect(() => settingsFromCelery({}, { wran: () => {} } as object)).toThrow(
      "'wran' is no option. Allowed are warn.",
    );
    expect(() => settingsFromCelery({}, { warn: 'console' as never })).toThrow("warn: 'console' given; a function");
  });
});

describe('by default', () => {
  afterEach(() => vi.restoreAllMocks());

  it('warnings go to the console, at level warn', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    settingsFromCelery({ CELERYD_CONCURRENCY: 8 });
    expect(warn.mock.calls).toHaveLength(1);
    expect(JSON.parse(String(warn.mock.calls[0]?.[0]))).toEqual({
      timestamp: expect.any(String) as string,
      level: 'WARN',
      message: expect.stringMatching(/^CELERYD_CONCURRENCY has no meaning here: /) as string,
      setting: 'CELERYD_CONCURRENCY',
    });
  });

  it('an app that does not use it has none of it in its bundle', async () => {
    const bundled = async (code: string): Promise<readonly string[]> => {
      const { metafile } = await build({
        stdin: { contents: code, resolveDir: import.meta.dirname, loader: 'ts' },
        bundle: true,
        write: false,
        metafile: true,
        platform: 'node',
        format: 'esm',
        outdir: 'unused',
        conditions: ['@celeriac/source'],
        external: ['@aws-sdk/*'],
      });
      const [output] = Object.values(metafile.outputs);
      const inputs = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
      return inputs.map(([path]) => path).filter((path) => path.includes('celery-settings'));
    };
    expect(await bundled("import { Celeriac } from 'celeriac'; new Celeriac('proj');")).toEqual([]);
    expect(await bundled("import { settingsFromCelery } from 'celeriac'; settingsFromCelery({});")).not.toEqual([]);
  });
});
