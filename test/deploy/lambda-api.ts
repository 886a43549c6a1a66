/** The few calls of Lambda's API that tell what is deployed. */
import { signedCall } from './signed-call.ts';

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

  /** The address of a function, `https://...`. */
  async url(functionName: string): Promise<string> {
    const path = `/2021-10-31/functions/${functionName}/url`;
    return (await this.#call<{ FunctionUrl: string }>('GET', path)).FunctionUrl;
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
    return JSON.parse(await signedCall({ endpoint: this.#endpoint, service: 'lambda', method, path, body })) as T;
  }
}
