/**
 * Mails by an SNS topic. One action of an older protocol (a form, and an answer in XML): its SDK client would be 96 KB of a
 * bundle, so the request is made here, with the signer and the connections of the lean client.
 */
import { systemClock } from '../base/time.ts';
import type { Mail, Notifier } from '../ports/notices.ts';
import { type Ask, environmentCredentials } from './lean/credentials.ts';
import { resolveEndpoint } from './lean/endpoint.ts';
import { serviceVariables } from './lean/environment.ts';
import { HttpHandler, type HttpRequest } from './lean/http.ts';
import { Signer } from './lean/sign.ts';

/** Where mails go. */
export interface SnsNotifierOptions {
  /** `arn:aws:sns:<region>:<account>:<name>`. */
  readonly topicArn: string;
  /** Default: those of the environment, or of the container. */
  readonly credentials?: Ask | undefined;
  /** Default: `AWS_ENDPOINT_URL_SNS`, else the region's own. */
  readonly endpoint?: string | undefined;
}

// Whoever waits for it waits for no longer (NOTICE_SEND_SECONDS), and the sweeper sends what was not taken.
const TIMEOUT_MS = 4000;
const API_VERSION = '2010-03-31';

/** Publishes mails to a topic, whose subscribers get them. */
export class SnsNotifier implements Notifier {
  readonly #options: SnsNotifierOptions;
  readonly #handler = new HttpHandler(
    { connectionTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS },
    systemClock,
  );

  /** Connects to nothing yet. */
  constructor(options: SnsNotifierOptions) {
    this.#options = options;
  }

  async send({ subject, text }: Mail): Promise<void> {
    const { topicArn, credentials = environmentCredentials(systemClock) } = this.#options;
    const { url, region } = this.#endpoint();
    const signer = new Signer(credentials, { service: 'sns', region });
    const form = { Action: 'Publish', Version: API_VERSION, TopicArn: topicArn, Subject: subject, Message: text };
    const body = Buffer.from(new URLSearchParams(form).toString());
    const signed = await signer.sign(requestTo(url, body), new Date(systemClock.nowMs()));
    const { response } = await this.#handler.handle(signed);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    if (response.statusCode === 200) return;
    const said = Buffer.concat(chunks).toString();
    throw new Error(
      `SNS answered ${response.statusCode} ${inXml(said, 'Code')}: ${inXml(said, 'Message')} (topic ${topicArn})`,
    );
  }

  #endpoint(): { readonly url: URL; readonly region: string } {
    const { fips, dualStack, endpoint, accountId, accountIdMode, region: own } = serviceVariables('SNS');
    // A topic may be in another region than its service.
    const region = this.#options.topicArn.split(':')[3] || own || 'us-east-1';
    const given = this.#options.endpoint ?? endpoint;
    const question = { prefix: 'sns', region, fips, dualStack, endpoint: given, accountId, accountIdMode } as const;
    return { url: resolveEndpoint(question).url, region };
  }
}

function requestTo(url: URL, body: Buffer): HttpRequest {
  return {
    protocol: url.protocol,
    hostname: url.hostname,
    port: url.port === '' ? undefined : Number(url.port),
    method: 'POST',
    path: '/',
    query: {},
    headers: {
      host: url.host,
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'content-length': String(body.length),
      'user-agent': 'celeriac',
    },
    body,
  };
}

// Of an error's answer these two are read, for a log line.
function inXml(xml: string, element: 'Code' | 'Message'): string {
  return new RegExp(`<${element}>([^<]{0,500})`).exec(xml)?.[1] ?? 'without a word';
}
