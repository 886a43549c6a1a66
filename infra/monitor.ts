/** The monitor of a service: a function behind an address of its own, which lets nobody in without a login. */
import { CfnOutput, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { type Function as LambdaFn, FunctionUrlAuthType, type IFunctionUrl } from 'aws-cdk-lib/aws-lambda';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

import { kindOf, refuseUnknownKeys, shown } from '../lib/base/checks.ts';
import { InvalidOption } from '../lib/base/errors.ts';
import {
  MONITOR_VARIABLE,
  type MonitorLogin,
  type MonitorRoles,
  type MonitorTold,
} from '../lib/options/monitor-variable.ts';
import { letAskAges } from './function-rights.ts';
import type { Rights } from './grants.ts';
import { TaskFunction, type TaskFunctionOptions } from './task-function.ts';

export type { MonitorRoles } from '../lib/options/monitor-variable.ts';

/** Who is let in: one of these. */
export interface MonitorAuth {
  /** Callers that sign with SigV4, by their ARNs (`arn:aws:sts::111122223333:assumed-role/Ops/*`): machines. They also need `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction`. */
  readonly iam?: MonitorRoles;
  /** Names and passwords: a secret `{ "ada": { "role": "operator", "hash": "scrypt:..." } }`; `celeriac monitor --hash` makes a hash. */
  readonly password?: { readonly users: ISecret };
  /** An OpenID provider; by verified e-mail addresses, or groups. */
  readonly oidc?: MonitorOidc;
}

/** An OpenID provider that knows who people are. Its redirect address is the monitor's with `/login/callback`. */
export interface MonitorOidc extends MonitorRoles {
  /** As it calls itself: `https://login.example.org`. */
  readonly issuer: string;
  /** Of the monitor there. */
  readonly clientId: string;
  /** The text of the secret is the client's. @default - a client without one */
  readonly clientSecret?: ISecret;
  /** The claim that lists groups. @default 'groups' */
  readonly groupsClaim?: string;
  /** Beside `openid email`. @default - none */
  readonly scopes?: readonly string[];
}

/** How a monitor is deployed. */
export interface MonitorOptions {
  /** Who is let in. There is no monitor without a login. */
  readonly auth: MonitorAuth;
  /** Shows, and changes nothing: it gets no right to. @default false */
  readonly readOnly?: boolean;
  /** Shows arguments of dead letters and results whole. @default false */
  readonly showValues?: boolean;
}

/** A monitor that was added to a service. */
export interface AddedMonitor {
  /** Its address, `https://...`; a token until it is deployed. */
  readonly url: string;
  /** What answers there. */
  readonly function: LambdaFn;
}

export interface TaskMonitorProps extends TaskFunctionOptions, MonitorOptions {
  readonly rights: readonly Rights[];
  readonly parameterName: string | undefined;
}

const TIMEOUT_SECONDS = 30;
const MEMORY_MIB = 512;
const KEY_CHARACTERS = 64;
const OPTION_KEYS: ReadonlySet<string> = new Set<keyof MonitorOptions>(['auth', 'readOnly', 'showValues']);
const WAYS = ['iam', 'password', 'oidc'] as const;

export class TaskMonitor extends TaskFunction {
  /** Its address. */
  readonly address: IFunctionUrl;

  constructor(scope: Construct, id: string, props: TaskMonitorProps) {
    const { auth, readOnly = false, showValues = false, parameterName } = props;
    super(scope, id, {
      ...props,
      handler: 'monitor',
      description: `Shows the service of app '${props.appName}'`,
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: MEMORY_MIB,
    });
    const told: MonitorTold = {
      app: props.appName,
      login: this.#loginOf(auth),
      ...(readOnly ? { readOnly } : {}),
      ...(showValues ? { showValues } : {}),
      ...(parameterName === undefined ? {} : { parameter: parameterName }),
    };
    this.function.addEnvironment(MONITOR_VARIABLE, Stack.of(this).toJsonString(told));
    if (this.function.role !== undefined) letAskAges(this, this.function.role);
    // Where people log in by a page the page itself must be open to all; the function lets nobody see more.
    const authType = auth.iam === undefined ? FunctionUrlAuthType.NONE : FunctionUrlAuthType.AWS_IAM;
    this.address = this.function.addFunctionUrl({ authType });
    new CfnOutput(this, 'Address', { value: this.address.url, description: `The monitor of app '${props.appName}'` });
  }

  #loginOf({ iam, password, oidc }: MonitorAuth): MonitorLogin {
    if (iam !== undefined) return { way: 'iam', ...iam };
    const session = this.#sessionKey();
    if (password !== undefined) {
      password.users.grantRead(this.function);
      return { way: 'password', users: password.users.secretArn, session };
    }
    const { clientSecret, ...others } = oidc as MonitorOidc;
    clientSecret?.grantRead(this.function);
    return {
      way: 'oidc',
      ...others,
      session,
      ...(clientSecret === undefined ? {} : { clientSecret: clientSecret.secretArn }),
    };
  }

  /** @returns its ARN */
  #sessionKey(): string {
    const secret = new Secret(this, 'SessionKey', {
      description: 'Signs the sessions of the monitor: whoever changes it logs everybody out',
      generateSecretString: { passwordLength: KEY_CHARACTERS, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SMG4',
      reason:
        'Nobody knows the key but the function; sessions last for twelve hours, and changing the key ends them all.',
    });
    secret.grantRead(this.function);
    return secret.secretArn;
  }
}

/** @throws InvalidOption naming the field and what is allowed */
export function validateMonitor(options: MonitorOptions): void {
  refuseUnknownKeys(options, OPTION_KEYS, 'addMonitor()');
  const { auth } = options;
  const given = typeof auth === 'object' && auth !== null ? Object.keys(auth) : [];
  const isOne = given.length === 1 && WAYS.some((way) => way === given[0]);
  if (!isOne)
    throw new InvalidOption(
      `auth of addMonitor(): ${given.length === 0 ? kindOf(auth) : given.join(', ')} given; one of iam, password and oidc is needed. There is no monitor without a login.`,
    );
  const roles = auth.iam ?? auth.oidc;
  if (
    roles !== undefined &&
    (!Array.isArray(roles.operators) || [...roles.operators, ...(roles.viewers ?? [])].length === 0)
  )
    throw new InvalidOption(
      `auth.${given[0]}.operators of addMonitor(): ${shown(roles.operators)} given; patterns such as '*@example.org' or 'group:operations' are needed, else nobody could log in.`,
    );
  const everybody = [...(roles?.operators ?? []), ...(roles?.viewers ?? [])].find((pattern) => pattern === '*');
  if (everybody !== undefined)
    throw new InvalidOption(
      `auth.${given[0]} of addMonitor(): '*' lets in whoever has an account there. Name a domain, such as '*@example.org', or a group.`,
    );
  if (auth.oidc !== undefined && !auth.oidc.issuer.startsWith('https://'))
    throw new InvalidOption(
      `auth.oidc.issuer of addMonitor(): ${shown(auth.oidc.issuer)} given; https://... is needed.`,
    );
}
