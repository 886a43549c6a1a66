/** IAM in front of the embedded cloud: each access key is a role's, what the role does not grant fails as on AWS, and all is written down. */
import type { AskedRequest, Authorize, Denial } from 'celeriac/local';

import { OPERATOR, RULES } from '../../../lib/local/actors.ts';
import { ACCOUNT, rightsAsked } from './asked.ts';
import { type Asked, decide, type Decision, rightsOf, type Right, type Statement, uses, without } from './policy.ts';

/** What a role asked for, and what was said. */
export interface Recorded extends Asked {
  readonly actor: string;
  readonly allowed: boolean;
}

export interface GateOptions {
  /** Of the role that has this access key; undefined for a key that nobody has. */
  readonly statementsOf: (actor: string) => readonly Statement[] | undefined;
  /** Policies of queues and buckets, by the ARN of what is asked for. */
  readonly resourceStatements: (arn: string) => readonly Statement[];
  /** ARNs of the rules that send to a queue. */
  readonly rulesOn: (arn: string) => readonly string[];
}

export class IamGate {
  readonly recorded: Recorded[] = [];
  readonly #options: GateOptions;
  // A role asks the same thing a thousand times over.
  readonly #seen = new Set<string>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  readonly authorize: Authorize = ({ accessKeyId: actor, target, input }) => {
    if (actor === OPERATOR) return undefined;
    const asked = rightsAsked(target, input);
    const decisions = asked.map((each) => this.ask(actor, each));
    return denialOf({ accessKeyId: actor, target, input }, asked, decisions);
  };

  /** The decision, which is written down. */
  ask(actor: string, asked: Asked): Decision {
    const decision = this.#decide(actor, asked);
    const known = JSON.stringify([actor, asked, decision.allowed]);
    if (!this.#seen.has(known)) this.recorded.push({ actor, ...asked, allowed: decision.allowed });
    this.#seen.add(known);
    return decision;
  }

  /** Requests that were refused, each kind once. */
  get denied(): string[] {
    return kinds(this.recorded.filter(({ allowed }) => !allowed));
  }

  /** The same, which a test has expected: they are not told again. */
  takeDenied(): string[] {
    const { denied } = this;
    const allowed = this.recorded.filter((each) => each.allowed);
    this.recorded.splice(0, this.recorded.length, ...allowed);
    return denied;
  }

  of(actor: string): Recorded[] {
    return this.recorded.filter((each) => each.actor === actor);
  }

  #decide(actor: string, asked: Asked): Decision {
    const onResource = this.#options.resourceStatements(asked.resource);
    if (actor === RULES) return this.#decideForRules(onResource, asked);
    const own = this.#options.statementsOf(actor);
    if (own === undefined) throw new Error(`No role has the access key '${actor}'.`);
    // Of the policy of a queue or a bucket only what holds for everybody: nothing of ours names a role in it.
    return decide([...own, ...onResource.filter(({ Principal }) => isEverybody(Principal))], asked);
  }

  /** Each rule that sends there must be allowed by the queue, since it has no role. */
  #decideForRules(onQueue: readonly Statement[], asked: Asked): Decision {
    const rules = this.#options.rulesOn(asked.resource);
    const statements = onQueue.filter(({ Principal }) => isEverybody(Principal) || isEventBridge(Principal));
    const decisions = rules.map((rule) =>
      decide(statements, { ...asked, context: { ...asked.context, 'aws:SourceArn': [rule] } }),
    );
    return decisions.find(({ allowed }) => !allowed) ?? decisions[0] ?? { allowed: false, deniedBy: undefined };
  }
}

function isEverybody(principal: unknown): boolean {
  return principal === '*' || (principal as { readonly AWS?: unknown } | undefined)?.AWS === '*';
}

function isEventBridge(principal: unknown): boolean {
  return (principal as { readonly Service?: unknown } | undefined)?.Service === 'events.amazonaws.com';
}

/** A right that a statement grants. */
export interface Granted extends Right {
  readonly statement: Statement;
}

/** What the statements allow and none of the requests made use of. */
export function unusedOf(statements: readonly Statement[], recorded: readonly Asked[]): Granted[] {
  return grantedBy(statements).filter(
    (right) => !recorded.some((asked) => uses(right, asked) && decide([right.statement], asked).allowed),
  );
}

export function grantedBy(statements: readonly Statement[]): Granted[] {
  return statements
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap((statement) => rightsOf(statement).map((right) => ({ ...right, statement })));
}

/** What of the requests fails when one right is taken away. */
export function missedWithout(statements: readonly Statement[], right: Granted, recorded: readonly Asked[]): Asked[] {
  const left = without(statements, right.statement, right);
  return recorded.filter((asked) => !decide(left, asked).allowed);
}

export function kinds(recorded: readonly (Asked & { readonly actor?: string })[]): string[] {
  const told = recorded.map(({ actor = '', action, resource, context }) =>
    [
      actor,
      action,
      resource.replace(/^.*[:/]/, ''),
      ...(context['dynamodb:LeadingKeys'] ?? []).map((key) => key.replace(/[#-].*/s, '')),
    ]
      .filter((part) => part !== '')
      .join(' '),
  );
  return [...new Set(told)].toSorted();
}

function denialOf(
  { accessKeyId, target }: AskedRequest,
  asked: readonly Asked[],
  decisions: readonly Decision[],
): Denial | undefined {
  const messages = decisions.map((decision, index) => {
    const one = asked[index];
    return decision.allowed || one === undefined ? undefined : messageOf(accessKeyId, one, decision);
  });
  const first = messages.find((message) => message !== undefined);
  if (first === undefined) return undefined;
  // SQS speaks JSON to the SDKs of today, and says in a header what the older protocol would have said.
  if (target.startsWith('AmazonSQS.'))
    return {
      status: 403,
      headers: { 'x-amzn-query-error': 'AccessDenied;Sender' },
      body: { __type: 'com.amazon.coral.service#AccessDeniedException', message: first },
    };
  const denial = { status: 400, body: { __type: 'com.amazon.coral.service#AccessDeniedException', Message: first } };
  if (target.startsWith('S3.')) return { status: 403, body: { Code: 'AccessDenied', Message: first } };
  if (!target.endsWith('.BatchExecuteStatement')) return denial;
  const statements = messages.flatMap((Message, index) =>
    Message === undefined ? [] : [[index, { Error: { Code: 'AccessDenied', Message } }] as const],
  );
  return { ...denial, statements: new Map(statements) };
}

function messageOf(
  actor: string,
  { action, resource }: Asked,
  decision: Decision & { readonly allowed: false },
): string {
  // As SQS writes them.
  const named = action.startsWith('sqs:') ? action.toLowerCase() : action;
  const why =
    decision.deniedBy === undefined
      ? `because no identity-based policy allows the ${named} action`
      : `with an explicit deny in a ${decision.deniedBy.Principal === undefined ? 'identity' : 'resource'}-based policy`;
  const user = `arn:aws:sts::${ACCOUNT}:assumed-role/${actor}/${actor}`;
  return `User: ${user} is not authorized to perform: ${named} on resource: ${resource} ${why}`;
}
