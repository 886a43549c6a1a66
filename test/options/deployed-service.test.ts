/** The description of a deployed service: what is read, what is refused, and ARNs by URLs and names. */
import { ImproperlyConfigured, queueArn, readDeployedService, tableArn } from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { packTaskNames } from '../../lib/base/task-names.ts';
import { type DeployedFields, deployedParameterName } from '../../lib/options/deployed-service.ts';
import { readEnvironment } from '../../lib/options/environment.ts';

const FIELDS: DeployedFields = {
  version: 1,
  partition: 'aws',
  region: 'eu-central-1',
  account: '111122223333',
  workers: { default: { function: 'shop-default-F1', eventSource: '7d1e' } },
  sweeper: 'shop-sweeper-F2',
  lostQueues: ['https://sqs.eu-central-1.amazonaws.com/111122223333/shop-lost'],
  missedTicks: 'https://sqs.eu-central-1.amazonaws.com/111122223333/shop-missed',
  rules: 2,
  resultExpiresSeconds: 86_400,
  environment: {
    app: 'shop',
    queues: { default: 'https://sqs.eu-central-1.amazonaws.com/111122223333/shop-default' },
    resultsTable: 'shop-results',
    stateTable: 'shop-state',
    rulePrefix: 'celeriac-shop-1',
    tasks: packTaskNames(['orders.charge']),
  },
};

it('is read, with the defaults of what is left out', () => {
  const read = readDeployedService(JSON.stringify(FIELDS));
  expect(read).toMatchObject({ app: 'shop', workers: FIELDS.workers, rules: 2, taskNames: ['orders.charge'] });
  expect(read.environment).toMatchObject({ defaultQueue: 'default', timerShards: 8, rulePrefix: 'celeriac-shop-1' });
  // A process that has these variables is told the same.
  expect(readEnvironment('shop', read.variables)).toEqual(read.environment);
  const { tasks: _tasks, ...environment } = FIELDS.environment;
  expect(readDeployedService(JSON.stringify({ ...FIELDS, environment })).taskNames).toEqual([]);
  expect(deployedParameterName('shop')).toBe('/celeriac/shop');
});

it('knows ARNs, of AWS and of emulators', () => {
  const place = { partition: 'aws-cn', region: 'cn-north-1', account: '111122223333' };
  const arn = 'arn:aws-cn:sqs:cn-north-1:111122223333:shop-orders.fifo';
  expect(queueArn('https://sqs.cn-north-1.amazonaws.com.cn/111122223333/shop-orders.fifo', place)).toBe(arn);
  expect(queueArn('http://127.0.0.1:4566/111122223333/shop-orders.fifo', place)).toBe(arn);
  expect(tableArn('shop-state', place)).toBe('arn:aws-cn:dynamodb:cn-north-1:111122223333:table/shop-state');
});

describe('is refused', () => {
  it.each<[string, string, RegExp]>([
    ['no JSON', 'secret-text', /it is not a JSON object\./],
    ['a list', '[]', /it is not a JSON object\./],
    ['no version', '{}', /it has no version that is read here \(1\)\./],
    [
      'a newer version',
      JSON.stringify({ ...FIELDS, version: 2 }),
      /version 2, of a newer Celeriac; this one reads version 1/,
    ],
    ['no app', JSON.stringify({ ...FIELDS, environment: {} }), /its 'environment' has no 'app'/],
    [
      'a worker of another form',
      JSON.stringify({ ...FIELDS, workers: { a: 'f' } }),
      /its 'workers' is missing, or not what/,
    ],
    ['lost queues that are none', JSON.stringify({ ...FIELDS, lostQueues: [1] }), /its 'lostQueues' is missing/],
  ])('%s', (_what, text, message) => {
    expect(() => readDeployedService(text)).toThrow(ImproperlyConfigured);
    expect(() => readDeployedService(text)).toThrow(message);
    expect(() => readDeployedService(text)).not.toThrow('secret-text');
  });

  it.each(Object.keys(FIELDS))("one without '%s'", (field) => {
    const { [field as keyof DeployedFields]: _left, ...others } = FIELDS;
    expect(() => readDeployedService(JSON.stringify(others))).toThrow(
      field === 'version' ? /no version/ : new RegExp(`its '${field}' is missing`),
    );
  });

  it('any JSON, by an error of ours or not at all', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.jsonValue().map((value) => JSON.stringify({ ...FIELDS, workers: value })),
        ),
        (text) => {
          try {
            expect(readDeployedService(text).version).toBe(1);
          } catch (error) {
            expect(error).toBeInstanceOf(ImproperlyConfigured);
          }
        },
      ),
    );
  });
});
