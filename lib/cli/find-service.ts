/** Finds the service that a command's options name, and connects to it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

import { Celeriac } from '../app/app.ts';
import { connect, queueAddresses } from '../aws/connect.ts';
import { watched, withCeleriacErrors } from '../aws/for-call.ts';
import { SqsDepths } from '../aws/sqs-depths.ts';
import { awsClients } from '../aws/tool-clients.ts';
import type { ToolRequests } from '../aws/tool-requests.ts';
import { errorMessage } from '../base/error-text.ts';
import { MissingEnvironment } from '../base/errors.ts';
import { deployedParameterName, type DeployedService, readDeployedService } from '../options/deployed-service.ts';
import { readEnvironment, readTaskNames } from '../options/environment.ts';
import type { Environment } from '../options/manifest.ts';
import { queuesTold } from '../options/told-queues.ts';
import { NotReachable, UsageError } from './failures.ts';
import { isModule, type Place } from './place.ts';
import type { Service } from './service.ts';
import type { Terminal } from './terminal.ts';
import { appOfEntry } from '../dev/user-module.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** What was found, before it is connected to. */
interface Found {
  readonly environment: Environment;
  readonly taskNames: readonly string[] | undefined;
  readonly deployed?: DeployedService;
  readonly place: string;
}

/** Where `celeriac dev` tells of itself, in the folder that it was started in. */
export const DEV_VARIABLES: string = join('.celeriac', 'env');

/** @throws NotReachable, UsageError; OperationalError where AWS cannot be asked */
export async function openService(place: Place, terminal: Terminal): Promise<Service> {
  const module = place.app !== undefined && isModule(place.app) ? await appOfEntry(place.app) : undefined;
  const name = module?.name ?? place.app;
  // Whoever says where to look means no process on this machine.
  const isElsewhere = [place.stack, place.endpoint, place.region].some((said) => said !== undefined);
  const dev = isElsewhere ? undefined : await devVariables(terminal.folder, name);
  const variables: Variables = { ...terminal.variables, ...dev };
  const { clients, requests, rulesOf } = awsClients(variables, place, terminal.clock);
  const close = (): void => {
    clients.sqs.destroy();
    clients.dynamodb.destroy();
    requests.close();
  };
  try {
    const found = await find({ place, name, variables, isElsewhere, isDev: dev !== undefined }, requests);
    const { environment, taskNames } = found;
    const app = module ?? appToldOf(environment);
    const ports = connect(environment, { clock: terminal.clock, random: app.random }, clients);
    const depths = withCeleriacErrors(
      new SqsDepths({
        client: watched(clients.sqs, 'SQS', undefined),
        queues: queueAddresses(environment.queues, environment.deadLetterQueues),
      }),
    );
    app.use({ ...ports, depths, ...rulesOf(environment.rulePrefix) });
    const deployed = (): Promise<DeployedService> =>
      found.deployed === undefined
        ? deployedNamed(deployedParameterName(environment.app), environment.app, requests)
        : Promise.resolve(found.deployed);
    return {
      app,
      hasCode: module !== undefined,
      environment,
      taskNames,
      place: found.place,
      clients,
      depths,
      requests,
      isDeployed: found.deployed !== undefined,
      isLocal: found.deployed === undefined && isEmbedded(environment, variables),
      deployed,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

interface Search {
  readonly place: Place;
  readonly name: string | undefined;
  readonly variables: Variables;
  readonly isElsewhere: boolean;
  readonly isDev: boolean;
}

async function find({ place, name, variables, isElsewhere, isDev }: Search, requests: ToolRequests): Promise<Found> {
  if (place.stack !== undefined) return foundIn(await deployedIn(place.stack, name, requests), `stack ${place.stack}`);
  if (!isElsewhere) {
    const told = toldOf(name, variables);
    if (told !== undefined) return { ...told, place: isDev ? 'celeriac dev' : 'environment' };
  }
  if (name === undefined)
    throw new UsageError(
      'Which service? Give --app <name> or --stack <name>, start `celeriac dev` in this folder, or set CELERIAC_SERVICE_<APP>.',
    );
  const parameter = deployedParameterName(name);
  return foundIn(await deployedNamed(parameter, name, requests), `SSM parameter ${parameter}`);
}

function foundIn(deployed: DeployedService, where: string): Found {
  const { environment, taskNames, region } = deployed;
  return {
    environment,
    taskNames: taskNames.length === 0 ? undefined : taskNames,
    deployed,
    place: `${where} in ${region}`,
  };
}

/** undefined where the variables tell of no such service. @throws UsageError for several, without a name */
function toldOf(name: string | undefined, variables: Variables): Omit<Found, 'place'> | undefined {
  try {
    const environment = readEnvironment(name, variables);
    const names = readTaskNames(environment.app, variables);
    return { environment, taskNames: typeof names === 'object' ? names : undefined };
  } catch (error) {
    if (!MissingEnvironment.is(error)) throw error;
    // A name may be looked for elsewhere; what is there and cannot be read, or is more than one, is told.
    if (/several services|not a JSON object|is no text/.test(error.message)) throw new UsageError(error.message);
    return undefined;
  }
}

/** Variables of a `celeriac dev` of this app in this folder; undefined where there is none. */
async function devVariables(folder: string, app: string | undefined): Promise<Variables | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, DEV_VARIABLES), 'utf8');
  } catch {
    return undefined;
  }
  const variables = parseEnv(text);
  try {
    readEnvironment(app, variables);
    return variables;
  } catch {
    return undefined;
  }
}

