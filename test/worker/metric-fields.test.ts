/** Log lines that are metrics of CloudWatch: its embedded metric format, in virtual time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AppOptions, Celeriac, Ignore, InvalidOption, type Logger, type MetricsOption, Reject } from 'celeriac';
import { World } from 'celeriac/testing';

import { jsonLine } from '../../lib/options/console-logger.ts';

type Line = Readonly<Record<string, unknown>>;

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
}

/** The lines as Lambda has them. */
function shop(metrics: MetricsOption | undefined, options: AppOptions = {}) {
  const lines: Line[] = [];
  const logger: Logger = {
    log: (level, message, fields = {}) =>
      void lines.push(JSON.parse(jsonLine({ timestamp: '2030-01-01T00:00:00.000Z', level, message }, fields)) as Line),
  };
  const app = new Celeriac('shop', {
    queues: { mail: {}, other: {} },
    ...options,
    ...(metrics === undefined ? {} : { metrics }),
  });
  const world = new World(app, { logger });
  const slow = app.task('slow', async (seconds: number) => {
    await app.clock.sleep(seconds * 1000);
  });
  const ends = {
    SUCCESS: slow,
    FAILURE: app.task('fails', () => {
      throw new TypeError('secret');
    }),
    REJECTED: app.task('rejects', { queue: 'other' }, () => {
      throw new Reject('no');
    }),
    IGNORED: app.task('ignores', () => {
      throw new Ignore();
    }),
    RETRY: app.task('retries', { bind: true, maxRetries: 1 }, (self) => {
      if (self.request.retries === 0) throw self.retry({ countdown: 60 });
    }),
  };
  const measured = (): Line[] => lines.filter((line) => '_aws' in line);
  return { app, world, slow, ends, lines, measured };
}

function directiveOf(line: Line): Directive {
  const { CloudWatchMetrics } = line['_aws'] as { readonly CloudWatchMetrics: readonly Directive[] };
  expect(CloudWatchMetrics).toHaveLength(1);
  return CloudWatchMetrics[0] as Directive;
}

const valuesOf = (line: Line): Line =>
  Object.fromEntries(directiveOf(line).Metrics.map(({ Name }) => [Name, line[Name]]));

describe('the line of an end', () => {
  it('is as it was without the option', async () => {
    const { world, ends, lines } = shop(undefined);
    await ends.FAILURE.delay();
    await world.drain();
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(Object.keys(line)).not.toContain('_aws');
      expect(Object.keys(line)).not.toContain('service');
    }
  });

  it('has how it ended, how long it ran and how long it waited', async () => {
    const { world, slow, measured } = shop('emf');
    await slow.applyAsync([3], { countdown: 60 });
    await world.drain();
    const [line] = measured();
    expect(measured()).toHaveLength(1);
    expect(line).toMatchObject({ task: 'slow', queue: 'mail', state: 'success', service: 'shop', level: 'INFO' });
    expect(valuesOf(line as Line)).toEqual({ Succeeded: 1, RunTime: 3000, WaitingTime: 0 });
    expect(line?.['_aws']).toEqual({
      Timestamp: Date.parse('2030-01-01T00:01:03Z'),
      CloudWatchMetrics: [
        {
          Namespace: 'Celeriac',
          Dimensions: [['service']],
          Metrics: [
            { Name: 'Succeeded', Unit: 'Count' },
            { Name: 'RunTime', Unit: 'Milliseconds' },
            { Name: 'WaitingTime', Unit: 'Milliseconds' },
          ],
        },
      ],
    });
  });

  it('a message that was behind others has waited', async () => {
    const { world, slow, measured } = shop('emf', { queues: { orders: { fifo: true }, other: {} } });
    await slow.delay(3);
    await slow.delay(1);
    await world.drain();
    expect(measured().map((line) => [line['WaitingTime'], line['RunTime']])).toEqual([
      [0, 3000],
      [3000, 1000],
    ]);
  });

  it('each kind of end has its count', async () => {
    const { world, ends, measured } = shop('emf');
    for (const task of Object.values(ends)) await (task.delay as (n?: number) => Promise<unknown>)(0);
    await world.drain();
    expect(
      measured()
        .map((line) => [line['task'], Object.keys(valuesOf(line))[0]].join(' '))
        .toSorted(),
    ).toEqual([
      'fails Failed',
      'ignores Ignored',
      'rejects Rejected',
      'retries Retried',
      'retries Succeeded',
      'slow Succeeded',
    ]);
    expect(JSON.stringify(measured().map(valuesOf))).not.toContain('secret');
  });

  it('what does not run is counted, and has no times', async () => {
    const { app, world, slow, measured } = shop({ by: 'task' });
    await slow.applyAsync([0], { expires: 1, countdown: 2 });
    const revoked = await slow.applyAsync([0], { countdown: 10 });
    await revoked.revoke();
    const foreign = new Celeriac('shop', { queues: { mail: {}, other: {} } });
    foreign.use(world.ports);
    await foreign.send('made.up.by.others', []);
    await world.drain();
    expect(app.name).toBe('shop');
    expect(measured().map((line) => [line['task'], valuesOf(line)])).toEqual(
      expect.arrayContaining([
        ['slow', { Revoked: 1 }],
        // Names that others make up are no dimension.
        ['unknown', { Failed: 1 }],
      ]),
    );
    expect(new Set(measured().map((line) => line['task']))).toEqual(new Set(['slow', 'unknown']));
  });

  it('is what the format asks for, whatever is measured', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<MetricsOption>('emf', { by: 'queue' }, { by: 'task', namespace: 'Shop/Tasks' }),
        fc.array(fc.constantFrom('SUCCESS', 'FAILURE', 'REJECTED', 'IGNORED', 'RETRY'), { minLength: 1, maxLength: 4 }),
        async (metrics, kinds) => {
          const { world, ends, measured } = shop(metrics);
          for (const kind of kinds)
            await (ends[kind as keyof typeof ends].delay as (n?: number) => Promise<unknown>)(1);
          await world.drain();
          expect(measured().length).toBeGreaterThanOrEqual(kinds.length);
          for (const line of measured()) {
            const { Namespace, Dimensions, Metrics } = directiveOf(line);
            expect(Namespace).toBe(typeof metrics === 'object' ? (metrics.namespace ?? 'Celeriac') : 'Celeriac');
            for (const name of Dimensions.flat()) expect(typeof line[name]).toBe('string');
            for (const { Name } of Metrics) expect(line[Name]).toSatisfy(Number.isSafeInteger);
            expect(Dimensions).toEqual([metrics === 'emf' ? ['service'] : ['service', metrics.by]]);
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});

it.each<[unknown, string]>([
  [true, "metrics: true given; 'emf' and an object"],
  ['EMF', "metrics: 'EMF' given"],
  [{ by: 'user' }, "metrics.by: 'user' given; 'service', 'queue' and 'task'"],
  [{ dimensions: [] }, "metrics: 'dimensions' is no option"],
  [{ namespace: 'AWS/Lambda' }, "metrics.namespace: 'AWS/Lambda' given"],
  [{ namespace: '' }, 'metrics.namespace'],
  [{ namespace: 'n'.repeat(256) }, '255 characters at most'],
  [null, 'metrics: null given'],
])('metrics: %j is refused', (metrics, text) => {
  const make = (): Celeriac => new Celeriac('shop', { metrics: metrics as MetricsOption });
  expect(make).toThrow(InvalidOption);
  expect(make).toThrow(text);
});
