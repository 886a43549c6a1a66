/** The few calls of Lambda's API that tell what is deployed: signed HTTP, since the project needs no client of Lambda otherwise. */
import { createHash, createHmac } from 'node:crypto';

import { REGION } from './emulator.ts';

export interface DeployedFunction {
  readonly FunctionName: string;
  readonly Description?: string;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
}

export interface EventSource {
  readonly UUID: string;
  readonly EventSourceArn: string;
  readonly FunctionArn: string;
  readonly State: string;
  readonly ScalingConfig?: { readonly MaximumConcurrency?: number };
}

export class LambdaApi {
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  async functions(): Promise<DeployedFunction[]> {
    return (await this.#call<{ Functions: DeployedFunction[] }>('GET', '/2015-03-31/functions/')).Functions;
  }

  /** The one whose name holds `part`. */
  async function(part: string): Promise<DeployedFunction> {
    const all = await this.functions();
    const found = all.filter(({ FunctionName }) => FunctionName.includes(part));
    const [only] = found;
    if (only !== undefined && found.length === 1) return only;
    throw new Error(
      `${found.length} functions have '${part}' in their names: ${all.map((each) => each.FunctionName).join(', ')}`,
    );
  }

  async eventSources(): Promise<EventSource[]> {
    const path = '/2015-03-31/event-source-mappings/';
    return (await this.#call<{ EventSourceMappings: EventSource[] }>('GET', path)).EventSourceMappings;
  }

  /** @returns what the handler returned. */
  async invoke(functionName: string, event: unknown): Promise<unknown> {
    return this.#call('POST', `/2015-03-31/functions/${functionName}/invocations`, JSON.stringify(event));
  }

  async #call<T>(method: string, path: string, body = ''): Promise<T> {
    const url = new URL(path, this.#endpoint);
    const response = await fetch(url, {
      method,
      headers: signed(method, url, body),
      ...(body === '' ? {} : { body }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 1000)}`);
    return JSON.parse(text) as T;
  }
}

/** Signature version 4, with the keys that the test's own environment has. */
function signed(method: string, { host, pathname }: URL, body: string): Record<string, string> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = [time.slice(0, 8), REGION, 'lambda', 'aws4_request'];
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
