/**
 * IAM's decision in one account, for what the templates of this project use: Allow and Deny, wildcards in actions and
 * resources, policies of identities and of queues, and conditions. Whatever it does not know, it refuses to judge.
 */
export type Condition = Readonly<
  Record<string, Readonly<Record<string, string | boolean | readonly (string | boolean)[]>>>
>;

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: Condition;
  readonly Sid?: string;
}

/** One right that a request needs. */
export interface Asked {
  /** As in `dynamodb:PutItem`. */
  readonly action: string;
  /** Its ARN; `*` for an action that has none. */
  readonly resource: string;
  /** Values of condition keys; a key that is not there is not in the request. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

export type Decision =
  | { readonly allowed: true; readonly by: readonly Statement[] }
  | { readonly allowed: false; readonly deniedBy: Statement | undefined };

const KNOWN_FIELDS: ReadonlySet<string> = new Set(['Effect', 'Action', 'Resource', 'Principal', 'Condition', 'Sid']);

/** An explicit Deny decides; then any Allow does. */
export function decide(statements: readonly Statement[], asked: Asked): Decision {
  const fitting = statements.filter((statement) => fits(statement, asked));
  const deniedBy = fitting.find(({ Effect }) => Effect === 'Deny');
  if (deniedBy !== undefined || fitting.length === 0) return { allowed: false, deniedBy };
  return { allowed: true, by: fitting };
}

function fits(statement: Statement, { action, resource, context }: Asked): boolean {
  const unknown = Object.keys(statement).filter((field) => !KNOWN_FIELDS.has(field));
  if (unknown.length > 0) throw new Error(`not understood here: ${unknown.join(', ')} of a statement`);
  return (
    // Names of actions have no case.
    listed(statement.Action).some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
    listed(statement.Resource).some((pattern) => matches(pattern, resource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, texts(wanted), context[key])),
    )
  );
}

type Test = (value: string, pattern: string) => boolean;

const OPERATORS: Readonly<Record<string, Test>> = {
  StringEquals: (value, pattern) => value === pattern,
  StringLike: (value, pattern) => matches(pattern, value),
  ArnEquals: (value, pattern) => arnMatches(pattern, value),
  ArnLike: (value, pattern) => arnMatches(pattern, value),
  Bool: (value, pattern) => value === pattern,
};

function holds(operator: string, wanted: readonly string[], given: readonly string[] | undefined): boolean {
  if (operator === 'Null') return wanted.includes(String(given === undefined));
  const [, quantifier, name = ''] = /^(?:(ForAllValues|ForAnyValue):)?(\w+)$/.exec(operator) ?? [];
  const test = OPERATORS[name];
  if (test === undefined) throw new Error(`not understood here: the operator ${operator}`);
  const one = (value: string): boolean => wanted.some((pattern) => test(value, pattern));
  // Of a key that the request does not have, ForAllValues holds: it speaks of no value at all.
  if (quantifier === 'ForAllValues') return (given ?? []).every(one);
  if (quantifier === 'ForAnyValue') return (given ?? []).some(one);
  const [value, ...more] = given ?? [];
  if (more.length > 0)
    throw new Error(`${operator} of a key with ${more.length + 1} values needs ForAllValues or ForAnyValue`);
  return value !== undefined && one(value);
}

/** `*` is any text, `?` any character. */
export function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/** Each of an ARN's parts alone: a `*` reaches over no colon but those of the last part. */
function arnMatches(pattern: string, arn: string): boolean {
  const [patterns, parts] = [pattern, arn].map((each) => each.split(':')) as [string[], string[]];
  const last = (all: string[]): string[] => [...all.slice(0, 5), all.slice(5).join(':')];
  const own = last(parts);
  return last(patterns).every((part, index) => matches(part, own[index] ?? ''));
}

export function listed(values: string | readonly string[]): readonly string[] {
  return typeof values === 'string' ? [values] : values;
}

function texts(values: string | boolean | readonly (string | boolean)[]): string[] {
  return [values].flat().map(String);
}

const LEADING_KEYS = 'dynamodb:LeadingKeys';

/** The smallest thing that a statement grants: one action on one resource, with one of the keys it speaks of. */
export interface Right {
  readonly action: string;
  readonly resource: string;
  /** A pattern of `dynamodb:LeadingKeys`; undefined where the statement speaks of none. */
  readonly key: string | undefined;
}

export function rightsOf(statement: Statement): Right[] {
  const keys = keysOf(statement) ?? [undefined];
  return listed(statement.Action).flatMap((action) =>
    listed(statement.Resource).flatMap((resource) => keys.map((key) => ({ action, resource, key }))),
  );
}

/** Whether a request that the statement allows makes use of the right. */
export function uses({ action, resource, key }: Right, asked: Asked): boolean {
  return (
    matches(action.toLowerCase(), asked.action.toLowerCase()) &&
    matches(resource, asked.resource) &&
    (key === undefined || (asked.context[LEADING_KEYS] ?? []).some((value) => matches(key, value)))
  );
}

/** The statements without one right of one of them. */
export function without(statements: readonly Statement[], from: Statement, right: Right): Statement[] {
  return statements.flatMap((statement) => (statement === from ? remaining(statement, right) : [statement]));
}

function remaining(statement: Statement, { action, resource, key }: Right): Statement[] {
  const actions = listed(statement.Action).filter((each) => each !== action);
  const resources = listed(statement.Resource).filter((each) => each !== resource);
  const keys = key === undefined ? [] : (keysOf(statement) ?? []).filter((each) => each !== key);
  return [
    ...(actions.length === 0 ? [] : [{ ...statement, Action: actions }]),
    ...(resources.length === 0 ? [] : [{ ...statement, Action: action, Resource: resources }]),
    ...(keys.length === 0 ? [] : [withKeys({ ...statement, Action: action, Resource: resource }, keys)]),
  ];
}

function keysOf({ Condition = {} }: Statement): string[] | undefined {
  const found = Object.values(Condition).find((keys) => keys[LEADING_KEYS] !== undefined);
  return found === undefined ? undefined : texts(found[LEADING_KEYS] ?? []);
}

function withKeys(statement: Statement, values: readonly string[]): Statement {
  const Condition = Object.fromEntries(
    Object.entries(statement.Condition ?? {}).map(([operator, keys]) => [
      operator,
      keys[LEADING_KEYS] === undefined ? keys : { ...keys, [LEADING_KEYS]: values },
    ]),
  );
  return { ...statement, Condition };
}
