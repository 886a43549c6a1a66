/** DynamoDB's update expressions, as far as lib/aws writes them. */
import type { AttributeValue, DynamoDBServiceException } from '@aws-sdk/client-dynamodb';

import { type Path, type Placeholders, Tokens, valueAt } from './expression.ts';
import { invalid, type Item, taken } from './values.ts';

type Operand = (before: Item) => AttributeValue;
type Change = (before: Item, after: Record<string, AttributeValue>) => void;

/** Every operand is what stood there before: clauses do not see each other. */
export type Update = (before: Item) => Item;

export function readUpdate(expression: string, placeholders: Placeholders, keys: readonly string[]): Update {
  const tokens = new Tokens(expression, placeholders);
  const changes: Change[] = [];
  const paths = new Set<string>();
  const clauses = new Set<string>();
  while (tokens.next !== undefined) {
    const clause = tokens.take();
    if (clauses.has(clause)) throw invalid(`The "${clause}" section can only be used once in an update expression`);
    clauses.add(clause);
    do {
      const path = tokens.pathInto();
      const [name = ''] = path;
      if (keys.includes(name)) throw invalid(`Cannot update attribute ${name}. This attribute is part of the key`);
      // One of them may be within the other too.
      const text = `${path.join('\0')}\0`;
      if ([...paths].some((other) => other.startsWith(text) || text.startsWith(other)))
        throw invalid('Two document paths overlap with each other');
      paths.add(text);
      changes.push(changeOf(clause, path, tokens));
    } while (tokens.takes(','));
  }
  return (before) => {
    const after: Record<string, AttributeValue> = { ...before };
    for (const change of changes) change(before, after);
    return after;
  };
}

function changeOf(clause: string, path: Path, tokens: Tokens): Change {
  if (clause === 'SET') {
    tokens.must('=');
    const value = sum(tokens);
    return (before, after) => {
      put(after, path, value(before));
    };
  }
  if (clause === 'REMOVE') return (_before, after) => put(after, path, undefined);
  if (clause === 'ADD') {
    const value = tokens.placeholders.value(tokens.take());
    if (value.N === undefined && value.NS === undefined) throw wrongType();
    return (before, after) => {
      put(after, path, added(valueAt(before, path), value));
    };
  }
  throw invalid(`Syntax error; token: ${clause}`);
}

/** Undefined takes it away. */
function put(
  item: Record<string, AttributeValue>,
  [name = '', ...rest]: Path,
  value: AttributeValue | undefined,
): void {
  if (rest.length > 0) {
    const map = item[name]?.M;
    if (map === undefined) throw invalid('The document path provided in the update expression is invalid for update');
    const inner = { ...map };
    put(inner, rest, value);
    item[name] = { M: inner };
  } else if (value === undefined) Reflect.deleteProperty(item, name);
  else item[name] = value;
}

function sum(tokens: Tokens): Operand {
  const first = tokens.next;
  const left = operand(tokens);
  if (!tokens.takes('+')) return left;
  const second = tokens.next;
  const right = operand(tokens);
  // Known before any item is read.
  for (const token of [first, second])
    if (token?.startsWith(':') === true && tokens.placeholders.value(token).N === undefined) throw wrongType();
  return (before) => plus(left(before), right(before));
}

function operand(tokens: Tokens): Operand {
  if (tokens.takes('if_not_exists')) {
    tokens.must('(');
    const path = tokens.path();
    tokens.must(',');
    const otherwise = operand(tokens);
    tokens.must(')');
    return (before) => before[path] ?? otherwise(before);
  }
  if (tokens.next?.startsWith(':') === true) {
    const value = tokens.placeholders.value(tokens.take());
    return () => value;
  }
  const path = tokens.path();
  return (before) => {
    const value = before[path];
    if (value === undefined)
      throw invalid('The provided expression refers to an attribute that does not exist in the item');
    return value;
  };
}

function plus(left: AttributeValue, right: AttributeValue): AttributeValue {
  if (left.N === undefined || right.N === undefined) throw wrongType();
  return taken({ N: String(Number(left.N) + Number(right.N)) });
}

function added(held: AttributeValue | undefined, value: AttributeValue): AttributeValue {
  if (value.N !== undefined) return plus(held ?? { N: '0' }, value);
  if (value.NS === undefined || (held !== undefined && held.NS === undefined)) throw wrongType();
  return taken({ NS: [...new Set([...(held?.NS ?? []), ...value.NS])] });
}

function wrongType(): DynamoDBServiceException {
  return invalid('An operand in the update expression has an incorrect data type');
}
