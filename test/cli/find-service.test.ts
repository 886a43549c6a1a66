/** How a command finds a deployed service: what it asks AWS, and what it says where the answer is no. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { DEPLOYED_VERSION } from '../../lib/options/deployed-service.ts';
import { type Answer, celeriacAt } from '../support/celeriac.ts';

interface Asked {
  readonly target: string;
  readonly authorization: string;
  readonly body: string;
}

let server: Server;
let endpoint: string;
let asked: Asked[];
/** The body of the answer, or a status with it. */
let answerTo: (asked: Asked) => string | readonly [status: number, body: string];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { headers } = request;
      const question = {
        target: String(
          headers['x-amz-target'] ?? new URLSearchParams(body).get('Action') ?? `${request.method} ${request.url}`,
        ),
        authorization: String(headers.authorization),
        body,
      };
      asked.push(question);
      const [status, text] = [answerTo(question)].flat() as [number | string, string?];
      if (text === undefined) response.end(status);
      else response.writeHead(Number(status)).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  asked = [];
});

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };

function celeriac(...args: readonly string[]): Promise<Answer> {
  return celeriacAt({ variables: KEYS }, ...args, '--endpoint', endpoint, '--region', 'eu-central-1');
}

function deployed(app: string): string {
  return JSON.stringify({
    version: DEPLOYED_VERSION,
    partition: 'aws',
    region: 'eu-central-1',
    account: '123456789012',
    workers: { default: { function: `${app}-worker`, eventSource: '5ae1…' } },
    sweeper: `${app}-sweeper`,
    lostQueues: [],
    missedTicks: '',
    rules: 0,
    resultExpiresSeconds: 86_400,
    environment: {
      app,
      queues: { default: `${endpoint}/123456789012/${app}-default` },
      resultsTable: `${app}-results`,
      stateTable: `${app}-state`,
    },
  });
}

const parameter = (value: string): string => JSON.stringify({ Parameter: { Value: value } });
const ATTRIBUTES = JSON.stringify({ Attributes: { ApproximateNumberOfMessages: '7' } });
const resource = (type: string, id: string): string =>
  `<member><ResourceType>${type}</ResourceType><PhysicalResourceId>${id}</PhysicalResourceId></member>`;

describe('by the name of the app', () => {
  it('asks for the parameter that the stack has published, signed for the Region', async () => {
    answerTo = ({ target }) => (target.startsWith('AmazonSSM') ? parameter(deployed('shop')) : ATTRIBUTES);
    const { code, printed } = await celeriac('inspect', 'queues', '--app', 'shop', '--json');
    expect([code, JSON.parse(printed)]).toEqual([0, expect.objectContaining({ queue: 'default', ready: 7 })]);
    expect(asked[0]).toMatchObject({ target: 'AmazonSSM.GetParameter', body: '{"Name":"/celeriac/shop"}' });
    expect(asked[0]?.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d+\/eu-central-1\/ssm\/aws4_request/,
    );
  });

  it.each([
    ['no parameter', [400, '{"__type":"ParameterNotFound"}'], 3, 'There is no SSM parameter /celeriac/shop'],
    [
      'not allowed',
      [400, '{"__type":"com.amazon#AccessDeniedException","message":"User: x is not authorized"}'],
      3,
      'SSM GetParameter (/celeriac/shop)',
    ],
    ['of a newer version', parameter('{"version":99}'), 1, 'of a newer Celeriac'],
  ] as const)('%s', async (_, answer, exitCode, message) => {
    answerTo = () => answer;
    const { code, complained } = await celeriac('inspect', 'queues', '--app', 'shop');
    expect([code, complained]).toEqual([exitCode, expect.stringContaining(message)]);
  });

  it('what may pass is tried again', async () => {
    answerTo = ({ target }) =>
      target.startsWith('AmazonSSM')
        ? asked.length < 3
          ? [400, '{"__type":"ThrottlingException"}']
          : parameter(deployed('shop'))
        : ATTRIBUTES;
    expect(await celeriac('inspect', 'queues', '--app', 'shop')).toMatchObject({ code: 0 });
  });

  it('a name where a module is meant, and the other way round', async () => {
    answerTo = () => [400, '{"__type":"ParameterNotFound"}'];
    const { code, complained } = await celeriac('inspect', 'queues', '--app', './nowhere.ts');
    expect([code, complained]).toEqual([1, expect.stringContaining('There is no file ./nowhere.ts')]);
  });
});

