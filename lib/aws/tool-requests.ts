/**
 * Requests of tools to services that no task needs: Systems Manager, CloudFormation, Lambda, CloudWatch. By hand, since a client of the SDK for each
 * would be three packages more for everybody; credentials and Region are those of a client that is there.
 */
import { CeleriacError } from '../base/celeriac-error.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { read } from '../base/error-text.ts';
import { operationalError } from './call-errors.ts';
import type { Credentials } from './lean/credentials.ts';
import { type EndpointPrefix, resolveEndpoint } from './lean/endpoint.ts';
import { HttpHandler } from './lean/http.ts';
import { Signer } from './lean/sign.ts';
import type { Clock } from '../base/time.ts';

/** As their endpoints are named. */
type ToolService = 'ssm' | 'cloudformation' | 'lambda' | 'monitoring' | 'secretsmanager' | 'kms';

export interface ToolRequestOptions {
  readonly region: () => Promise<string>;
  readonly credentials: () => Promise<Credentials>;
  /** Of all services or of one; undefined: AWS's own. */
  readonly endpoint: (service: ToolService) => string | undefined;
  readonly clock: Clock;
}

interface Asked {
  readonly service: ToolService;
  readonly operation: string;
  readonly resource: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface AskedJson extends Pick<Asked, 'service' | 'operation' | 'resource'> {
  /** Of the operation's name in the request. */
  readonly prefix: string;
}

/** The service's own error: its name is the code, as with the SDK. */
class ToolError extends Error {
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(name: string, message: string, httpStatusCode: number) {
    super(message);
    this.name = name;
    this.$metadata = { httpStatusCode };
  }
}

const TRIES = 3;
const PAUSE_MS = 200;
const TIMEOUT_MS = 10_000;
// Minutes that are looked back for a metric: it comes late, and may skip some.
const METRIC_MINUTES = 15;
const SHOWN: Readonly<Record<ToolService, string>> = {
  ssm: 'SSM',
  secretsmanager: 'Secrets Manager',
  kms: 'KMS',
  cloudformation: 'CloudFormation',
  lambda: 'Lambda',
  monitoring: 'CloudWatch',
};

export class ToolRequests {
  readonly #options: ToolRequestOptions;
  readonly #http: HttpHandler;

  constructor(options: ToolRequestOptions) {
    this.#options = options;
    this.#http = new HttpHandler({ requestTimeout: TIMEOUT_MS }, options.clock);
  }

  close(): void {
    this.#http.destroy();
  }

  /** The answer of a service that speaks JSON; undefined where an error of that name says that there is none. @throws OperationalError */
  async json({ prefix, ...asked }: AskedJson, fields: object, missing?: RegExp): Promise<string | undefined> {
    const target = `${prefix}.${asked.operation}`;
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
    return this.#orMissing(missing, { ...asked, method: 'POST', path: '/', headers, body: JSON.stringify(fields) });
  }

  /** A parameter's value; undefined where there is none. @throws OperationalError */
  async parameter(name: string): Promise<string | undefined> {
    const asked = { service: 'ssm', prefix: 'AmazonSSM', operation: 'GetParameter', resource: name } as const;
    const answer = await this.json(asked, { Name: name }, /ParameterNotFound/);
    if (answer === undefined) return undefined;
    const { Parameter } = JSON.parse(answer) as { readonly Parameter?: { readonly Value?: string } };
    return Parameter?.Value;
  }

  /** A secret's text. @throws OperationalError */
  async secret(arn: string): Promise<string> {
    const asked = { service: 'secretsmanager', prefix: 'secretsmanager', operation: 'GetSecretValue' } as const;
    const answer = await this.json({ ...asked, resource: arn }, { SecretId: arn }, /ResourceNotFound/);
    const { SecretString: text } = JSON.parse(answer ?? '{}') as { readonly SecretString?: string };
    if (text === undefined) throw new ImproperlyConfigured(`There is no secret ${arn}, or it has no text.`);
    return text;
  }

