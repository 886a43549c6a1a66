/** Where a service is asked: the SDK's endpoint rules for the services in use, in every partition. Compared with the SDK's own in the tests. */

export type EndpointPrefix = 'sqs' | 'dynamodb' | 'events' | 'sns';

export interface EndpointQuestion {
  /** S3 has other names for FIPS and dual stack, and a bucket in front of them: `s3-blobs.ts`. */
  readonly prefix: EndpointPrefix | 's3';
  readonly region: string;
  readonly fips: boolean;
  readonly dualStack: boolean;
  /** One that somebody configured. */
  readonly endpoint: string | undefined;
  /** DynamoDB alone has endpoints of an account. */
  readonly accountId: string | undefined;
  /** `preferred`, the default; `required` or `disabled`. */
  readonly accountIdMode: string | undefined;
}

export interface Endpoint {
  readonly url: URL;
  readonly signingRegion: string;
}

interface Partition {
  readonly name: string;
  readonly regions: RegExp;
  readonly suffix: string;
  readonly dualStackSuffix: string;
}

// The same table as in the SDK; a region that fits none is taken for one of `aws`.
const PARTITIONS: readonly Partition[] = [
  ['aws-cn', /^(cn-\w+-\d+|aws-cn-global)$/, 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'],
  ['aws-eusc', /^eusc-de-\w+-\d+$/, 'amazonaws.eu', 'api.amazonwebservices.eu'],
  ['aws-iso', /^(us-iso-\w+-\d+|aws-iso-global)$/, 'c2s.ic.gov', 'api.aws.ic.gov'],
  ['aws-iso-b', /^(us-isob-\w+-\d+|aws-iso-b-global)$/, 'sc2s.sgov.gov', 'api.aws.scloud'],
  ['aws-iso-e', /^(eu-isoe-\w+-\d+|aws-iso-e-global)$/, 'cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'],
  ['aws-iso-f', /^(us-isof-\w+-\d+|aws-iso-f-global)$/, 'csp.hci.ic.gov', 'api.aws.hci.ic.gov'],
  ['aws-us-gov', /^(us-gov-\w+-\d+|aws-us-gov-global)$/, 'amazonaws.com', 'api.aws'],
  ['aws', /^/, 'amazonaws.com', 'api.aws'],
].map(([name, regions, suffix, dualStackSuffix]) => ({ name, regions, suffix, dualStackSuffix }) as Partition);

const GOV_REGIONS = /^us-gov-(east|west)-1$/;
// Outside of the partition `aws`, where accounts have endpoints of their own.
const ACCOUNT_REGIONS = /^(us-gov-east-1|us-gov-west-1|cn-north-1|cn-northwest-1)$/;
const HOST_LABEL = /^(?!.*-$)(?!-)[a-zA-Z0-9-]{1,63}$/;

/** @throws Error in the SDK's words, where the SDK refuses too. */
export function resolveEndpoint(question: EndpointQuestion): Endpoint {
  const { prefix, region, fips, dualStack, endpoint } = question;
  if (!HOST_LABEL.test(region))
    throw new Error(`Region not accepted: region="${region}" is not a valid hostname component.`);
  if (endpoint !== undefined || (prefix === 'dynamodb' && region === 'local')) {
    const what = endpoint === undefined ? 'local' : 'custom';
    if (fips) throw new Error(`Invalid Configuration: FIPS and ${what} endpoint are not supported`);
    if (dualStack) throw new Error(`Invalid Configuration: Dualstack and ${what} endpoint are not supported`);
    return endpoint === undefined
      ? { url: new URL('http://localhost:8000'), signingRegion: 'us-east-1' }
      : { url: new URL(endpoint), signingRegion: region };
  }
  const partition = PARTITIONS.find(({ regions }) => regions.test(region)) as Partition;
  const suffix = dualStack ? partition.dualStackSuffix : partition.suffix;
  const host = accountHost(question, partition) ?? `${prefix}${fips ? fipsOf(question, partition) : ''}`;
  return { url: new URL(`https://${host}.${region}.${suffix}`), signingRegion: region };
}

// GovCloud's plain endpoints are FIPS endpoints themselves, and some have no other name.
function fipsOf({ prefix, region, dualStack }: EndpointQuestion, { name }: Partition): string {
  if (prefix === 'events') return (dualStack ? name === 'aws-us-gov' : GOV_REGIONS.test(region)) ? '' : '-fips';
  return name === 'aws-us-gov' && !dualStack ? '' : '-fips';
}

function accountHost(
  { prefix, region, fips, accountId, accountIdMode }: EndpointQuestion,
  { name }: Partition,
): string | undefined {
  if (prefix !== 'dynamodb' || accountIdMode === 'disabled') return undefined;
  const required = accountIdMode === 'required';
  if (fips) {
    if (!required) return undefined;
    throw new Error(
      'Invalid Configuration: AccountIdEndpointMode is required and FIPS is enabled, but FIPS account endpoints are not supported',
    );
  }
  if (name !== 'aws' && !ACCOUNT_REGIONS.test(region)) {
    if (!required) return undefined;
    throw new Error(
      'Invalid Configuration: AccountIdEndpointMode is required but account endpoints are not supported in this region',
    );
  }
  if (accountId === undefined) {
    if (!required) return undefined;
    throw new Error('AccountIdEndpointMode is required but no AccountID was provided or able to be loaded');
  }
  if (!HOST_LABEL.test(accountId)) throw new Error('Credentials-sourced account ID parameter is invalid');
  return `${accountId}.ddb`;
}