async function deployedNamed(parameter: string, app: string, requests: ToolRequests): Promise<DeployedService> {
  const text = await requests.parameter(parameter);
  if (text !== undefined) return readDeployedService(text);
  throw new NotReachable(
    `There is no SSM parameter ${parameter}, in which the service of app '${app}' says what it is. Check the name, --region and AWS_PROFILE, or give --stack: it may have a parameterName of its own, or none.`,
  );
}

/** The services of a stack, each told by a parameter that the stack has made. */
async function deployedIn(stack: string, app: string | undefined, requests: ToolRequests): Promise<DeployedService> {
  const names = await requests.stackParameters(stack);
  if (names === undefined)
    throw new NotReachable(`There is no stack '${stack}' there. Check --stack, --region and AWS_PROFILE.`);
  const services: DeployedService[] = [];
  for (const name of names) {
    const text = (await requests.parameter(name)) ?? '';
    try {
      services.push(readDeployedService(text));
    } catch {
      // A parameter of the user's own.
    }
  }
  const fitting = services.filter((service) => app === undefined || service.app === app);
  const [service] = fitting;
  if (service !== undefined && fitting.length === 1) return service;
  const known = services.map((each) => each.app).join(', ');
  if (fitting.length > 1)
    throw new UsageError(`Stack '${stack}' has several services: ${known}. Say which: --app <name>.`);
  throw new NotReachable(
    `Stack '${stack}' tells of ${known === '' ? 'no service' : `${known} only`}: a TaskService writes an SSM parameter unless its parameterName is false.`,
  );
}

/** An app that sends by name: queues and routes are those that the service has told. */
function appToldOf(told: Environment): Celeriac {
  const { app: name, defaultQueue, taskQueues, timerShards } = told;
  try {
    return new Celeriac(name, { queues: queuesTold(told), defaultQueue, routes: taskQueues, timerShards });
  } catch (error) {
    throw new NotReachable(`What is told of service '${name}' is not complete: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** The embedded cloud's queues are on loopback, and it has no other services: an emulator is told by one endpoint for all. */
function isEmbedded({ queues }: Environment, variables: Variables): boolean {
  const onLoopback = Object.values(queues).every((url) => /^http:\/\/(?:127\.0\.0\.1|localhost)[:/]/.test(url));
  return onLoopback && !variables['AWS_ENDPOINT_URL'];
}
