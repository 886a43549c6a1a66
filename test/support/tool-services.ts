/** The services of AWS that a deployed monitor asks beside SQS and DynamoDB, as far as it asks them, on loopback. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request, as IAM would judge it. */
export interface AskedOfTools {
  readonly action: string;
  readonly resource: string;
}

export interface ToolServices {
  readonly endpoint: string;
  stop(): Promise<void>;
}

export interface ToolAnswers {
  readonly region: string;
  readonly account: string;
  /** Values by ARN. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Values by name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Told of each request; false refuses it. */
  readonly allows: (asked: AskedOfTools) => boolean;
}

export async function startToolServices(answers: ToolAnswers): Promise<ToolServices> {
  const off = new Set<string>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const told = `${request.method} ${request.url} ${String(request.headers['x-amz-target'] ?? '')}`;
      const { asked, answer } = answerTo(told, body, answers, off);
      const isAllowed = answers.allows(asked);
      response.writeHead(isAllowed ? 200 : 403, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(isAllowed ? answer : { __type: 'AccessDeniedException', message: asked.action }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answerTo(
  told: string,
  body: string,
  { region, account, secrets, parameters }: ToolAnswers,
  /** Event source mappings that are switched off. */
  off: Set<string>,
): { readonly asked: AskedOfTools; readonly answer: unknown } {
  // Of queues without messages CloudWatch knows nothing.
  if (body.startsWith('Action=GetMetricStatistics&'))
    return { asked: { action: 'cloudwatch:GetMetricStatistics', resource: '*' }, answer: {} };
  const given = JSON.parse(body === '' ? '{}' : body) as Readonly<Record<string, unknown>>;
  const input = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
  const mapping = /^(GET|PUT) \/2015-03-31\/event-source-mappings\/(\S+)/.exec(told);
  if (mapping !== null) {
    const [, method, id = ''] = mapping;
    const action = `lambda:${method === 'GET' ? 'Get' : 'Update'}EventSourceMapping`;
    const resource = `arn:aws:lambda:${region}:${account}:event-source-mapping:${decodeURIComponent(id)}`;
    if (method === 'PUT') off[input['Enabled'] === 'true' ? 'delete' : 'add'](resource);
    return { asked: { action, resource }, answer: { State: off.has(resource) ? 'Disabled' : 'Enabled' } };
  }
  const operation = /\.(\w+)$/.exec(told)?.[1] ?? '';
  if (operation === 'GetSecretValue') {
    const resource = input['SecretId'] ?? '';
    return { asked: { action: `secretsmanager:${operation}`, resource }, answer: { SecretString: secrets[resource] } };
  }
  if (operation === 'GetParameter') {
    const name = input['Name'] ?? '';
    const resource = `arn:aws:ssm:${region}:${account}:parameter${name}`;
    return { asked: { action: `ssm:${operation}`, resource }, answer: { Parameter: { Value: parameters[name] } } };
  }
  if (/AWSEvents/.test(told)) {
    const resource = `arn:aws:events:${region}:${account}:rule/${input['Name'] ?? ''}`;
    return { asked: { action: `events:${operation}`, resource }, answer: {} };
  }
  throw new Error(`not understood here: ${told}`);
}
