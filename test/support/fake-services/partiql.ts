/** The two PartiQL statements that lib/aws writes: INSERT of an item, UPDATE of attributes under equalities. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

import { invalid, type Item, taken } from './values.ts';

export type Statement =
  | { readonly kind: 'insert'; readonly table: string; readonly item: Item }
  | { readonly kind: 'update'; readonly table: string; readonly sets: Item; readonly where: Item };

const TOKEN = /\s*("[^"]*"|'[^']*'|[A-Z]+|[{}:,=?])/y;

class Words {
  readonly #words: string[] = [];
  readonly #parameters: AttributeValue[];

  constructor(statement: string, parameters: readonly AttributeValue[]) {
    this.#parameters = [...parameters];
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < statement.trimEnd().length) {
      const match = TOKEN.exec(statement);
      if (match === null) throw invalid(`Statement wasn't well formed: ${statement}`);
      this.#words.push(match[1] ?? '');
    }
  }

  take(): string {
    return this.#words.shift() ?? '';
  }

  takes(word: string): boolean {
    if (this.#words[0] !== word) return false;
    this.#words.shift();
    return true;
  }

  must(...words: readonly string[]): void {
    for (const word of words)
      if (!this.takes(word)) throw invalid(`Statement wasn't well formed: ${word} is missing before ${this.take()}`);
  }

  quoted(mark: '"' | "'"): string {
    const word = this.take();
    if (!word.startsWith(mark)) throw invalid(`Statement wasn't well formed: ${word}`);
    return word.slice(1, -1);
  }

  parameter(): AttributeValue {
    this.must('?');
    const value = this.#parameters.shift();
    if (value === undefined) throw invalid('Number of parameters in request and statement don’t match.');
    return taken(value);
  }

  end(): void {
    if (this.#words.length > 0 || this.#parameters.length > 0)
      throw invalid('Number of parameters in request and statement don’t match.');
  }
}

export function readStatement(text: string, parameters: readonly AttributeValue[]): Statement {
  const words = new Words(text, parameters);
  if (words.takes('INSERT')) {
    words.must('INTO');
    const table = words.quoted('"');
    words.must('VALUE', '{');
    const item: Record<string, AttributeValue> = {};
    do {
      const name = words.quoted("'");
      words.must(':');
      item[name] = words.parameter();
    } while (words.takes(','));
    words.must('}');
    words.end();
    return { kind: 'insert', table, item };
  }
  words.must('UPDATE');
  const table = words.quoted('"');
  const sets: Record<string, AttributeValue> = {};
  while (words.takes('SET')) equality(words, sets);
  words.must('WHERE');
  const where: Record<string, AttributeValue> = {};
  do equality(words, where);
  while (words.takes('AND'));
  words.end();
  return { kind: 'update', table, sets, where };
}

function equality(words: Words, into: Record<string, AttributeValue>): void {
  const name = words.quoted('"');
  if (Object.hasOwn(into, name)) throw invalid(`Statement wasn't well formed: ${name} twice`);
  words.must('=');
  into[name] = words.parameter();
}
