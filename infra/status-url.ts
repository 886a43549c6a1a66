/** The state of single tasks by address: a small function that may read results and nothing else. */
import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFn, FunctionUrlAuthType, HttpMethod, type IFunctionUrl } from 'aws-cdk-lib/aws-lambda';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

import { booleanOption, refuseUnknownKeys, shown } from '../lib/base/checks.ts';
import { ImproperlyConfigured, InvalidOption } from '../lib/base/errors.ts';
import {
  STATUS_VARIABLE,
  type StatusSigning,
  type StatusTold,
  statusVariable,
} from '../lib/options/status-variable.ts';
import { TaskFunction, type TaskFunctionOptions } from './task-function.ts';
import type { Rights } from './grants.ts';

/** How states of tasks are told by address. */
export interface StatusUrlOptions {
  /**
   * 'signed': whoever has the address of a task, which `result.statusUrl()` makes, may ask for it until it expires. 'iam': callers
   * sign with SigV4, and may ask for any task.
   */
  readonly auth: 'signed' | 'iam';
  /** Origins whose pages may ask, `https://shop.example.org`; `'*'` for all. @default - no other origin than the address's own */
  readonly cors?: readonly string[];
  /** Whether results are told; states and progress always are. @default true */
  readonly results?: boolean;
  /** Whether texts and stacks of errors are told; their types always are. @default false */
  readonly errors?: boolean;
}

/** An address that was added to a service. */
export interface AddedStatusUrl {
  /** Its beginning, `https://...`; a token until it is deployed. */
  readonly url: string;
  /** What answers there. */
  readonly function: LambdaFn;
  /** The keys that sign: the first one signs, each is believed. undefined with `auth: 'iam'`. */
  readonly secret: ISecret | undefined;
  /**
   * Lets somebody make addresses: `result.statusUrl()`. A Lambda function gets its variable, too; others are given `environment()`.
   *
   * @throws ImproperlyConfigured with `auth: 'iam'`
   */
  grantSign(grantee: IGrantable): Grant;
  /** Lets somebody ask for states, with `auth: 'iam'`. */
  grantAsk(grantee: IGrantable): Grant;
  /** The variable of who signs, for whatever is no Lambda function. @throws ImproperlyConfigured with `auth: 'iam'` */
  environment(): Record<string, string>;
}

export interface TaskStatusUrlProps extends TaskFunctionOptions, StatusUrlOptions {
  readonly rights: readonly Rights[];
}

const KEYS: ReadonlySet<string> = new Set<keyof StatusUrlOptions>(['auth', 'cors', 'results', 'errors']);
const TIMEOUT_SECONDS = 10;
const MEMORY_MIB = 256;
const KEY_CHARACTERS = 64;
const CORS_SECONDS = 3600;

export class TaskStatusUrl extends TaskFunction implements AddedStatusUrl {
  readonly url: string;
  readonly secret: ISecret | undefined;
  readonly #address: IFunctionUrl;
  readonly #app: string;

  constructor(scope: Construct, id: string, props: TaskStatusUrlProps) {
    const { auth, cors = [], results = true, errors = false, appName } = props;
    super(scope, id, {
      ...props,
      handler: 'status',
      description: `Tells states of single tasks of app '${appName}'`,
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: MEMORY_MIB,
    });
    this.#app = appName;
    this.secret = auth === 'signed' ? this.#keys() : undefined;
    const told: StatusTold = {
      app: appName,
      ...(this.secret === undefined ? {} : { secret: this.secret.secretArn }),
      ...(results ? {} : { hideResults: true }),
      ...(errors ? { showErrors: true } : {}),
    };
    this.function.addEnvironment(STATUS_VARIABLE, Stack.of(this).toJsonString(told));
    this.#address = this.function.addFunctionUrl({
      authType: auth === 'iam' ? FunctionUrlAuthType.AWS_IAM : FunctionUrlAuthType.NONE,
      ...(cors.length === 0
        ? {}
        : {
            cors: {
              allowedOrigins: [...cors],
              allowedMethods: [HttpMethod.GET],
              ...(auth === 'iam'
                ? { allowedHeaders: ['authorization', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token'] }
                : {}),
              maxAge: Duration.seconds(CORS_SECONDS),
            },
          }),
    });
    this.url = this.#address.url;
    new CfnOutput(this, 'Address', { value: this.url, description: `States of single tasks of app '${appName}'` });
  }

  grantSign(grantee: IGrantable): Grant {
    const variables = this.environment();
    if (grantee instanceof LambdaFn)
      for (const [name, value] of Object.entries(variables)) grantee.addEnvironment(name, value);
    return (this.secret as ISecret).grantRead(grantee);
  }

  grantAsk(grantee: IGrantable): Grant {
    return this.#address.grantInvokeUrl(grantee);
  }

  environment(): Record<string, string> {
    if (this.secret === undefined)
      throw new ImproperlyConfigured("This status address has auth: 'iam', and nothing is signed: use grantAsk().");
    const signing: StatusSigning = { url: this.url, secret: this.secret.secretArn };
    return { [statusVariable(this.#app)]: Stack.of(this).toJsonString(signing) };
  }

  #keys(): ISecret {
    const secret = new Secret(this, 'Keys', {
      description: 'Signs status addresses. Two keys with a blank between them: the first signs, both are believed',
      generateSecretString: { passwordLength: KEY_CHARACTERS, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SMG4',
      reason:
        'Addresses that were given out hold for as long as they say: who changes the key keeps the old one beside it.',
    });
    secret.grantRead(this.function);
    return secret;
  }
}

// As browsers name themselves in `Origin`.
const ORIGIN = /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?$/;

/** @throws InvalidOption naming the field and what is allowed */
export function validateStatusUrl(options: StatusUrlOptions): void {
  refuseUnknownKeys(options, KEYS, 'addStatusUrl()');
  const { auth, cors = [] } = options;
  if (auth !== 'signed' && auth !== 'iam')
    throw new InvalidOption(`auth of addStatusUrl(): ${shown(auth)} given; 'signed' or 'iam' is allowed.`);
  const stray = Array.isArray(cors) ? cors.find((origin) => origin !== '*' && !ORIGIN.test(String(origin))) : cors;
  if (stray !== undefined)
    throw new InvalidOption(
      `cors of addStatusUrl(): ${shown(stray)} given; a list of origins is allowed, as in ['https://shop.example.org'], in lower case and without a path, or ['*'].`,
    );
  for (const field of ['results', 'errors'] as const)
    if (options[field] !== undefined) booleanOption(options[field], `${field} of addStatusUrl()`);
}
