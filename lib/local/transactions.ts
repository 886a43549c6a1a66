/**
 * TransactWriteItems, which the local DynamoDB server lacks: what joins a transaction of a user's own, as the outbox does, works on a laptop too.
 * The writes are made one after another while nobody else is served, and taken back where one of them is refused: nobody ever sees a part.
 */
import { isDeepStrictEqual } from 'node:util';

/** Asks the server behind. Of an answer that is no success `status` is not 200. */
export type Ask = (operation: string, input: object) => Promise<{ readonly status: number; readonly body: Values }>;

export interface Answered {
  readonly status: number;
  readonly body: object;
}

type Values = Readonly<Record<string, unknown>>;
type Item = Values;

/** One write of a transaction. */
interface Write {
  readonly kind: Kind;
  readonly input: Values;
  readonly table: string;
  readonly key: Item;
}

type Kind = 'Put' | 'Update' | 'Delete' | 'ConditionCheck';

const KINDS: readonly Kind[] = ['ConditionCheck', 'Put', 'Delete', 'Update'];
// A check writes nothing that stays: it is taken back at once.
const OPERATIONS: Readonly<Record<Kind, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'UpdateItem',
};
// Source: DynamoDB API reference, TransactWriteItems.
const MAX_ITEMS = 100;
const KEPT_TOKENS = 1000;

/** One alone, or many side by side. */
export class Turns {
  #alone: Promise<unknown> = Promise.resolve();
  readonly #together = new Set<Promise<unknown>>();

  together<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#alone.then(work);
    const ended = done.catch(() => {});
    this.#together.add(ended);
    void ended.then(() => this.#together.delete(ended));
    return done;
  }

  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = Promise.all([this.#alone, ...this.#together]).then(work);
    this.#alone = done.catch(() => {});
    return done;
  }
}

export class Transactions {
  // What was asked by a token, the oldest first. On AWS a token holds for ten minutes.
  readonly #done = new Map<string, Values>();
  readonly #keyNames = new Map<string, readonly string[]>();

  /** Nothing else may be asked meanwhile. */
  async write(request: Values, ask: Ask): Promise<Answered> {
    const { ClientRequestToken: token, ...asked } = request;
    const before = typeof token === 'string' ? this.#done.get(token) : undefined;
    if (before !== undefined)
      return isDeepStrictEqual(before, asked)
        ? { status: 200, body: {} }
        : refusal('IdempotentParameterMismatch', MISMATCH);
    const writes = await this.#read(asked['TransactItems'], ask);
    if (!Array.isArray(writes)) return writes as Answered;
    const answer = await this.#writeAll(writes as readonly Write[], ask);
    if (answer.status === 200 && typeof token === 'string') this.#keep(token, asked);
    return answer;
  }

  /** What is to be written, or why it is not. */
  async #read(items: unknown, ask: Ask): Promise<readonly Write[] | Answered> {
    if (!Array.isArray(items) || items.length === 0 || items.length > MAX_ITEMS)
      return refusal(
        'Validation',
        `TransactItems has to have 1 to ${MAX_ITEMS} members; it has ${(items as unknown[] | undefined)?.length ?? 'none'}.`,
      );
    const writes: Write[] = [];
    for (const item of items as readonly Values[]) {
      const kinds = KINDS.filter((kind) => item[kind] !== undefined);
      const [kind] = kinds;
      if (kind === undefined || kinds.length > 1)
        return refusal('Validation', 'TransactItems can only contain one of Check, Put, Update or Delete');
      const input = item[kind] as Values;
      const table = String(input['TableName']);
      const names = await this.#keysOf(table, ask);
      if (names === undefined) return refusal('ResourceNotFound', 'Requested resource not found');
      const from = (input['Key'] ?? input['Item'] ?? {}) as Item;
      const key = Object.fromEntries(names.map((name) => [name, from[name]]));
      if (writes.some((other) => other.table === table && isDeepStrictEqual(other.key, key)))
        return refusal('Validation', 'Transaction request cannot include multiple operations on one item');
      writes.push({ kind, input, table, key });
    }
    return writes;
  }

  async #writeAll(writes: readonly Write[], ask: Ask): Promise<Answered> {
    const undo: (() => Promise<unknown>)[] = [];
    const reasons: Values[] = [];
    let refused: Answered | undefined;
    for (const write of writes) {
      const { kind, table, key } = write;
      const { ReturnValuesOnConditionCheckFailure: shows, ...input } = write.input;
      const { body } = await ask('GetItem', { TableName: table, Key: key, ConsistentRead: true });
      const old = body['Item'] as Item | undefined;
      const restore = (): Promise<unknown> =>
        old === undefined
          ? ask('DeleteItem', { TableName: table, Key: key })
          : ask('PutItem', { TableName: table, Item: old });
      const answer = await ask(OPERATIONS[kind], input);
      if (answer.status === 200) {
        reasons.push({ Code: 'None' });
        if (kind === 'ConditionCheck') await restore();
        else undo.unshift(restore);
      } else if (String(answer.body['__type']).endsWith('ConditionalCheckFailedException')) {
        const Message = 'The conditional request failed';
        reasons.push({ Code: 'ConditionalCheckFailed', Message, ...(shows === 'ALL_OLD' && old ? { Item: old } : {}) });
      } else {
        refused = answer;
        break;
      }
    }
    if (refused === undefined && reasons.every(({ Code }) => Code === 'None')) return { status: 200, body: {} };
    for (const restore of undo) await restore();
    if (refused !== undefined) return refused;
    const codes = reasons.map(({ Code }) => Code).join(', ');
    const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`;
    const { status, body } = refusal('TransactionCanceled', message);
    return { status, body: { ...body, Message: message, CancellationReasons: reasons } };
  }

  /** Names of a table's keys; undefined for a table that is not there. */
  async #keysOf(table: string, ask: Ask): Promise<readonly string[] | undefined> {
    const known = this.#keyNames.get(table);
    if (known !== undefined) return known;
    const { status, body } = await ask('DescribeTable', { TableName: table });
    if (status !== 200) return undefined;
    const { KeySchema } = body['Table'] as { readonly KeySchema: readonly { readonly AttributeName: string }[] };
    const names = KeySchema.map(({ AttributeName }) => AttributeName);
    this.#keyNames.set(table, names);
    return names;
  }

  #keep(token: string, asked: Values): void {
    this.#done.set(token, asked);
    if (this.#done.size > KEPT_TOKENS) this.#done.delete(this.#done.keys().next().value ?? '');
  }
}

const MISMATCH = 'The request uses the same client token as a previous, but non-identical request.';

function refusal(name: string, message: string): Answered {
  const namespace = name === 'Validation' ? 'com.amazon.coral.validate' : 'com.amazonaws.dynamodb.v20120810';
  return { status: 400, body: { __type: `${namespace}#${name}Exception`, message } };
}
