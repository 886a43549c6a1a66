/** The roles that are deployed, as the emulator evaluates them. */
import { signedCall } from './signed-call.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

interface Policy {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

const BATCHED = ['sqs:SendMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'];
const SECRET = 'secretsmanager:GetSecretValue';
const AS_ON_AWS = 'AsOnAws';
const DENIED = 'DeniedForNow';

export class Roles {
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /**
   * On AWS the right to send, delete or hide a message is the right to do so in batches, and there is no other
   * (SQS developer guide, "API permissions"). MiniStack takes `sqs:SendMessageBatch` for an action of its own. And what a
   * template's `Ref` says of a secret is its ARN, where MiniStack gives its name.
   *
   * @returns how many roles got what AWS gives them.
   */
  async grantAsOnAws(): Promise<number> {
    const names = listed(await this.#call({ Action: 'ListRoles' }), 'RoleName');
    const granted = await Promise.all(names.map((name) => this.#grantAsOnAws(name)));
    return granted.filter(Boolean).length;
  }

  /** Until what it returns is called, the role whose name begins with `prefix` may do nothing. */
  async deny(prefix: string): Promise<() => Promise<void>> {
    const names = listed(await this.#call({ Action: 'ListRoles' }), 'RoleName').filter((name) =>
      name.startsWith(prefix),
    );
    const [RoleName] = names;
    if (RoleName === undefined || names.length > 1) throw new Error(`${names.length} roles are named ${prefix}...`);
    await this.#put(RoleName, DENIED, [{ Effect: 'Deny', Action: '*', Resource: '*' }]);
    return async () => {
      await this.#call({ Action: 'DeleteRolePolicy', RoleName, PolicyName: DENIED });
    };
  }

  async #grantAsOnAws(RoleName: string): Promise<boolean> {
    const names = listed(await this.#call({ Action: 'ListRolePolicies', RoleName }), 'member');
    const policies = await Promise.all(
      names.filter((name) => name !== AS_ON_AWS).map((PolicyName) => this.#policy(RoleName, PolicyName)),
    );
    const statements = policies.flatMap(({ Statement }) => Statement).flatMap(untold);
    if (statements.length > 0) await this.#put(RoleName, AS_ON_AWS, statements);
    return statements.length > 0;
  }

  async #policy(RoleName: string, PolicyName: string): Promise<Policy> {
    const [document] = listed(await this.#call({ Action: 'GetRolePolicy', RoleName, PolicyName }), 'PolicyDocument');
    return JSON.parse(decodeURIComponent(document ?? '')) as Policy;
  }

  async #put(RoleName: string, PolicyName: string, Statement: readonly Statement[]): Promise<void> {
    const policy: Policy = { Version: '2012-10-17', Statement };
    await this.#call({ Action: 'PutRolePolicy', RoleName, PolicyName, PolicyDocument: JSON.stringify(policy) });
  }

  #call(parameters: Readonly<Record<string, string>>): Promise<string> {
    return signedCall({
      endpoint: this.#endpoint,
      service: 'iam',
      method: 'POST',
      path: '/',
      contentType: 'application/x-www-form-urlencoded',
      body: new URLSearchParams({ Version: '2010-05-08', ...parameters }).toString(),
    });
  }
}

function untold(statement: Statement): Statement[] {
  const { Effect, Action, Resource } = statement;
  if ([Action].flat().includes(SECRET))
    return [
      {
        Effect,
        Action: SECRET,
        Resource: [Resource].flat().map((name) => `arn:aws:secretsmanager:*:*:secret:${name}-*`),
      },
    ];
  const actions = BATCHED.filter((action) => [Action].flat().includes(action)).map((action) => `${action}Batch`);
  return actions.length === 0 ? [] : [{ Effect, Action: actions, Resource }];
}

/** The texts of all elements of this name. */
function listed(xml: string, element: string): string[] {
  return [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, 'g'))].map((match) => match[1] ?? '');
}
