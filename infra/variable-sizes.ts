/** How much of the room for variables a function's take: Lambda has 4 KB for all of them. */
import { Stack } from 'aws-cdk-lib';
import type { CfnFunction, Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';

import { LAMBDA_MAX_ENVIRONMENT_BYTES } from '../lib/base/limits.ts';

/** Variables of the service itself. */
export const OWN_VARIABLE: RegExp = /^CELERIAC_/;

// What a token becomes is known on deploy; of the service's own they are URLs of queues, with about this many characters.
const URL_CHARACTERS = 110;

/** Each of a function's variables with the bytes that it takes at least: tokens of others than the service count as nothing. */
export function sizesOf(fn: LambdaFn): (readonly [name: string, bytes: number])[] {
  const { environment } = fn.node.defaultChild as CfnFunction;
  const { variables = {} } = (Stack.of(fn).resolve(environment) ?? {}) as { variables?: Record<string, unknown> };
  return Object.entries(variables).map(([name, value]) => [
    name,
    Buffer.byteLength(name) + bytesOf(value, OWN_VARIABLE.test(name)),
  ]);
}

/** What is wrong with the size of a function's variables, whoever set them. */
export function environmentComplaints(fn: LambdaFn): string[] {
  const sizes = sizesOf(fn);
  const bytes = sizes.reduce((sum, [, size]) => sum + size, 0);
  if (bytes <= LAMBDA_MAX_ENVIRONMENT_BYTES) return [];
  const largest = sizes.toSorted(([, one], [, other]) => other - one).slice(0, 3);
  return [
    `The environment of function ${fn.node.path} takes at least ${bytes} bytes; Lambda takes ${LAMBDA_MAX_ENVIRONMENT_BYTES}. The largest are ${largest.map(([name, size]) => `${name} (${size})`).join(', ')}. Put what is long into a parameter or an object of S3, and its name here.`,
  ];
}

function bytesOf(value: unknown, own: boolean): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  const [delimiter, parts] = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'] ?? ['', []];
  if (parts.length === 0) return own ? URL_CHARACTERS : 0;
  return parts.reduce<number>(
    (sum, part) => sum + bytesOf(part, own),
    Buffer.byteLength(delimiter) * (parts.length - 1),
  );
}
