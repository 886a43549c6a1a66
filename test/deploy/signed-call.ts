/** Calls of services that the project needs no client for: HTTP, signed by version 4 with the keys of the test's environment. */
import { createHash, createHmac } from 'node:crypto';

import { REGION } from './emulator.ts';

export interface Call {
  readonly endpoint: string;
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
}

/**
 * @returns the text of the answer.
 * @throws Error with what the service answered, unless it is a success.
 */
export async function signedCall(call: Call): Promise<string> {
  const { endpoint, method, path, body = '', contentType } = call;
  const response = await fetch(new URL(path, endpoint), {
    method,
    headers: { ...signed(call), ...(contentType === undefined ? {} : { 'content-type': contentType }) },
    ...(body === '' ? {} : { body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 1000)}`);
  return text;
}

function signed({ endpoint, service, method, path, body = '' }: Call): Record<string, string> {
  const { host, pathname } = new URL(path, endpoint);
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = [time.slice(0, 8), REGION, service, 'aws4_request'];
  const request = [method, pathname, '', `host:${host}`, `x-amz-date:${time}`, '', 'host;x-amz-date', hash(body)];
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), hash(request.join('\n'))].join('\n');
  const key = scope.reduce<string | Buffer>((under, part) => hmac(under, part), 'AWS4test');
  return {
    'x-amz-date': time,
    authorization: `AWS4-HMAC-SHA256 Credential=test/${scope.join('/')}, SignedHeaders=host;x-amz-date, Signature=${hmac(key, toSign).toString('hex')}`,
  };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
