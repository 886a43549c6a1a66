/** The monitor of the drills at its address: the page, logging in, acting, and who may not. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

import { type DrillUser, USERS } from './drills/users.ts';
import type { Emulator } from './emulator.ts';
import { LambdaApi } from './lambda-api.ts';
import { equal, type Report, until } from './report.ts';

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

export async function monitorScenario(report: Report, emulator: Emulator): Promise<void> {
  const lambda = new LambdaApi(emulator.endpoint);
  let host = '';
  const visitor = (): Visitor => new Visitor(emulator.endpoint, host);
  await report.needed('the monitor has an address', async () => {
    const { FunctionName } = await lambda.function('CeleriacDrills-TasksMonitor');
    host = new URL(await lambda.url(FunctionName)).host;
    return host;
  });
  await report.step('the monitor: its page, and nothing else for nobody', async () => {
    const nobody = visitor();
    const page = await nobody.ask('GET', '/');
    equal([page.status, page.headers['x-content-type-options']], [200, 'nosniff']);
    const [, script = ''] = /<script type="module" [^>]*src="(\/assets\/[^"]+)"/.exec(page.text) ?? [];
    equal((await nobody.ask('GET', script)).status, 200, `${script} of ${page.text.slice(0, 500)}`);
    const refused = await nobody.ask('GET', '/api/overview');
    equal([refused.status, refused.json['code']], [401, 'UNAUTHENTICATED']);
  });
  await report.step('the monitor: an operator logs in, sends a task and sees its end', async () => {
    const ada = visitor();
    const wrong = await ada.login('ada', { ...USERS.ada, password: 'guessed' });
    equal([wrong.status, wrong.json['code']], [401, 'WRONG_LOGIN'], wrong.text);
    const right = await ada.login('ada', USERS.ada);
    equal(right.status, 200, right.text);
    const sent = await ada.ask('POST', '/api/tasks', { task: 'add', args: [20, 22] });
    equal(sent.status, 200, sent.text);
    const id = String(sent.json['id']);
    const states = async (): Promise<unknown> => (await ada.ask('GET', `/api/tasks/${id}`)).json['resultText'];
    await until('the result', states, (seen) => seen === '42', 60);
    const overview = await ada.ask('GET', '/api/overview');
    equal(overview.status, 200, overview.text);
    const { entries } = (await ada.ask('GET', '/api/audit')).json as { readonly entries: readonly object[] };
    equal(
      (entries as readonly Record<string, unknown>[]).map(({ by, action, outcome }) => [by, action, outcome]),
      [['ada', 'task.call', 'done']],
    );
  });
  await report.step('the monitor: a viewer looks, and may not act', async () => {
    const eve = visitor();
    const right = await eve.login('eve', USERS.eve);
    equal(right.status, 200, right.text);
    const queues = await eve.ask('GET', '/api/queues');
    equal(queues.status, 200, queues.text);
    const refused = await eve.ask('POST', '/api/queues/second/pause', {});
    equal([refused.status, refused.json['code']], [403, 'FORBIDDEN']);
    const after = (await eve.ask('GET', '/api/queues')).json as { queues: readonly Record<string, unknown>[] };
    equal(
      after.queues.map(({ state }) => state),
      after.queues.map(() => 'running'),
    );
  });
}

/** One browser, which an emulator knows by the host that it asks for. */
class Visitor {
  readonly #endpoint: URL;
  readonly #host: string;
  readonly #cookies = new Map<string, string>();
  #csrf = '';

  constructor(endpoint: string, host: string) {
    this.#endpoint = new URL(endpoint);
    this.#host = host;
  }

  async login(name: string, { password }: DrillUser): Promise<Answered> {
    const answer = await this.ask('POST', '/api/login', { name, password });
    if (answer.status === 200) this.#csrf = String((await this.ask('GET', '/api/session')).json['csrf']);
    return answer;
  }

  async ask(method: string, path: string, body?: unknown): Promise<Answered> {
    const { protocol, hostname, port } = this.#endpoint;
    const send = protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = {
      host: this.#host,
      cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(method === 'GET' ? {} : { 'sec-fetch-site': 'same-origin', 'x-celeriac-csrf': this.#csrf }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    return new Promise((resolve, reject) => {
      // Its certificate is the emulator's.
      const asked = send({ hostname, port, method, path, headers, servername: hostname }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          for (const cookie of response.headers['set-cookie'] ?? []) {
            const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
            this.#cookies.set(name, value);
          }
          const text = Buffer.concat(chunks).toString();
          const isJson = /json/.test(response.headers['content-type'] ?? '');
          const json = isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {};
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
        });
      });
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
