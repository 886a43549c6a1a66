/** Clients of a tool: where to go is said by its options and by variables that need not be the process's own. */
import * as sdk from '#aws-sdk';

import type { Clock } from '../base/time.ts';
import type { Rules } from '../ports/schedules.ts';
import { DYNAMODB_ATTEMPTS } from './clients.ts';
import type { Clients } from './connected.ts';
import { EventBridgeRules } from './eventbridge-rules.ts';
import { withCeleriacErrors } from './for-call.ts';
import type { Credentials } from './lean/credentials.ts';
import { ToolRequests } from './tool-requests.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** What the caller has said. */
export interface ToolPlace {
  readonly endpoint?: string;
  readonly region?: string;
  /** As a worker: a throttled commit would run its task again. */
  readonly patient?: boolean;
}

export interface ToolClients {
  readonly clients: Clients;
  readonly requests: ToolRequests;
  /** Switches EventBridge rules whose names begin with a prefix; the client is loaded on first use. */
  readonly rulesOf: (prefix: string | undefined) => { readonly rules?: Rules };
}

/** The same credentials, Region and endpoints for all of them. Whatever is not said here the SDK finds: profiles, roles, SSO. */
export function awsClients(variables: Variables, place: ToolPlace, clock: Clock): ToolClients {
  const region = place.region ?? variables['AWS_REGION'];
  const credentials = credentialsIn(variables);
  const endpoint = (service: string): string | undefined =>
    place.endpoint ?? (variables[`AWS_ENDPOINT_URL_${service}`] || variables['AWS_ENDPOINT_URL'] || undefined);
  const common = (service: string): object => {
    const url = endpoint(service);
    return {
      ...(region === undefined || region === '' ? {} : { region }),
      ...(credentials === undefined ? {} : { credentials }),
      ...(url === undefined ? {} : { endpoint: url }),
    };
  };
  const sqs = new sdk.SQSClient({ useQueueUrlAsEndpoint: false, ...common('SQS') });
  const dynamodb = new sdk.DynamoDBClient({
    ...(place.patient === true ? { maxAttempts: DYNAMODB_ATTEMPTS } : {}),
    ...common('DYNAMODB'),
  });
  const { config } = sqs as unknown as {
    readonly config: { readonly region: () => Promise<string>; readonly credentials: () => Promise<Credentials> };
  };
  const requests = new ToolRequests({
    region: () => config.region(),
    credentials: () => config.credentials(),
    endpoint: (service) => endpoint(service === 'monitoring' ? 'CLOUDWATCH' : service.toUpperCase()),
    clock,
  });
  const rulesOf: ToolClients['rulesOf'] = (prefix) => {
    if (prefix === undefined) return {};
    let made: Promise<EventBridgeRules> | undefined;
    const rules = (): Promise<EventBridgeRules> =>
      (made ??= sdk
        .eventBridge()
        .then(({ EventBridgeClient }) => new EventBridgeRules(prefix, new EventBridgeClient(common('EVENTBRIDGE')))));
    return {
      rules: withCeleriacErrors<Rules>({
        isEnabled: async (entry) => (await rules()).isEnabled(entry),
        setEnabled: async (entry, enabled) => (await rules()).setEnabled(entry, enabled),
      }),
    };
  };
  return { clients: { sqs, dynamodb }, requests, rulesOf };
}

/** A profile comes before keys in variables, as with the SDK. */
function credentialsIn(variables: Variables): Credentials | undefined {
  const { AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = variables;
  if (AWS_PROFILE || !AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return undefined;
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
  };
}
