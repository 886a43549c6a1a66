/** The monitor as a Lambda function behind its own address: what its stack has told it, made into the app that answers. */
import type { Context, Hono } from 'hono';

import { Celeriac } from '../app/app.ts';
import { dynamodbClient, sqsClient } from '../aws/clients.ts';
import { queueAddresses } from '../aws/connect.ts';
import { DynamodbAudit } from '../aws/dynamodb-audit.ts';
import { watched, withCeleriacErrors } from '../aws/for-call.ts';
import { LambdaEventSources } from '../aws/lambda-event-sources.ts';
import { SecretTexts } from '../aws/secret-texts.ts';
import { SqsDepths } from '../aws/sqs-depths.ts';
import { SqsPurges } from '../aws/sqs-purges.ts';
import { ToolRequests } from '../aws/tool-requests.ts';
import { once } from '../base/lazy.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { systemClock } from '../base/time.ts';
import { eventSourceIds, readDeployedService } from '../options/deployed-service.ts';
import { readEnvironment, readTaskNames } from '../options/environment.ts';
import { MONITOR_VARIABLE, type MonitorTold } from '../options/monitor-variable.ts';
import type { Access } from './access.ts';
import { IamAccess } from './login/iam-access.ts';
import { isPasswordHash } from './login/password-hash.ts';
import type { Users } from './login/password-access.ts';
import { Sessions } from './login/sessions.ts';
import { monitorApp } from './monitor-app.ts';
import type { PageFiles } from './page-files.ts';
import { heldAges } from './queue-views.ts';
import type { MonitoredService } from './service.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** @throws ImproperlyConfigured, MissingEnvironment: at the start of the function, with the reason in its log */
export async function deployedMonitor(variables: Variables, page: PageFiles | undefined): Promise<Hono> {
  const told = toldIn(variables[MONITOR_VARIABLE]);
  const requests = new ToolRequests({
    region: async () => variables['AWS_REGION'] ?? '',
    credentials: async () => ({
      accessKeyId: variables['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: variables['AWS_SECRET_ACCESS_KEY'] ?? '',
      ...(variables['AWS_SESSION_TOKEN'] === undefined ? {} : { sessionToken: variables['AWS_SESSION_TOKEN'] }),
    }),
    endpoint: (service) =>
      variables[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] || variables['AWS_ENDPOINT_URL'] || undefined,
    clock: systemClock,
  });
  const service = serviceOf(told, variables, requests);
  return monitorApp({
    service,
    access: await accessOf(told, service, requests),
    page,
    readOnly: told.readOnly === true,
    live: 'poll',
    isSecure: true,
    // Lambda gives each function an address of its own, and nothing else reaches it by another.
    isOwnHost: (host) => FUNCTION_HOST.test(host),
  });
}

const FUNCTION_HOST = /^[a-z0-9]+\.lambda-url\.[a-z0-9-]+\.(?:on\.aws|localhost\.localstack\.cloud:\d+)$/i;

/** @throws ImproperlyConfigured */
function toldIn(text: string | undefined): MonitorTold {
  try {
    return JSON.parse(text ?? '') as MonitorTold;
  } catch {
    throw new ImproperlyConfigured(`${MONITOR_VARIABLE} is no JSON: service.addMonitor() writes it.`);
  }
}

function serviceOf(told: MonitorTold, variables: Variables, requests: ToolRequests): MonitoredService {
  const environment = readEnvironment(told.app, variables);
  const names = readTaskNames(told.app, variables);
  const ids = once(async () =>
    eventSourceIds(readDeployedService((await requests.parameter(told.parameter ?? '')) ?? '')),
  );
  const sqs = watched(sqsClient(), 'SQS', undefined);
  const depths = new SqsDepths({
    client: sqs,
    queues: queueAddresses(environment.queues, environment.deadLetterQueues),
  });
  const client = watched(dynamodbClient(), 'DynamoDB', undefined);
  return {
    app: Celeriac.fromEnvironment(told.app),
    hasCode: false,
    environment,
    taskNames: typeof names === 'object' ? names : undefined,
    place: variables['AWS_REGION'] ?? '',
    showValues: told.showValues === true,
    depths: withCeleriacErrors(depths),
    oldestSeconds: heldAges((name) => requests.oldestMessageSeconds(name), systemClock),
    purges: withCeleriacErrors(new SqsPurges({ client: sqs, urls: environment.queues })),
    audit: withCeleriacErrors(new DynamodbAudit({ client, table: environment.stateTable })),
    eventSources: () =>
      Promise.resolve(told.parameter === undefined ? undefined : new LambdaEventSources(requests, ids)),
  };
}

/** Each way is loaded where it is used. */
async function accessOf({ login }: MonitorTold, { app }: MonitoredService, requests: ToolRequests): Promise<Access> {
  if (login.way === 'iam') return new IamAccess(login);
  const secrets = new SecretTexts(requests);
  const key = async (): Promise<Uint8Array> => new TextEncoder().encode(await secrets.text(login.session));
  const sessions = new Sessions({ app: app.name, key, clock: systemClock });
  if (login.way === 'password') {
    const { PasswordAccess } = await import('./login/password-access.ts');
    const users = async (): Promise<Users> => usersIn(await secrets.text(login.users));
    return new PasswordAccess({ app, sessions, users, callerOf });
  }
  const { OidcAccess } = await import('./login/oidc-access.ts');
  const { clientSecret } = login;
  return new OidcAccess({
    ...login,
    sessions,
    clientSecret: async () => (clientSecret === undefined ? undefined : secrets.text(clientSecret)),
    logger: app.logger,
  });
}

/** As Lambda saw it, whatever the request says. */
function callerOf({ env }: Context): string {
  const { event } = env as {
    readonly event?: { readonly requestContext?: { readonly http?: { readonly sourceIp?: string } } };
  };
  return event?.requestContext?.http?.sourceIp ?? 'unknown';
}

/** `{ "ada": { "role": "operator", "hash": "scrypt:..." } }`. @throws ImproperlyConfigured without its text, which is secret */
export function usersIn(text: string): Users {
  let users: unknown;
  try {
    users = JSON.parse(text);
  } catch {
    // Told below.
  }
  const isUser = (value: unknown): boolean => {
    const { role, hash } = (value ?? {}) as { readonly role?: unknown; readonly hash?: unknown };
    return (role === 'operator' || role === 'viewer') && isPasswordHash(hash);
  };
  if (typeof users === 'object' && users !== null && Object.values(users).every(isUser)) return users as Users;
  throw new ImproperlyConfigured(
    'The secret of the monitor’s users is not { "name": { "role": "operator", "hash": "scrypt:..." } }: celeriac monitor --hash makes a hash.',
  );
}
