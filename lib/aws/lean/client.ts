/** A client of one service, in the shape of the SDK's: a command out, signed and tried again as the SDK does, and its answer back. */
import { type Clock, type Ids, type Random, systemClock, systemIds, systemRandom } from '../../base/time.ts';
import { checkMd5 } from './checksums.ts';
import { Command, type HandlerContext, MiddlewareStack, type Output, type StackArguments } from './command.ts';
import { type Ask, type Credentials, environmentCredentials } from './credentials.ts';
import { type Endpoint, type EndpointPrefix, resolveEndpoint } from './endpoint.ts';
import { type ServiceId, serviceVariables, traceId } from './environment.ts';
import { abortError, type Answer, exceptionOf, type Metadata, metadataOf } from './errors.ts';
import {
  type HandlerOptions,
  HttpHandler,
  type HttpHandlerOptions,
  type HttpRequest,
  type HttpResponse,
  type RequestHandler,
} from './http.ts';
import { decode, encode } from './json.ts';
import { errorTypeOf, retryAfterOf, type RetryStrategy, type RetryToken, StandardRetries } from './retries.ts';
import { Signer } from './sign.ts';
import { ClockSkew, type Sent } from './skew.ts';

/** What the services differ in. */
export interface Service {
  readonly id: ServiceId;
  readonly prefix: EndpointPrefix;
  /** Before the operation in `x-amz-target`. */
  readonly target: string;
  readonly contentType: string;
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  /** Errors carry a name of the service's older protocol, too. */
  readonly queryCompatible: boolean;
}

/** Names and meaning are the SDK's. What is not given comes from its environment variables. */
export interface ClientOptions {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: Credentials | Ask;
  readonly maxAttempts?: number;
  readonly retryStrategy?: RetryStrategy;
  readonly requestHandler?: RequestHandler | HttpHandlerOptions;
  readonly useFipsEndpoint?: boolean;
  readonly useDualstackEndpoint?: boolean;
  /** SQS: whether a queue URL's host is asked where no endpoint is given here. Default true, as with the SDK. */
  readonly useQueueUrlAsEndpoint?: boolean;
  /** SQS: false leaves out the checks of what was sent and received. */
  readonly md5?: boolean;
}

/** Of the outer world; of tests something else. */
export interface ClientParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
}

const SYSTEM: ClientParts = { clock: systemClock, random: systemRandom, ids: systemIds };
const sharedCredentials = environmentCredentials(systemClock);

interface ResolvedConfig {
  readonly endpoint: Endpoint;
  readonly maxAttempts: number;
  readonly retries: RetryStrategy;
}

export class Client {
  readonly middlewareStack: MiddlewareStack = new MiddlewareStack();
  readonly config: { readonly region: () => Promise<string>; readonly endpoint: () => Promise<URL> };
  readonly #service: Service;
  readonly #options: ClientOptions;
  readonly #parts: ClientParts;
  readonly #handler: RequestHandler;
  readonly #credentials: Ask;
  readonly #skew: ClockSkew;
  readonly #signers = new Map<string, Signer>();
  #resolvedConfig: ResolvedConfig | undefined;

