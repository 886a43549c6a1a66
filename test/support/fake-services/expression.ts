/** DynamoDB's conditions, as far as lib/aws writes them: read by their grammar, and refused where anything else stands. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

import { compared, equal, invalid, type Item, taken } from './values.ts';

const TOKEN = /\s*(#[A-Za-z0-9_]+|:[A-Za-z0-9_]+|[A-Za-z_]+|<=|>=|[()=<>,+.-])/y;
const LONGEST_EXPRESSION_BYTES = 4096;

/** Names and values behind the placeholders of one request: one that is missing or left over is an error. */
export class Placeholders {
  readonly #names: Readonly<Record<string, string>>;
  readonly #values: Readonly<Record<string, AttributeValue>>;
  readonly #used = new Set<string>();

  constructor(input: {
    readonly ExpressionAttributeNames?: Record<string, string> | undefined;
    readonly ExpressionAttributeValues?: Record<string, AttributeValue> | undefined;
  }) {
    this.#names = input.ExpressionAttributeNames ?? {};
    this.#values = input.ExpressionAttributeValues ?? {};
    if (input.ExpressionAttributeNames !== undefined && Object.keys(this.#names).length === 0)
      throw invalid('ExpressionAttributeNames must not be empty');
    if (input.ExpressionAttributeValues !== undefined && Object.keys(this.#values).length === 0)
      throw invalid('ExpressionAttributeValues must not be empty');
  }

  name(placeholder: string): string {
    const name = this.#names[placeholder];
    if (name === undefined) throw invalid(`An expression attribute name used is not defined: ${placeholder}`);
    this.#used.add(placeholder);
    return name;
  }

  value(placeholder: string): AttributeValue {
    const value = this.#values[placeholder];
    if (value === undefined) throw invalid(`An expression attribute value used is not defined: ${placeholder}`);
    this.#used.add(placeholder);
    return taken(value);
  }

  /** Call when every expression of the request has been read. */
  allUsed(): void {
    for (const placeholder of [...Object.keys(this.#names), ...Object.keys(this.#values)])
      if (!this.#used.has(placeholder)) throw invalid(`Value provided is unused in expressions: ${placeholder}`);
  }
}

/** The tokens of an expression, taken one after the other. */
export class Tokens {
  readonly #tokens: readonly string[];
  #at = 0;
  readonly placeholders: Placeholders;

  constructor(expression: string, placeholders: Placeholders) {
    this.#tokens = tokensOf(expression);
    this.placeholders = placeholders;
  }

  get next(): string | undefined {
    return this.#tokens[this.#at];
  }

  take(): string {
    const token = this.next;
    if (token === undefined) throw invalid('Syntax error: the expression ends too early');
    this.#at += 1;
    return token;
  }

  /** Takes the token where it comes next. */
  takes(token: string): boolean {
    if (this.next !== token) return false;
    this.#at += 1;
    return true;
  }

  must(token: string): void {
    if (!this.takes(token)) throw invalid(`Syntax error; token: ${this.next ?? 'end'}, expected: ${token}`);
  }

  path(): string {
    const token = this.take();
    // Names as they are may be reserved words, of which DynamoDB has hundreds.
    if (!token.startsWith('#')) throw invalid(`Syntax error; '${token}' is no placeholder of a name`);
    return this.placeholders.name(token);
  }

  /** A path into a map. */
  pathInto(): Path {
    const path = [this.path()];
    while (this.takes('.')) path.push(this.path());
    return path;
  }
}

/** Names of attributes, from the item inwards. */
export type Path = readonly string[];

export function valueAt(item: Item, [name = '', ...rest]: Path): AttributeValue | undefined {
  const value = Object.hasOwn(item, name) ? item[name] : undefined;
  return rest.length === 0 ? value : valueAt(value?.M ?? {}, rest);
}

function tokensOf(expression: string): string[] {
  if (expression === '') throw invalid('The expression can not be empty');
  if (Buffer.byteLength(expression) > LONGEST_EXPRESSION_BYTES)
    throw invalid('Expression size has exceeded the maximum allowed size');
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(expression);
    if (match === null) throw invalid(`Syntax error near: ${expression.slice(at, at + 20)}`);
    tokens.push(match[1] ?? '');
  }
  for (const [at, token] of tokens.entries())
    if (token === '(' && tokens[at + 1] === '(' && tokens[closing(tokens, at + 1) + 1] === ')')
      throw invalid('The expression has redundant parentheses');
  return tokens;
}

/** Where the parenthesis that opens at `at` is closed. */
function closing(tokens: readonly string[], at: number): number {
  let depth = 0;
  for (let index = at; index < tokens.length; index += 1) {
    if (tokens[index] === '(') depth += 1;
    if (tokens[index] === ')') depth -= 1;
    if (depth === 0) return index;
  }
  return tokens.length;
}

// -------------------------------------------------------------- conditions

export type Condition = (item: Item) => boolean;

type Operand = (item: Item) => AttributeValue | undefined;

export function readCondition(expression: string, placeholders: Placeholders): Condition {
  const tokens = new Tokens(expression, placeholders);
  const condition = disjunction(tokens);
  if (tokens.next !== undefined) throw invalid(`Syntax error; token: ${tokens.next}`);
  return condition;
}

function disjunction(tokens: Tokens): Condition {
  const parts = [conjunction(tokens)];
  while (tokens.takes('OR')) parts.push(conjunction(tokens));
  return (item) => parts.some((part) => part(item));
}

function conjunction(tokens: Tokens): Condition {
  const parts = [negation(tokens)];
  while (tokens.takes('AND')) parts.push(negation(tokens));
  return (item) => parts.every((part) => part(item));
}

function negation(tokens: Tokens): Condition {
  if (tokens.takes('NOT')) {
    const denied = negation(tokens);
    return (item) => !denied(item);
  }
  if (tokens.takes('(')) {
    const inner = disjunction(tokens);
    tokens.must(')');
    return inner;
  }
  const { next = '' } = tokens;
  return /^[a-z]/.test(next) && next !== 'size' ? called(tokens) : comparison(tokens);
}

function called(tokens: Tokens): Condition {
  const name = tokens.take();
  tokens.must('(');
  const path = tokens.pathInto();
  const held = (item: Item): AttributeValue | undefined => valueAt(item, path);
  const second = tokens.takes(',') ? operand(tokens) : undefined;
  tokens.must(')');
  if (name === 'attribute_exists' && second === undefined) return (item) => held(item) !== undefined;
  if (name === 'attribute_not_exists' && second === undefined) return (item) => held(item) === undefined;
  if (name === 'contains' && second !== undefined) return (item) => contains(held(item), second(item));
  if (name === 'begins_with' && second !== undefined)
    return (item) => {
      const [text, prefix] = [held(item)?.S, second(item)?.S];
      return text !== undefined && prefix !== undefined && text.startsWith(prefix);
    };
  throw invalid(`Invalid function name or number of operands: ${name}`);
}

function contains(held: AttributeValue | undefined, wanted: AttributeValue | undefined): boolean {
  if (held === undefined || wanted === undefined) return false;
  if (held.NS !== undefined) return wanted.N !== undefined && held.NS.includes(wanted.N);
  return held.S !== undefined && wanted.S !== undefined && held.S.includes(wanted.S);
}

const COMPARISONS: Readonly<Record<string, (difference: number) => boolean>> = {
  '<': (difference) => difference < 0,
  '<=': (difference) => difference <= 0,
  '>': (difference) => difference > 0,
  '>=': (difference) => difference >= 0,
};

function comparison(tokens: Tokens): Condition {
  const first = tokens.next;
  const left = operand(tokens);
  const operator = tokens.take();
  if (operator === 'BETWEEN') return between(left, tokens);
  const second = tokens.next;
  const right = operand(tokens);
  const fits = COMPARISONS[operator];
  if (fits !== undefined) for (const token of [first, second]) mustHaveOrder(token, tokens);
  if (fits === undefined && operator !== '=') throw invalid(`Syntax error; token: ${operator}`);
  return (item) => {
    const [one, other] = [left(item), right(item)];
    // What is not there compares with nothing.
    if (one === undefined || other === undefined) return false;
    if (fits === undefined) return equal(one, other);
    const difference = compared(one, other);
    return difference !== undefined && fits(difference);
  };
}

/** Both ends belong to it. */
function between(held: Operand, tokens: Tokens): Condition {
  const [first, low] = [tokens.next, operand(tokens)];
  tokens.must('AND');
  const [last, high] = [tokens.next, operand(tokens)];
  for (const token of [first, last]) mustHaveOrder(token, tokens);
  return (item) => {
    const [value, least, most] = [held(item), low(item), high(item)];
    if (value === undefined || least === undefined || most === undefined) return false;
    if ((compared(least, most) ?? 1) > 0)
      throw invalid('The BETWEEN operator requires upper bound not less than lower');
    return (compared(least, value) ?? 1) <= 0 && (compared(value, most) ?? 1) <= 0;
  };
}

/** Known before any item is read. */
function mustHaveOrder(token: string | undefined, { placeholders }: Tokens): void {
  if (token?.startsWith(':') !== true) return;
  const { N, S, B } = placeholders.value(token);
  if (N === undefined && S === undefined && B === undefined)
    throw invalid('Invalid operand type for a comparison by order');
}

function operand(tokens: Tokens): Operand {
  if (tokens.next?.startsWith(':') === true) {
    const value = tokens.placeholders.value(tokens.take());
    return () => value;
  }
  if (tokens.takes('size')) {
    tokens.must('(');
    const measured = tokens.pathInto();
    tokens.must(')');
    return (item) => sizeOf(valueAt(item, measured));
  }
  const path = tokens.pathInto();
  return (item) => valueAt(item, path);
}

/** Of what has no size, or is not there, there is none to compare with. */
function sizeOf(value: AttributeValue | undefined): AttributeValue | undefined {
  const size = value?.S?.length ?? value?.NS?.length ?? (value?.M && Object.keys(value.M).length);
  return size === undefined ? undefined : { N: String(size) };
}
