/** A template as CloudFormation would deploy it: whose policies say what, with every name filled in. */
import { ACCOUNT, REGION } from './asked.ts';
import type { Statement } from './policy.ts';

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export interface TemplateJson {
  readonly Resources: Readonly<Record<string, Resource>>;
}

interface PolicyDocument {
  readonly Statement: readonly Statement[];
}

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::URLSuffix': 'amazonaws.com',
};
// What of AWS's own policies the functions of callers get from CDK: their logs, which no server here has.
const MANAGED = /policy\/service-role\/AWSLambdaBasicExecutionRole$/;

export class DeployedTemplate {
  readonly #template: TemplateJson;
  readonly #arns: ReadonlyMap<string, string>;

  /** @param arns of resources by their logical ids; what is not named gets one that nobody asks for. */
  constructor(template: TemplateJson, arns: ReadonlyMap<string, string>) {
    this.#template = template;
    this.#arns = arns;
  }

  /** Of the role, user or group with this logical id. */
  identityStatements(logicalId: string): Statement[] {
    const attached = (value: unknown): boolean => [value ?? []].flat().some((each) => refOf(each) === logicalId);
    const own = this.#template.Resources[logicalId]?.Properties ?? {};
    for (const managed of [own['ManagedPolicyArns'] ?? []].flat())
      if (!MANAGED.test(String(this.resolved(managed))))
        throw new Error(`not understood here: ${JSON.stringify(managed)}`);
    if (own['Policies'] !== undefined) throw new Error(`not understood here: inline policies of ${logicalId}`);
    // CDK puts into managed ones what is too long for a role's own.
    return [...this.#ofType('AWS::IAM::Policy'), ...this.#ofType('AWS::IAM::ManagedPolicy')]
      .filter(({ Roles, Users, Groups }) => [Roles, Users, Groups].some(attached))
      .flatMap(({ PolicyDocument }) => this.#statementsOf(PolicyDocument));
  }

  /** Of a managed policy of the template. */
  managedStatements(logicalId: string): Statement[] {
    return this.#statementsOf(this.#template.Resources[logicalId]?.Properties?.['PolicyDocument']);
  }

  /** Of the policies of the queue with this ARN, or of the bucket that it is, or an object's. */
  resourceStatements(arn: string): Statement[] {
    const [bucket] = arn.split('/');
    const isOn =
      (own: string | undefined) =>
      (resource: unknown): boolean =>
        this.#arns.get(refOf(resource) ?? '') === own;
    return [
      ...this.#ofType('AWS::SQS::QueuePolicy').filter(({ Queues }) => [Queues ?? []].flat().some(isOn(arn))),
      ...this.#ofType('AWS::S3::BucketPolicy').filter(({ Bucket }) => isOn(bucket)(Bucket)),
    ].flatMap(({ PolicyDocument }) => this.#statementsOf(PolicyDocument));
  }

  /** ARNs of the rules that send to the queue with this ARN. */
  rulesOn(arn: string): string[] {
    return this.#ofType('AWS::Events::Rule')
      .filter(({ Targets }) =>
        [Targets ?? []].flat().some((target) => this.resolved((target as { Arn: unknown }).Arn) === arn),
      )
      .map(({ Name }) => `arn:aws:events:${REGION}:${ACCOUNT}:rule/${String(Name)}`);
  }

  /** Names of the event source mappings that receive from the queue with this ARN. */
  sourcesOn(arn: string): string[] {
    return Object.entries(this.#template.Resources).flatMap(([logicalId, { Type, Properties }]) =>
      Type === 'AWS::Lambda::EventSourceMapping' && this.resolved(Properties?.['EventSourceArn']) === arn
        ? [String(this.resolved({ Ref: logicalId }))]
        : [],
    );
  }

  #ofType(type: string): Readonly<Record<string, unknown>>[] {
    return Object.values(this.#template.Resources).flatMap(({ Type, Properties }) =>
      Type === type ? [Properties ?? {}] : [],
    );
  }

  #statementsOf(document: unknown): Statement[] {
    return (document as PolicyDocument).Statement.map((statement) => this.resolved(statement) as Statement);
  }

  /** With intrinsic functions carried out. */
  resolved(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.resolved(each));
    if (typeof value !== 'object' || value === null) return value;
    const [[name, inner] = ['', undefined]] = Object.entries(value);
    if (name === 'Ref') return PSEUDO[String(inner)] ?? `ref:${String(inner)}`;
    if (name === 'Fn::GetAtt') {
      const [logicalId, attribute] = inner as [string, string];
      return (
        (attribute === 'Arn' ? this.#arns.get(logicalId) : undefined) ?? `arn:aws:none:::${logicalId}/${attribute}`
      );
    }
    if (name === 'Fn::Join') {
      const [separator, parts] = this.resolved(inner) as [string, string[]];
      return parts.join(separator);
    }
    if (name.startsWith('Fn::')) throw new Error(`not understood here: ${name}`);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.resolved(each)]));
  }
}

function refOf(value: unknown): string | undefined {
  const { Ref } = (value ?? {}) as { readonly Ref?: string };
  return Ref;
}
