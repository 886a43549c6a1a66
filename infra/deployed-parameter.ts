/** The SSM parameter in which a service says what it is. */
import { Annotations, Aws, Stack, Token } from 'aws-cdk-lib';
import { type IStringParameter, ParameterTier, StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';

import { InvalidOption } from '../lib/base/errors.ts';
import {
  SSM_ADVANCED_MAX_BYTES,
  SSM_MAX_NAME_CHARACTERS,
  SSM_MAX_NAME_LEVELS,
  SSM_STANDARD_MAX_BYTES,
} from '../lib/base/limits.ts';
import { DEPLOYED_VERSION, type DeployedFacts, type DeployedFields } from '../lib/options/deployed-service.ts';
import { estimatedBytes, type ServiceEnvironment, type ToldParts } from './environment.ts';

/** Where it is deployed the stack says. */
export interface DeployedParameterProps extends Omit<DeployedFacts, 'partition' | 'region' | 'account'> {
  readonly parameterName: string;
  readonly app: string;
  readonly environment: ServiceEnvironment;
  /** What the sweeper is told. */
  readonly parts: ToldParts;
}

// Names that CloudFormation makes are longer or shorter than what is counted for them.
const SURELY_STANDARD_BYTES = SSM_STANDARD_MAX_BYTES - 600;

/** @throws InvalidOption for a name that SSM does not take, and for a service that no parameter holds. */
export function deployedParameter(scope: Construct, props: DeployedParameterProps): IStringParameter {
  const { parameterName, environment, parts, app: _app, ...facts } = props;
  tellTwin(scope, parameterName);
  const place = { partition: Aws.PARTITION, region: Stack.of(scope).region, account: Stack.of(scope).account };
  const fieldsWith = (names: boolean): DeployedFields => ({
    version: DEPLOYED_VERSION,
    ...place,
    ...facts,
    environment: environment.fields(parts, names),
  });
  // Nobody needs the names of tasks so much that they should cost something.
  const names = bytesOf(fieldsWith(true)) <= SURELY_STANDARD_BYTES && environment.namesFit(Infinity);
  const fields = fieldsWith(names);
  return new StringParameter(scope, 'Deployed', {
    parameterName,
    description: `What the service of app '${props.app}' is made of`,
    stringValue: Stack.of(scope).toJsonString(fields),
    ...tierOf(scope, bytesOf(fields)),
  });
}

/** Functions, mappings and places have shorter names than queues, which are what tokens are counted as. */
function bytesOf(fields: DeployedFields): number {
  const known = (characters: number): string => 'x'.repeat(characters);
  const worker = { function: known(LAMBDA_NAME_CHARACTERS), eventSource: known(UUID_CHARACTERS) };
  return estimatedBytes({
    ...fields,
    partition: 'aws-us-gov',
    region: 'ap-southeast-1',
    account: known(ACCOUNT_CHARACTERS),
    workers: Object.fromEntries(Object.keys(fields.workers).map((queue) => [queue, worker])),
    sweeper: worker.function,
  });
}

const LAMBDA_NAME_CHARACTERS = 64;
const UUID_CHARACTERS = 36;
const ACCOUNT_CHARACTERS = 12;

function tierOf(scope: Construct, bytes: number): { readonly tier?: ParameterTier } {
  if (bytes <= SURELY_STANDARD_BYTES) return {};
  if (bytes > SSM_ADVANCED_MAX_BYTES) {
    throw new InvalidOption(
      `parameterName: what the service is made of takes about ${bytes} bytes; an SSM parameter holds ${SSM_ADVANCED_MAX_BYTES}. Use fewer queues, or give parameterName: false.`,
    );
  }
  if (bytes > SSM_STANDARD_MAX_BYTES) {
    Annotations.of(scope).addWarningV2(
      'celeriac:advancedParameter',
      `What the service is made of takes about ${bytes} bytes of its SSM parameter; a free one holds ${SSM_STANDARD_MAX_BYTES}, so this one becomes an advanced one, for $0.05 a month. parameterName: false leaves it out.`,
    );
  }
  // SSM takes the free tier where the value fits it.
  return { tier: ParameterTier.INTELLIGENT_TIERING };
}

const LEVELS = /^(?:\/[A-Za-z0-9_.-]+)+$/;

/** @throws InvalidOption */
export function checkName(name: unknown): void {
  if (Token.isUnresolved(name)) {
    throw new InvalidOption(
      'parameterName is a token; a text is needed, since it is the name by which tools and other stacks look for it.',
    );
  }
  const isName =
    typeof name === 'string' &&
    LEVELS.test(name) &&
    name.length <= SSM_MAX_NAME_CHARACTERS &&
    name.split('/').length - 1 <= SSM_MAX_NAME_LEVELS &&
    !/^\/(?:aws|ssm)/i.test(name);
  if (isName) return;
  throw new InvalidOption(
    `parameterName: ${JSON.stringify(name)} given; a name such as '/celeriac/shop' is allowed: up to ${SSM_MAX_NAME_LEVELS} levels of letters, digits, '.', '_' and '-', at most ${SSM_MAX_NAME_CHARACTERS} characters, not beginning with 'aws' or 'ssm'.`,
  );
}

// Names of parameters by place, of each CDK app.
const owners = new WeakMap<object, Map<string, string>>();

/** SSM refuses the second when it is deployed. An error of the CLI and no exception: its place may be known to be another. */
function tellTwin(scope: Construct, name: string): void {
  const { account, region } = Stack.of(scope);
  const at = [account, region].map((part) => (Token.isUnresolved(part) ? 'unknown' : part));
  const key = [...at, name].join(' ');
  const known = owners.get(scope.node.root) ?? new Map<string, string>();
  owners.set(scope.node.root, known);
  const other = known.get(key);
  if (other === undefined) known.set(key, scope.node.path);
  else if (other !== scope.node.path) {
    Annotations.of(scope).addError(
      `Services ${other} and ${scope.node.path} would both write the SSM parameter ${name}. Give one of them another parameterName, such as '${name}-staging', or false for none; stacks of different accounts or Regions are told apart by their env.`,
    );
  }
}
