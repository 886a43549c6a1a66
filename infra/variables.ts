/** Environment variables of the user's: names and sizes that Lambda takes. */
import { Annotations, Stack, Token } from 'aws-cdk-lib';
import type { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';

import { shown } from '../lib/base/checks.ts';
import { InvalidOption } from '../lib/base/errors.ts';
import { makeRoom } from './environment.ts';
import { OWN_VARIABLE } from './variable-sizes.ts';

const NAME = /^[A-Za-z][A-Za-z0-9_]+$/;
// What the runtime sets; Lambda refuses it. Source: Lambda, defined runtime environment variables.
const RUNTIME: ReadonlySet<string> = new Set([
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
]);

/** @throws InvalidOption */
export function validateVariableName(name: string, what: string): void {
  if (OWN_VARIABLE.test(name))
    throw new InvalidOption(
      `${what}: ${shown(name)} begins with CELERIAC_, as what the service tells its functions does. Use another name.`,
    );
  if (RUNTIME.has(name))
    throw new InvalidOption(
      `${what}: ${shown(name)} is set by Lambda itself, which refuses it here. Use another name.`,
    );
  if (!NAME.test(name))
    throw new InvalidOption(
      `${what}: ${shown(name)} is no name of a variable; Lambda takes letters, digits and '_', at least two, the first a letter.`,
    );
}

/** @throws InvalidOption for names that Lambda or the service does not take, and for what is no text. */
export function validateVariables(variables: Readonly<Record<string, unknown>>, what: string): void {
  for (const [name, value] of Object.entries(variables)) {
    validateVariableName(name, what);
    if (typeof value !== 'string')
      throw new InvalidOption(`${what}.${name}: ${shown(value)} given; text is allowed, as in String(value).`);
  }
}

/**
 * Sets one, also where it holds a secret's value: then with a warning, since whoever may look at the function reads it.
 *
 * @throws InvalidOption; see `validateVariables`
 */
export function setVariable(fn: LambdaFn, name: string, value: string, what: string): void {
  validateVariables({ [name]: value }, what);
  if (Token.isUnresolved(value) && SECRET.test(JSON.stringify(Stack.of(fn).resolve(value)))) {
    Annotations.of(fn).addWarningV2(
      `celeriac:secretInVariable:${name}`,
      `${what}: ${name} holds a secret's value, which everybody reads who may look at the function. Use grantSecret or secrets: then it holds the secret's ARN, and a task reads the value.`,
    );
  }
  fn.addEnvironment(name, value);
  makeRoom(fn);
}

const SECRET = /\{\{resolve:(?:secretsmanager|ssm-secure):/;
