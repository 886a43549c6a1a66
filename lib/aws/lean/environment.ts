/** What the SDK's own environment variables say. The lean client's one place that reads the environment. */

/** As in `AWS_ENDPOINT_URL_<ID>`. */
export type ServiceId = 'SQS' | 'DYNAMODB' | 'EVENTBRIDGE' | 'SSM' | 'CLOUDFORMATION' | 'LAMBDA' | 'SNS' | 'S3' | 'KMS';

export interface ServiceVariables {
  readonly region: string | undefined;
  /** Undefined where none is configured, or where configured ones are to be ignored. */
  readonly endpoint: string | undefined;
  readonly fips: boolean;
  readonly dualStack: boolean;
  readonly accountId: string | undefined;
  readonly accountIdMode: string | undefined;
  readonly maxAttempts: number | undefined;
}

export interface CredentialVariables {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
  /** Path at the container's own address. */
  readonly relativeUri: string | undefined;
  readonly fullUri: string | undefined;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
}

const variable = (name: string): string | undefined => {
  const value = process.env[name];
  // An empty variable is how some tools unset one.
  return value === '' ? undefined : value;
};

/** @throws Error where a variable has a value that the SDK refuses too. */
export function serviceVariables(service: ServiceId): ServiceVariables {
  const endpoint = variable(`AWS_ENDPOINT_URL_${service}`) ?? variable('AWS_ENDPOINT_URL');
  return {
    region: variable('AWS_REGION'),
    endpoint: flag('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS') ? undefined : endpoint,
    fips: flag('AWS_USE_FIPS_ENDPOINT'),
    dualStack: flag('AWS_USE_DUALSTACK_ENDPOINT'),
    accountId: variable('AWS_ACCOUNT_ID'),
    accountIdMode: variable('AWS_ACCOUNT_ID_ENDPOINT_MODE'),
    maxAttempts: wholeNumber('AWS_MAX_ATTEMPTS'),
  };
}

export function credentialVariables(): CredentialVariables {
  return {
    accessKeyId: variable('AWS_ACCESS_KEY_ID'),
    secretAccessKey: variable('AWS_SECRET_ACCESS_KEY'),
    sessionToken: variable('AWS_SESSION_TOKEN'),
    relativeUri: variable('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'),
    fullUri: variable('AWS_CONTAINER_CREDENTIALS_FULL_URI'),
    token: variable('AWS_CONTAINER_AUTHORIZATION_TOKEN'),
    tokenFile: variable('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'),
  };
}

/** The invocation's trace, which Lambda puts there for each: SQS hands it on with the message. Undefined outside of Lambda. */
export function traceId(): string | undefined {
  return variable('AWS_LAMBDA_FUNCTION_NAME') === undefined ? undefined : variable('_X_AMZN_TRACE_ID');
}

function flag(name: string): boolean {
  const value = variable(name);
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new Error(`${name} is '${value}'; 'true' and 'false' are allowed.`);
}

function wholeNumber(name: string): number | undefined {
  const value = variable(name);
  if (value === undefined) return undefined;
  const number = Number.parseInt(value, 10);
  if (Number.isNaN(number)) throw new Error(`${name} is '${value}'; a whole number is needed.`);
  return number;
}