  /** Names of the SSM parameters that a stack has made; undefined where there is no such stack. @throws OperationalError */
  async stackParameters(stack: string): Promise<readonly string[] | undefined> {
    const names: string[] = [];
    let token: string | undefined;
    do {
      const form = new URLSearchParams({ Action: 'ListStackResources', Version: '2010-05-15', StackName: stack });
      if (token !== undefined) form.set('NextToken', token);
      const answer = await this.#orMissing(/ValidationError/, {
        service: 'cloudformation',
        operation: 'ListStackResources',
        resource: stack,
        method: 'POST',
        path: '/',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
      });
      if (answer === undefined) return undefined;
      for (const [, member = ''] of answer.matchAll(/<member>(.*?)<\/member>/gs))
        if (xmlField(member, 'ResourceType') === 'AWS::SSM::Parameter')
          names.push(xmlField(member, 'PhysicalResourceId') ?? '');
      token = xmlField(answer, 'NextToken');
    } while (token !== undefined);
    return names.filter((name) => name !== '');
  }

  /** State of an event source mapping, in Lambda's words; undefined where there is none. @throws OperationalError */
  async eventSourceState(id: string): Promise<string | undefined> {
    const answer = await this.#mapping('GetEventSourceMapping', 'GET', id, '');
    return answer === undefined ? undefined : read(fieldsIn(answer), 'State');
  }

  /** Switches an event source mapping. @returns whether there is one. @throws OperationalError */
  async switchEventSource(id: string, enabled: boolean): Promise<boolean> {
    const body = JSON.stringify({ Enabled: enabled });
    return (await this.#mapping('UpdateEventSourceMapping', 'PUT', id, body)) !== undefined;
  }

  /** Age of a queue's oldest message in seconds, as CloudWatch told last; undefined where it tells none. @throws OperationalError */
  async oldestMessageSeconds(queueName: string): Promise<number | undefined> {
    const nowMs = this.#options.clock.nowMs();
    const form = new URLSearchParams({
      Action: 'GetMetricStatistics',
      Version: '2010-08-01',
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateAgeOfOldestMessage',
      'Dimensions.member.1.Name': 'QueueName',
      'Dimensions.member.1.Value': queueName,
      StartTime: new Date(nowMs - METRIC_MINUTES * 60_000).toISOString(),
      EndTime: new Date(nowMs).toISOString(),
      Period: '60',
      'Statistics.member.1': 'Maximum',
    });
    const answer = await this.#orMissing(undefined, {
      service: 'monitoring',
      operation: 'GetMetricStatistics',
      resource: `queue ${queueName}`,
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    });
    // In no order.
    const points = [...(answer ?? '').matchAll(/<member>(.*?)<\/member>/gs)].flatMap(([, member = '']) => {
      const atMs = Date.parse(xmlField(member, 'Timestamp') ?? '');
      const seconds = Number(xmlField(member, 'Maximum'));
      // Messages have grown older since.
      return Number.isNaN(atMs) || Number.isNaN(seconds) ? [] : [{ atMs, seconds: seconds + (nowMs - atMs) / 1000 }];
    });
    return points.toSorted((left, right) => right.atMs - left.atMs)[0]?.seconds;
  }

  // ------------------------------------------------------------------ parts

  #mapping(operation: string, method: 'GET' | 'PUT', id: string, body: string): Promise<string | undefined> {
    return this.#orMissing(/ResourceNotFound/, {
      service: 'lambda',
      operation,
      resource: `event source mapping ${id}`,
      method,
      path: `/2015-03-31/event-source-mappings/${encodeURIComponent(id)}`,
      headers: body === '' ? {} : { 'content-type': 'application/json' },
      body,
    });
  }

  async #orMissing(missing: RegExp | undefined, asked: Asked): Promise<string | undefined> {
    try {
      return await this.#send(asked);
    } catch (error) {
      if (error instanceof ToolError && missing?.test(error.name) === true) return undefined;
      throw await this.#told(error, asked);
    }
  }

  async #told(cause: unknown, { service, operation, resource }: Asked): Promise<Error> {
    if (CeleriacError.is(cause)) return cause;
    const region = await this.#regionIfKnown();
    const endpoint = region === undefined ? undefined : this.#url(service, region).href;
    return operationalError(cause, {
      service: SHOWN[service],
      operation,
      resource,
      endpoint,
      region,
      tries: TRIES,
      last: cause,
    });
  }

  /** That there is none may be the very error. */
  async #regionIfKnown(): Promise<string | undefined> {
    try {
      return await this.#options.region();
    } catch {
      return undefined;
    }
  }

  async #send(asked: Asked): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#try(asked);
      } catch (error) {
        if (attempt === TRIES || !mayPass(error)) throw error;
        await this.#options.clock.sleep(PAUSE_MS * attempt);
      }
    }
  }

  async #try({ service, method, path, headers, body }: Asked): Promise<string> {
    const { credentials, clock } = this.#options;
    const region = await this.#options.region();
    const url = this.#url(service, region);
    const signer = new Signer(credentials, { service, region });
    const request = {
      protocol: url.protocol,
      hostname: url.hostname,
      port: url.port === '' ? undefined : Number(url.port),
      method,
      path,
      query: {},
      headers: { host: url.host, ...headers },
      body: Buffer.from(body),
    };
    const { response } = await this.#http.handle(await signer.sign(request, new Date(clock.nowMs())));
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    if (response.statusCode < 300) return text;
    throw errorOf(text, response.headers, response.statusCode);
  }

  #url(service: ToolService, region: string): URL {
    return resolveEndpoint({
      prefix: service as EndpointPrefix,
      region,
      fips: false,
      dualStack: false,
      endpoint: this.#options.endpoint(service),
      accountId: undefined,
      accountIdMode: undefined,
    }).url;
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof ToolError)) return true;
  return error.$metadata.httpStatusCode >= 500 || /Throttl|TooMany|InUse/.test(error.name);
}

/** JSON services name the error in a header or a field, CloudFormation in XML. */
function errorOf(text: string, headers: Readonly<Record<string, string>>, status: number): ToolError {
  if (text.trimStart().startsWith('<'))
    return new ToolError(xmlField(text, 'Code') ?? `HTTP ${status}`, xmlField(text, 'Message') ?? '', status);
  const fields = fieldsIn(text);
  const name = headers['x-amzn-errortype'] ?? read(fields, '__type') ?? read(fields, 'code') ?? `HTTP ${status}`;
  const message = read(fields, 'message') ?? read(fields, 'Message') ?? '';
  return new ToolError(name.replace(/^.*#/, '').replace(/:.*$/, ''), message, status);
}

function fieldsIn(text: string): object {
  try {
    const fields: unknown = JSON.parse(text);
    return typeof fields === 'object' && fields !== null ? fields : {};
  } catch {
    return {};
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function xmlField(text: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return found?.replaceAll(/&(\w+);/g, (entity, letters: string) => ENTITIES[letters] ?? entity);
}
