/** EventBridge, as far as schedules are switched by it: rules of the embedded cloud, for processes other than its own. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { errorMessage, read as fieldOf } from '../base/error-text.ts';
import type { BeatManifest } from '../options/manifest.ts';
import type { Rules } from '../ports/schedules.ts';
import { ruleName } from '../schedules/rule-name.ts';
import { type Authorize, authorizing } from './authorize.ts';
import { read } from './forward.ts';
import { type Gate, guard } from './gate.ts';
import { listening, type LocalServer } from './servers.ts';

const EVENTS: Gate = { service: 'AWSEvents.' };
const JSON_TYPE = 'application/x-amz-json-1.1';

/** What the names of an app's rules begin with here. */
export function localRulePrefix(app: string): string {
  return `local-${app.replaceAll(/[^A-Za-z0-9_.-]+/g, '-')}`.slice(0, 30);
}

/** Describes, enables and disables the rules of entries that an app declares. On loopback, on a port that is free. */
export function startRules(
  rules: Rules,
  prefix: string,
  entries: readonly BeatManifest[],
  authorize?: Authorize,
): Promise<LocalServer> {
  const names = new Map(
    entries.filter(({ firedBy }) => firedBy === 'rule').map(({ name }) => [ruleName(prefix, name), name]),
  );
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing, rules, names).catch((error: unknown) =>
      send(outgoing, 500, { __type: 'InternalException', message: errorMessage(error) }),
    );
  });
  return listening(guard(authorize === undefined ? server : authorizing(server, authorize), EVENTS), 0);
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  rules: Rules,
  names: ReadonlyMap<string, string>,
): Promise<void> {
  const operation = String(incoming.headers['x-amz-target']).replace(EVENTS.service, '');
  const input: unknown = JSON.parse((await read(incoming)).toString('utf8'));
  const Name = typeof input === 'object' && input !== null ? String(fieldOf(input, 'Name')) : '';
  const entry = names.get(Name);
  const isEnabled = entry === undefined ? undefined : await rules.isEnabled(entry);
  if (entry === undefined || isEnabled === undefined)
    return send(outgoing, 400, { __type: 'ResourceNotFoundException', message: `Rule ${Name} does not exist.` });
  if (operation === 'DescribeRule') return send(outgoing, 200, { Name, State: isEnabled ? 'ENABLED' : 'DISABLED' });
  if (operation !== 'EnableRule' && operation !== 'DisableRule')
    return send(outgoing, 400, { __type: 'UnknownOperationException', message: `There is no ${operation} here.` });
  await rules.setEnabled(entry, operation === 'EnableRule');
  return send(outgoing, 200, {});
}

function send(outgoing: ServerResponse, status: number, body: object): void {
  outgoing.writeHead(status, { 'content-type': JSON_TYPE }).end(JSON.stringify(body));
}