describe('pause of a deployed queue', () => {
  const MAPPING = '/2015-03-31/event-source-mappings/5ae1';

  it('its mapping is switched off, and waited for', async () => {
    let isSwitched = false;
    answerTo = ({ target }) => {
      if (target.startsWith('AmazonSSM')) return parameter(deployed('shop').replace('5ae1…', '5ae1'));
      if (target.startsWith('GET')) return `{"State":"${isSwitched ? 'Disabled' : 'Enabled'}"}`;
      if (target.startsWith('PUT')) isSwitched = true;
      if (target.startsWith('PUT')) return '{"State":"Disabling"}';
      return target.startsWith('AmazonSQS') ? ATTRIBUTES : '{}';
    };
    const { code, printed } = await celeriac('pause', 'default', '--app', 'shop', '--yes', '--json', '--by', 'ada');
    expect([code, JSON.parse(printed)]).toEqual([0, expect.objectContaining({ eventSource: 'off', ready: 7 })]);
    const [before, put, after] = asked.filter(({ target }) => target.includes(MAPPING));
    expect(put).toMatchObject({ target: `PUT ${MAPPING}`, body: '{"Enabled":false}' });
    expect(put?.authorization).toContain('/eu-central-1/lambda/aws4_request');
    for (const get of [before, after]) expect(get).toMatchObject({ target: `GET ${MAPPING}` });
    // The record comes first: what is begun is told of.
    const order = asked.map(({ target }) => target);
    expect(order.indexOf('DynamoDB_20120810.PutItem')).toBeLessThan(order.indexOf(`PUT ${MAPPING}`));
  });

  it('a caller who may not switch it is told which request was refused', async () => {
    answerTo = ({ target }) => {
      if (target.startsWith('AmazonSSM')) return parameter(deployed('shop').replace('5ae1…', '5ae1'));
      if (target.startsWith('PUT')) return [403, '{"Message":"User: x is not authorized"}'];
      return target.startsWith('AmazonSQS') ? ATTRIBUTES : '{}';
    };
    const { code, complained } = await celeriac('pause', 'default', '--app', 'shop', '--yes');
    expect([code, complained]).toEqual([
      3,
      expect.stringContaining('Lambda UpdateEventSourceMapping (event source mapping 5ae1)'),
    ]);
  });
});

describe('by its stack', () => {
  const stack = (...members: readonly string[]): string =>
    `<ListStackResourcesResponse><StackResourceSummaries>${members.join('\n')}</StackResourceSummaries></ListStackResourcesResponse>`;
  const services: Readonly<Record<string, string>> = { '/celeriac/shop': 'shop', '/x/mail': 'mail' };
  const answer = (members: readonly string[]) => {
    answerTo = ({ target, body }) => {
      if (target === 'ListStackResources') {
        // Its second page has the token of the first.
        if (body.includes('NextToken=more')) return stack(...members.slice(1));
        const page = stack(...members.slice(0, 1));
        return members.length > 1 ? page.replace('</ListStack', '<NextToken>more</NextToken></ListStack') : page;
      }
      if (!target.startsWith('AmazonSSM')) return ATTRIBUTES;
      const { Name } = JSON.parse(body) as { readonly Name: string };
      const app = services[Name];
      return parameter(app === undefined ? 'a value of somebody else' : deployed(app));
    };
  };

  it('its parameters are read, on all pages, and others passed over', async () => {
    answer([
      resource('AWS::SSM::Parameter', '/own/setting'),
      resource('AWS::SQS::Queue', 'x'),
      resource('AWS::SSM::Parameter', '/x/mail'),
    ]);
    const { code, printed } = await celeriac('inspect', 'queues', '--stack', 'Prod', '--json');
    expect([code, JSON.parse(printed)]).toEqual([0, expect.objectContaining({ queue: 'default' })]);
    expect(asked[0]?.body).toContain('StackName=Prod');
  });

  it('of several the one that --app names', async () => {
    answer([resource('AWS::SSM::Parameter', '/celeriac/shop'), resource('AWS::SSM::Parameter', '/x/mail')]);
    expect(await celeriac('inspect', 'queues', '--stack', 'Prod')).toMatchObject({
      code: 2,
      complained: expect.stringContaining("Stack 'Prod' has several services: shop, mail") as string,
    });
    expect(await celeriac('inspect', 'queues', '--stack', 'Prod', '--app', 'mail')).toMatchObject({ code: 0 });
    expect(await celeriac('inspect', 'queues', '--stack', 'Prod', '--app', 'blog')).toMatchObject({
      code: 3,
      complained: expect.stringContaining('tells of shop, mail only') as string,
    });
  });

  it('there is no such stack', async () => {
    answerTo = () => [400, '<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>'];
    expect(await celeriac('inspect', 'queues', '--stack', 'Prod')).toMatchObject({
      code: 3,
      complained: expect.stringContaining("There is no stack 'Prod' there") as string,
    });
  });
});
