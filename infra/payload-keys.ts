/** The keys of an app's codec: who may use them follows from what they may do with tasks. */
import { Stack, Token, TokenComparison } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

import { kindOf } from '../lib/base/checks.ts';
import { ImproperlyConfigured, InvalidOption } from '../lib/base/errors.ts';
import type { AppManifest } from '../lib/options/manifest.ts';
import type { Rights } from './grants.ts';
import { setVariable, validateVariableName } from './variables.ts';

/** A secret of Secrets Manager that holds a ring of keys, or a symmetric key of KMS. */
export type PayloadKey = ISecret | IKey;

/** What somebody does with the data of tasks. */
export type KeyUse = 'encrypt' | 'decrypt';

// Of the library's codec (lib/aws/kms-data-keys.ts): data keys encrypt, and whoever reads has them decrypted.
const ON_KMS: Readonly<Record<KeyUse, string>> = { encrypt: 'kms:GenerateDataKey', decrypt: 'kms:Decrypt' };
const CONTEXT = { StringEquals: { 'kms:EncryptionContext:celeriac': 'codec' } };
const WHAT = 'payloadKeys';

/** @throws InvalidOption; ImproperlyConfigured for an app without a codec */
export function payloadKeysOf(
  scope: Construct,
  given: Readonly<Record<string, PayloadKey>> | undefined,
  { name, codec }: Pick<AppManifest, 'name' | 'codec'>,
): PayloadKeys {
  if (given === undefined) return new PayloadKeys(scope, {});
  if (typeof given !== 'object' || given === null || Array.isArray(given) || Object.keys(given).length === 0)
    throw new InvalidOption(
      `${WHAT}: ${kindOf(given)} given; a Secret of aws-secretsmanager or a Key of aws-kms by the name of the variable that holds its ARN is allowed, such as { VAULT_KEYS: secret }.`,
    );
  for (const [variable, key] of Object.entries(given)) {
    validateVariableName(variable, WHAT);
    checkKey(scope, variable, key);
  }
  if (codec !== true)
    throw new ImproperlyConfigured(
      `${WHAT}: given, and app '${name}' encrypts nothing. Give the app the option codec, such as aesGcm({ secret }) with what the variable ${Object.keys(given)[0]} holds, or leave ${WHAT} out.`,
    );
  return new PayloadKeys(scope, given);
}

function checkKey(scope: Construct, variable: string, key: unknown): void {
  if (!isSecret(key) && !isKey(key))
    throw new InvalidOption(
      `${WHAT}.${variable}: ${kindOf(key)} given; a Secret of aws-secretsmanager or a Key of aws-kms is allowed, never a key itself.`,
    );
  const { region } = Stack.of(scope);
  if (Token.compareStrings(key.env.region, region) === TokenComparison.DIFFERENT)
    throw new InvalidOption(
      `${WHAT}.${variable}: it is in ${key.env.region}, and the service in ${region}. Give one of the service's own Region, such as a replica: functions sign their requests for that.`,
    );
}

export class PayloadKeys {
  readonly #region: string;
  readonly #keys: Readonly<Record<string, PayloadKey>>;

  /** @param keys by the name of the variable that holds their ARN, checked */
  constructor(scope: Construct, keys: Readonly<Record<string, PayloadKey>>) {
    this.#region = Stack.of(scope).region;
    this.#keys = keys;
  }

  rights(uses: readonly KeyUse[]): Rights[] {
    return Object.values(this.#keys).flatMap((key) => (isSecret(key) ? this.#onSecret(key) : onKey(key, uses)));
  }

  /** A ring encrypts and decrypts: whoever has it can do both. */
  #onSecret(secret: ISecret): Rights[] {
    const { encryptionKey } = secret;
    return [
      {
        actions: ['secretsmanager:GetSecretValue'],
        // As CDK's own grants: Secrets Manager puts six characters behind a name.
        resourceArns: [secret.secretFullArn ?? `${secret.secretArn}-??????`],
      },
      ...(encryptionKey === undefined
        ? []
        : [
            {
              actions: ['kms:Decrypt'],
              resourceArns: [encryptionKey.keyArn],
              conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${this.#region}.amazonaws.com` } },
            },
          ]),
    ];
  }

  /** ARNs by the names of their variables; the values hold tokens. */
  variables(): Record<string, string> {
    return Object.fromEntries(Object.entries(this.#keys).map(([variable, key]) => [variable, arnOf(key)]));
  }

  /** Tells a function where the keys are. */
  addTo(fn: LambdaFn): void {
    for (const [variable, arn] of Object.entries(this.variables())) setVariable(fn, variable, arn, WHAT);
  }
}

function onKey(key: IKey, uses: readonly KeyUse[]): Rights[] {
  return [{ actions: uses.map((use) => ON_KMS[use]), resourceArns: [key.keyArn], conditions: CONTEXT }];
}

function arnOf(key: PayloadKey): string {
  return isSecret(key) ? key.secretArn : key.keyArn;
}

function isSecret(value: unknown): value is ISecret {
  return typeof value === 'object' && value !== null && 'secretArn' in value;
}

function isKey(value: unknown): value is IKey {
  return typeof value === 'object' && value !== null && 'keyArn' in value;
}
