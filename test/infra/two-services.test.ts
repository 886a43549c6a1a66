/** Several services in one CDK app, and one function that two of them have granted. */
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';

import { TaskService } from '../../infra/index.ts';
import { Celeriac } from '../../lib/app/app.ts';
import { readEnvironment, readTaskNames } from '../../lib/options/environment.ts';
import { serviceVariable } from '../../lib/options/service-variable.ts';
import { ENTRY, newApp, newCaller, rendered, statementsOf, toldOf, variablesOf } from './stacks.ts';

function appOf(name: string, queues = 1, tasks = 1): Celeriac {
  const app = new Celeriac(name, {
    queues: Object.fromEntries(Array.from({ length: queues }, (_, index) => [`queue-${index}`, {}])),
  });
  for (let index = 0; index < tasks; index += 1) app.task(`${name}.task${Math.imul(index, 0x9e3779b1) >>> 0}`, () => 1);
  return app;
}

function serviceOf(stack: Stack, app: Celeriac, id = app.name): TaskService {
  return new TaskService(stack, id, { app, entry: ENTRY });
}

describe('a function that two services have granted', () => {
  const stack = new Stack(newApp(), 'Test');
  const [shop, blog] = [serviceOf(stack, appOf('shop')), serviceOf(stack, appOf('blog'))];
  const caller = newCaller(stack);
  shop.grantEnqueue(caller);
  blog.grantSchedules(caller);
  blog.grantResults(caller);
  shop.grantEnqueue(blog.worker('queue-0'));
  blog.grantEnqueue(blog.worker('queue-0'));
  const template = Template.fromStack(stack);
  const own = variablesOf(template, 'shop').filter((variables) => serviceVariable('blog') in variables);

  it('is told of both, and each app finds its own', () => {
    // The caller, and a worker whose tasks send to the other service.
    expect(own).toHaveLength(2);
    for (const variables of own) {
      const source = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, rendered(value)]));
      expect(readEnvironment('shop', source).resultsTable).toMatch(/^<shopTablesResults/);
      expect(readEnvironment('blog', source).resultsTable).toMatch(/^<blogTablesResults/);
      expect(readTaskNames('blog', source)).toEqual(['blog.task0']);
    }
  });

  it('keeps what it was told before', () => {
    const told = own.map((variables) =>
      readEnvironment('blog', { [serviceVariable('blog')]: rendered(variables[serviceVariable('blog')]) }),
    );
    // grantResults after grantSchedules, and grantEnqueue for a worker, take nothing away.
    expect(told.map(({ rulePrefix }) => rulePrefix)).toContain(blog.rules.prefix);
    expect(told.map(({ deadLetterQueues }) => Object.keys(deadLetterQueues))).toContainEqual(['queue-0']);
  });

  it('may send to both', () => {
    for (const who of [/^Caller/, /^blogWorkersqueue0/]) {
      const send = statementsOf(template, who)
        .filter(({ Action }) => Action === 'sqs:SendMessage')
        .map(({ Resource }) => JSON.stringify(Resource))
        .join(' ');
      expect(send).toContain('shopQueuesMainqueue0');
      expect(send).toContain('blogQueuesMainqueue0');
    }
  });

  it('environment() of both goes together too', () => {
    const merged = { ...shop.environment(), ...blog.environment() };
    expect(Object.keys(merged)).toEqual(['CELERIAC_SERVICE_SHOP', 'CELERIAC_SERVICE_BLOG']);
  });
});

describe('is refused', () => {
  it('two apps of one variable', () => {
    const app = newApp();
    serviceOf(new Stack(app, 'One'), appOf('my-app'));
    expect(() => serviceOf(new Stack(app, 'Two'), appOf('My.App'))).toThrow(
      "Apps 'my-app' and 'My.App' of this CDK app would share the environment variable CELERIAC_SERVICE_MY_APP. Rename one of them",
    );
    // Another stage of the same app, and another CDK app.
    expect(() => serviceOf(new Stack(app, 'Staging'), appOf('my-app'))).not.toThrow();
    expect(() => serviceOf(new Stack(newApp(), 'Two'), appOf('My.App'))).not.toThrow();
  });

  it('one function for two services of one app', () => {
    const stack = new Stack(newApp(), 'Test');
    const caller = newCaller(stack);
    serviceOf(stack, appOf('shop'), 'Staging').grantEnqueue(caller);
    expect(() => serviceOf(stack, appOf('shop'), 'Production').grantResults(caller)).toThrow(
      "Function Test/Caller was granted by two services whose variable is CELERIAC_SERVICE_SHOP, of the apps 'shop' and 'shop'",
    );
  });

  it('more than Lambda takes of variables, counted over all services', () => {
    const stack = new Stack(newApp(), 'Test');
    const caller = newCaller(stack);
    for (const name of ['a', 'b', 'c']) serviceOf(stack, appOf(name, 8)).grantEnqueue(caller);
    expect(() => serviceOf(stack, appOf('d', 8)).grantEnqueue(caller)).toThrow(
      /^What function Test\/Caller is told of its services takes about \d+ bytes \(apps 'a', 'b', 'c', 'd'\); Lambda takes 4096\. Use a function for each service/,
    );
  });
});

it('names of tasks are left out before anything is refused', () => {
  const stack = new Stack(newApp(), 'Test');
  const caller = newCaller(stack);
  const names = ['a', 'b'];
  for (const name of names) serviceOf(stack, appOf(name, 8, 110)).grantEnqueue(caller);
  const template = Template.fromStack(stack);
  const told = names.map((name) => {
    const ofCaller = toldOf(template, name).find(({ deadLetterQueues }) => deadLetterQueues === undefined);
    return ofCaller?.tasks !== undefined;
  });
  // Each service has room for its own names, and the function for those of one.
  expect(told).toEqual([true, false]);
});
