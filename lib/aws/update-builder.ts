/** Builds one UpdateItem. Every name goes through a placeholder: many of ours are reserved words. */
import type { AttributeValue, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';

type Built = Pick<
  UpdateItemCommandInput,
  'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

export class UpdateBuilder {
  readonly #names: Record<string, string> = {};
  readonly #values: Record<string, AttributeValue> = {};
  readonly #sets: string[] = [];
  readonly #removes: string[] = [];
  #condition: string | undefined;

  name(attribute: string): string {
    const placeholder = `#${attribute}`;
    this.#names[placeholder] = attribute;
    return placeholder;
  }

  value(value: AttributeValue): string {
    const placeholder = `:v${Object.keys(this.#values).length}`;
    this.#values[placeholder] = value;
    return placeholder;
  }

  set(attribute: string, value: AttributeValue): this {
    this.#sets.push(`${this.name(attribute)} = ${this.value(value)}`);
    return this;
  }

  /** To a number that is there. */
  add(attribute: string, value: AttributeValue): this {
    const name = this.name(attribute);
    this.#sets.push(`${name} = ${name} + ${this.value(value)}`);
    return this;
  }

  setAll(fields: readonly (readonly [attribute: string, value: AttributeValue])[]): this {
    for (const [attribute, value] of fields) this.set(attribute, value);
    return this;
  }

  setIfAbsent(attribute: string, value: AttributeValue): this {
    const name = this.name(attribute);
    this.#sets.push(`${name} = if_not_exists(${name}, ${this.value(value)})`);
    return this;
  }

  /** By one; from `start` where there is none. */
  increment(attribute: string, start = 0): this {
    const name = this.name(attribute);
    this.#sets.push(
      `${name} = if_not_exists(${name}, ${this.value({ N: String(start) })}) + ${this.value({ N: '1' })}`,
    );
    return this;
  }

  remove(...attributes: string[]): this {
    this.#removes.push(...attributes.map((attribute) => this.name(attribute)));
    return this;
  }

  when(condition: string): this {
    this.#condition = condition;
    return this;
  }

  build(): Built {
    const removes = this.#removes.length === 0 ? '' : ` REMOVE ${this.#removes.join(', ')}`;
    return {
      UpdateExpression: `SET ${this.#sets.join(', ')}${removes}`,
      ...(this.#condition === undefined ? {} : { ConditionExpression: this.#condition }),
      ExpressionAttributeNames: this.#names,
      ExpressionAttributeValues: this.#values,
    };
  }
}
