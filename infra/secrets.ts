/** Secrets of tasks: the right to read one, and a variable that says which. The value itself is in no template and in no variable. */
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { IParameter } from 'aws-cdk-lib/aws-ssm';

import { kindOf } from '../lib/base/checks.ts';
import { InvalidOption } from '../lib/base/errors.ts';
import { setVariable, validateVariableName } from './variables.ts';

/** A secret of Secrets Manager, or a parameter of SSM, `SecureString` among them. */
export type TaskSecret = ISecret | IParameter;

/** @throws InvalidOption for what is no secret and no parameter, and for a variable's name that is not taken. */
export function validateSecrets(secrets: Readonly<Record<string, unknown>>, what: string): void {
  for (const [name, secret] of Object.entries(secrets)) {
    validateVariableName(name, what);
    if (!isSecret(secret) && !isParameter(secret))
      throw new InvalidOption(
        `${what}.${name}: ${kindOf(secret)} given; a Secret of aws-secretsmanager or a StringParameter of aws-ssm is allowed, never the value itself.`,
      );
  }
}

/** Lets a function read a secret, and tells it the secret's ARN. @throws InvalidOption */
export function giveSecret(fn: LambdaFn, variable: string, secret: TaskSecret, what: string): Grant {
  validateSecrets({ [variable]: secret }, what);
  setVariable(fn, variable, isSecret(secret) ? secret.secretArn : secret.parameterArn, what);
  // Of the secret's own key too, by way of Secrets Manager alone.
  return isSecret(secret) ? secret.grantRead(fn) : readParameter(fn, secret);
}

/** Less than CDK's `grantRead`: no former values, and no list of all parameters. */
function readParameter(grantee: IGrantable, parameter: IParameter): Grant {
  const grant = Grant.addToPrincipal({
    grantee,
    actions: ['ssm:GetParameter', 'ssm:GetParameters'],
    resourceArns: [parameter.parameterArn],
  });
  const { encryptionKey } = parameter as { encryptionKey?: { grantDecrypt(grantee: IGrantable): Grant } };
  return encryptionKey === undefined ? grant : grant.combine(encryptionKey.grantDecrypt(grantee));
}

function isSecret(value: unknown): value is ISecret {
  return typeof value === 'object' && value !== null && 'secretArn' in value;
}

function isParameter(value: unknown): value is IParameter {
  return typeof value === 'object' && value !== null && 'parameterArn' in value;
}