  constructor(service: Service, options: ClientOptions = {}, parts: ClientParts = SYSTEM) {
    const { requestHandler: handler = {}, credentials } = options;
    this.#service = service;
    this.#options = options;
    this.#parts = parts;
    this.#handler = 'handle' in handler ? handler : new HttpHandler(handler, parts.clock);
    this.#credentials =
      credentials === undefined
        ? sharedCredentials
        : typeof credentials === 'function'
          ? credentials
          : () => Promise.resolve(credentials);
    this.#skew = new ClockSkew(parts.clock);
    this.config = {
      region: () => Promise.resolve().then(() => this.#region()),
      endpoint: () => Promise.resolve().then(() => this.#resolveConfig().endpoint.url),
    };
  }

  destroy(): void {
    this.#handler.destroy?.();
  }

  /** @throws ServiceException and what the SDK throws, by the same names. */
  async send(command: Command, options: HandlerOptions = {}): Promise<Record<string, unknown>> {
    if (!(command instanceof Command))
      throw new TypeError(
        "This is the lean client, which stands in the SDK's place for the library alone, and takes its commands only. Use a client of the SDK, or bundle with { sdk: 'full' }.",
      );
    const context: HandlerContext = { commandName: `${command.operation}Command` };
    const call = (args: StackArguments): Promise<Output> => this.#call(command, args, options, context);
    const stack = command.middlewareStack.aroundCall(call, context);
    const { output } = await this.middlewareStack.aroundCall(stack, context)({ input: command.input });
    if (this.#service.id === 'SQS' && this.#options.md5 !== false) checkMd5(command, output);
    return output;
  }

  async #call(
    command: Command,
    { input }: StackArguments,
    options: HandlerOptions,
    context: HandlerContext,
  ): Promise<Output> {
    const { maxAttempts, retries } = this.#resolveConfig();
    const { url, signingRegion } = this.#endpointFor(input);
    const request = this.#requestOf(command.operation, input, url);
    const signer = this.#signerOf(signingRegion);
    let sent = this.#skew.begin();
    const send = (args: StackArguments): Promise<Output> => this.#try(args.request as HttpRequest, sent, options);
    const attempt = command.middlewareStack.aroundTry(send, context);
    const stack = this.middlewareStack.aroundTry(attempt, context);
    let token = await retries.acquireInitialRetryToken('');
    let waitedMs = 0;
    for (let attempts = 1; ; attempts += 1) {
      request.headers['amz-sdk-request'] = `attempt=${attempts}; max=${maxAttempts}`;
      try {
        sent = this.#skew.begin();
        // Whoever looks at a try sees it as with the SDK: signed, as it goes out.
        const answer = await stack({ input, request: await signer.sign(request, sent.date) });
        retries.recordSuccess(token);
        Object.assign(answer.output['$metadata'] ?? {}, { attempts, totalRetryDelay: waitedMs });
        return answer;
      } catch (error) {
        if (options.abortSignal?.aborted) throw abortError(options.abortSignal);
        token = await this.#next(retries, token, error, { attempts, totalRetryDelay: waitedMs });
      }
      const delayMs = token.getRetryDelay();
      waitedMs += delayMs;
      if (delayMs > 0) await this.#parts.clock.sleep(delayMs, options.abortSignal);
      if (options.abortSignal?.aborted) throw abortError(options.abortSignal);
    }
  }

  /** @throws the error itself where no further try is to be made. */
  async #next(retries: RetryStrategy, token: RetryToken, error: unknown, facts: Metadata): Promise<RetryToken> {
    const { $response } = error as { readonly $response?: Answer };
    const retryAfterHint = $response && retryAfterOf($response.headers, this.#parts.clock.nowMs());
    const info = { error, errorType: errorTypeOf(error), ...(retryAfterHint === undefined ? {} : { retryAfterHint }) };
    try {
      return await retries.refreshRetryTokenForRetry(token, info);
    } catch {
      const failed = error as { $metadata?: Metadata };
      Object.assign((failed.$metadata ??= {}), facts);
      throw error;
    }
  }

  async #try(request: HttpRequest, sent: Sent, options: HandlerOptions): Promise<Output> {
    const { response } = await this.#handler.handle(request, options);
    const { statusCode, headers } = response;
    const skewed = this.#skew.end(sent, headers);
    try {
      const body = await read(response);
      if (statusCode >= 300) throw exceptionOf(response, body, this.#service.queryCompatible);
      return { output: { ...decode(body), $metadata: metadataOf(response) }, response };
    } catch (error) {
      const failed = error as { $metadata?: Metadata };
      failed.$metadata ??= metadataOf(response);
      if (skewed) failed.$metadata.clockSkewCorrected = true;
      Object.defineProperty(failed, '$response', { value: { statusCode, headers }, configurable: true });
      throw error;
    }
  }

  #requestOf(operation: string, input: object, url: URL): HttpRequest {
    const { contentType, target, queryCompatible } = this.#service;
    const body = Buffer.from(encode(input));
    const trace = traceId();
    return {
      protocol: url.protocol,
      hostname: url.hostname,
      port: url.port === '' ? undefined : Number(url.port),
      method: 'POST',
      path: url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`,
      query: {},
      headers: {
        host: url.host,
        'content-type': contentType,
        'content-length': String(body.length),
        'x-amz-target': `${target}.${operation}`,
        'user-agent': 'celeriac',
        'amz-sdk-invocation-id': this.#parts.ids.next(),
        ...(queryCompatible ? { 'x-amzn-query-mode': 'true' } : {}),
        ...(trace === undefined ? {} : { 'X-Amzn-Trace-Id': trace }),
      },
      body,
    };
  }

  #endpointFor(input: object): Endpoint {
    const { endpoint } = this.#resolveConfig();
    const { QueueUrl: url } = input as { readonly QueueUrl?: unknown };
    const { endpoint: given, useQueueUrlAsEndpoint = true } = this.#options;
    if (given !== undefined || !useQueueUrlAsEndpoint || typeof url !== 'string' || !URL.canParse(url)) return endpoint;
    return { ...endpoint, url: new URL(new URL(url).origin) };
  }

  #signerOf(region: string): Signer {
    let signer = this.#signers.get(region);
    if (signer === undefined) {
      signer = new Signer(this.#credentials, { service: this.#service.prefix, region });
      this.#signers.set(region, signer);
    }
    return signer;
  }

  #region(): string {
    const region = this.#options.region ?? serviceVariables(this.#service.id).region;
    if (region === undefined) throw new Error('Region is missing');
    return region;
  }

  #resolveConfig(): ResolvedConfig {
    if (this.#resolvedConfig !== undefined) return this.#resolvedConfig;
    const { id, prefix, baseDelayMs } = this.#service;
    const variables = serviceVariables(id);
    const options = this.#options;
    const endpoint = resolveEndpoint({
      prefix,
      region: this.#region(),
      fips: options.useFipsEndpoint ?? variables.fips,
      dualStack: options.useDualstackEndpoint ?? variables.dualStack,
      endpoint: options.endpoint ?? variables.endpoint,
      accountId: variables.accountId,
      accountIdMode: variables.accountIdMode,
    });
    const maxAttempts = options.maxAttempts ?? variables.maxAttempts ?? this.#service.maxAttempts;
    const { random, clock } = this.#parts;
    const retries =
      options.retryStrategy ?? new StandardRetries({ maxAttempts, baseDelayMs, random, nowMs: () => clock.nowMs() });
    return (this.#resolvedConfig = { endpoint, maxAttempts, retries });
  }
}

async function read({ body }: HttpResponse): Promise<Record<string, unknown>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  const text = Buffer.concat(chunks).toString();
  if (text === '') return {};
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
