/** The expressions of one write to a key's holders. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

import { holderText } from '../ports/slot-keys.ts';
import type { SlotsCondition, SlotsWrite } from '../ports/slots.ts';
import { number, text } from './dynamodb-record.ts';

export interface Built {
  readonly UpdateExpression: string;
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

/** Placeholders: names of attributes, of tasks among them, have characters that expressions do not take. */
class Expression {
  readonly names: Record<string, string> = {};
  readonly values: Record<string, AttributeValue> = {};
  readonly sets: string[] = [];
  readonly removes: string[] = [];
  readonly conditions: string[] = [];
  readonly #holders = new Map<string, string>();

  name(attribute: string): string {
    this.names[`#${attribute}`] = attribute;
    return `#${attribute}`;
  }

  holder(holder: string): string {
    const known = this.#holders.get(holder) ?? `#h${this.#holders.size}`;
    this.#holders.set(holder, known);
    this.names[known] = holder;
    return `${this.name('holders')}.${known}`;
  }

  value(value: AttributeValue): string {
    const placeholder = `:v${Object.keys(this.values).length}`;
    this.values[placeholder] = value;
    return placeholder;
  }

  set(attribute: string, value: AttributeValue): void {
    this.sets.push(`${this.name(attribute)} = ${this.value(value)}`);
  }

  remove(attribute: string): void {
    this.removes.push(this.name(attribute));
  }

  build(): Built {
    const removes = this.removes.length === 0 ? '' : ` REMOVE ${this.removes.join(', ')}`;
    return {
      UpdateExpression: `SET ${this.sets.join(', ')}${removes}`,
      ConditionExpression: this.conditions.join(' AND '),
      ExpressionAttributeNames: this.names,
      ...(Object.keys(this.values).length === 0 ? {} : { ExpressionAttributeValues: this.values }),
    };
  }
}

export function updateOf(write: SlotsWrite): Built {
  const expression = new Expression();
  const { conditions } = expression;
  // Without the map the write would be invalid, which tells nothing of why.
  conditions.push(`attribute_exists(${expression.name('holders')})`);
  for (const [holder, entry] of write.put ?? [])
    expression.sets.push(`${expression.holder(holder)} = ${expression.value(text(holderText(entry)))}`);
  for (const holder of write.remove ?? []) expression.removes.push(expression.holder(holder));
  setFields(write, expression);
  addConditions(write.when, expression);
  return expression.build();
}

/** The item's first write. */
export function makingOf(write: SlotsWrite): Built {
  const expression = new Expression();
  const holders = [...(write.put ?? [])].map(([holder, entry]) => [holder, text(holderText(entry))] as const);
  expression.set('holders', { M: Object.fromEntries(holders) });
  setFields(write, expression);
  expression.conditions.push(`attribute_not_exists(${expression.name('holders')})`);
  return expression.build();
}

function setFields({ line, checkMs, limit, expiresAtSeconds }: SlotsWrite, expression: Expression): void {
  if (line === null) expression.remove('line');
  else if (line !== undefined) expression.set('line', text(line));
  if (checkMs === null) expression.remove('check');
  else if (checkMs !== undefined) expression.set('check', number(checkMs));
  if (limit !== undefined) expression.set('limit', number(limit));
  expression.set('ttl', number(expiresAtSeconds));
}

function addConditions(when: SlotsCondition, expression: Expression): void {
  const { conditions } = expression;
  for (const [holder, entry] of when.same ?? [])
    conditions.push(`${expression.holder(holder)} = ${expression.value(text(holderText(entry)))}`);
  for (const holder of when.present ?? []) conditions.push(`attribute_exists(${expression.holder(holder)})`);
  for (const holder of when.absent ?? []) conditions.push(`attribute_not_exists(${expression.holder(holder)})`);
  const size = (): string => `size(${expression.name('holders')})`;
  if (when.atMost !== undefined) conditions.push(`${size()} <= ${expression.value(number(when.atMost))}`);
  if (when.atLeast !== undefined) conditions.push(`${size()} >= ${expression.value(number(when.atLeast))}`);
  const field = (name: string, value: AttributeValue | null): void => {
    conditions.push(
      value === null
        ? `attribute_not_exists(${expression.name(name)})`
        : `${expression.name(name)} = ${expression.value(value)}`,
    );
  };
  if (when.line !== undefined) field('line', when.line === null ? null : text(when.line));
  if (when.checkMs !== undefined) field('check', when.checkMs === null ? null : number(when.checkMs));
}

/** Whether the write's condition holds where there is no item, and there is something to begin it with. */
export function mayMake({ put, when }: SlotsWrite): boolean {
  const { same, present, atMost = 0, atLeast = 0, line = null, checkMs = null } = when;
  const asked = (same?.size ?? 0) + (present?.length ?? 0) > 0 || atMost < 0 || atLeast > 0;
  return (put?.size ?? 0) > 0 && !asked && line === null && checkMs === null;
}
