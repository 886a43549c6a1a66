/** Where services are asked is where the SDK asks them: its own rules, for every region and every setting. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { type EndpointPrefix, resolveEndpoint } from '../../lib/aws/lean/endpoint.ts';
import * as lean from '../../lib/aws/lean/index.ts';
import { commandOf, CREDENTIALS, Recorder, sleepless } from './wire.ts';

const REGIONS = [
  'us-east-1',
  'us-west-2',
  'eu-central-2',
  'ap-southeast-7',
  'sa-west-1',
  'ca-west-1',
  'me-west-1',
  'af-south-1',
  'il-central-1',
  'mx-central-1',
  'aws-global',
  'cn-north-1',
  'cn-northwest-1',
  'aws-cn-global',
  'cn-south-9',
  'eusc-de-east-1',
  'eusc-de-west-7',
  'eusc-fr-east-1',
  'us-iso-east-1',
  'us-iso-west-1',
  'aws-iso-global',
  'us-isob-east-1',
  'us-isob-west-1',
  'aws-iso-b-global',
  'eu-isoe-west-1',
  'aws-iso-e-global',
  'us-isof-south-1',
  'us-isof-east-1',
  'aws-iso-f-global',
  'us-gov-east-1',
  'us-gov-west-1',
  'us-gov-north-1',
  'aws-us-gov-global',
  'local',
  'xx-nowhere-1',
  'us-east',
  'moon',
  'us-isoq-east-1',
];
const ACCOUNTS = [undefined, '123456789012', 'not a label'];
const MODES = [undefined, 'preferred', 'required', 'disabled'];
const ENDPOINTS = [undefined, 'http://127.0.0.1:4566', 'https://vpce.invalid/path'];

interface Rules {
  readonly endpointProvider: (parameters: object) => { readonly url: URL; readonly properties?: object };
}
const common = { region: 'us-east-1', credentials: CREDENTIALS };
const RULES: Readonly<Record<EndpointPrefix, Rules>> = {
  sqs: new SQSClient(common).config as unknown as Rules,
  dynamodb: new DynamoDBClient(common).config as unknown as Rules,
  events: new EventBridgeClient(common).config as unknown as Rules,
  sns: new SNSClient(common).config as unknown as Rules,
};

function told(resolve: () => { readonly url: URL; readonly signingRegion: string }): string {
  try {
    const { url, signingRegion } = resolve();
    return `${url.href} ${signingRegion}`;
  } catch (error) {
    return (error as Error).message;
  }
}

interface Properties {
  readonly authSchemes?: readonly { readonly name: string; readonly signingRegion?: string }[];
}

describe.each(['sqs', 'dynamodb', 'events', 'sns'] as const)('%s', (prefix) => {
  // Two that AWS does not have: each start of a worker would read the rule that they need.
  const regions = REGIONS.filter((region) => prefix !== 'sns' || !/us-gov-(?:north-1|global)$/.test(region));
  it.each(regions)('in %s, with every setting', (region) => {
    let compared = 0;
    for (const fips of [false, true])
      for (const dualStack of [false, true])
        for (const endpoint of ENDPOINTS)
          for (const accountId of ACCOUNTS)
            for (const accountIdMode of MODES) {
              const question = { prefix, region, fips, dualStack, endpoint, accountId, accountIdMode };
              const own = told(() => resolveEndpoint(question));
              const sdk = told(() => {
                const { url, properties = {} } = RULES[prefix].endpointProvider({
                  Region: region,
                  UseFIPS: fips,
                  UseDualStack: dualStack,
                  Endpoint: endpoint,
                  ...(prefix === 'dynamodb'
                    ? { AccountId: accountId, AccountIdEndpointMode: accountIdMode ?? 'preferred' }
                    : {}),
                });
                const [scheme] = (properties as Properties).authSchemes ?? [];
                return { url, signingRegion: scheme?.signingRegion ?? region };
              });
              expect(own, JSON.stringify(question)).toBe(sdk);
              compared += 1;
            }
    expect(compared).toBe(144);
  });
});

describe('the environment', () => {
  afterEach(() => vi.unstubAllEnvs());

  const VARIABLES = {
    AWS_REGION: '',
    AWS_ENDPOINT_URL: '',
    AWS_ENDPOINT_URL_SQS: '',
    AWS_ENDPOINT_URL_DYNAMODB: '',
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: '',
    AWS_USE_FIPS_ENDPOINT: '',
    AWS_USE_DUALSTACK_ENDPOINT: '',
    AWS_ACCOUNT_ID: '',
    AWS_ACCOUNT_ID_ENDPOINT_MODE: '',
    AWS_CONFIG_FILE: 'no-such-file',
    AWS_SHARED_CREDENTIALS_FILE: 'no-such-file',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
  };
  type Variables = Partial<Record<keyof typeof VARIABLES, string>>;
  const QUEUE = 'https://sqs.us-west-2.amazonaws.com/1/shop';

  async function asked(library: 'sdk' | 'lean', service: 'SQS' | 'DynamoDB', options: object): Promise<string> {
    const recorder = new Recorder();
    const given = { requestHandler: recorder as never, md5: false as const, ...options };
    const parts = { clock: sleepless(), random: { next: () => 0 }, ids: { next: () => 'id' } };
    const client =
      library === 'sdk'
        ? service === 'SQS'
          ? new SQSClient(given)
          : new DynamoDBClient(given)
        : service === 'SQS'
          ? new lean.SQSClient(given, parts)
          : new lean.DynamoDBClient(given, parts);
    const what =
      service === 'SQS'
        ? ({ service, operation: 'SendMessage', input: { QueueUrl: QUEUE, MessageBody: 'a' } } as const)
        : ({ service, operation: 'GetItem', input: { TableName: 'a', Key: {} } } as const);
    try {
      await (client as { send(command: never): Promise<unknown> }).send(commandOf(library, what));
    } catch (error) {
      return (error as Error).message;
    }
    const [request] = recorder.requests;
    const { protocol, headers, path } = request ?? expect.fail('nothing was sent');
    return `${protocol}//${headers['host']}${path} ${/\/(\S+)\/aws4_request/.exec(headers['authorization'] ?? '')?.[1]}`;
  }

  const CASES: readonly (readonly [string, Variables, object])[] = [
    ['a region', { AWS_REGION: 'eu-west-1' }, {}],
    ['no region', {}, {}],
    ['an endpoint for all', { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }, {}],
    [
      'an endpoint for each',
      {
        AWS_REGION: 'eu-west-1',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:2/s',
        AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:3',
      },
      {},
    ],
    [
      'endpoints to be ignored',
      {
        AWS_REGION: 'eu-west-1',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:2',
        AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
      },
      {},
    ],
    ['FIPS', { AWS_REGION: 'us-gov-west-1', AWS_USE_FIPS_ENDPOINT: 'true' }, {}],
    ['dual stack', { AWS_REGION: 'cn-north-1', AWS_USE_DUALSTACK_ENDPOINT: 'true' }, {}],
    ['both', { AWS_REGION: 'us-east-1', AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' }, {}],
    ['neither', { AWS_REGION: 'us-east-1', AWS_USE_FIPS_ENDPOINT: 'false', AWS_USE_DUALSTACK_ENDPOINT: 'false' }, {}],
    [
      'FIPS at an endpoint of one’s own',
      { AWS_USE_FIPS_ENDPOINT: 'true', AWS_ENDPOINT_URL: 'http://a', AWS_REGION: 'a' },
      {},
    ],
    ['an account that must be known', { AWS_REGION: 'us-east-1', AWS_ACCOUNT_ID_ENDPOINT_MODE: 'required' }, {}],
    [
      'options',
      { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: 'http://a' },
      { region: 'eu-west-3', endpoint: 'http://b:1/c' },
    ],
  ];

  it.each(CASES)('%s: asked where the SDK asks', async (_what, variables, options) => {
    for (const [name, value] of Object.entries({ ...VARIABLES, ...variables }))
      vi.stubEnv(name, value === '' ? undefined : value);
    for (const [service, useQueueUrlAsEndpoint] of [
      ['SQS', false],
      ['DynamoDB', true],
    ] as const) {
      const given = { ...options, useQueueUrlAsEndpoint };
      expect(await asked('lean', service, given)).toBe(await asked('sdk', service, given));
    }
  });

  it('a queue’s own host is asked where nothing else is said, and by nobody who says otherwise', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    try {
      for (const options of [{}, { useQueueUrlAsEndpoint: false }, { endpoint: 'http://c:5' }]) {
        const given = { region: 'eu-west-1', credentials: CREDENTIALS, ...options };
        expect(await asked('lean', 'SQS', given)).toBe(await asked('sdk', 'SQS', given));
      }
    } finally {
      warn.mockRestore();
    }
  });
});
