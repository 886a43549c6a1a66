/**
 * Many conditional writes in one request: DynamoDB's BatchExecuteStatement takes a condition for each
 * statement and answers for each, at one write unit an item. What it cannot say in a statement (taking
 * over a lapsed lease, say) goes the single way.
 */
import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DYNAMODB_MAX_BATCH_STATEMENTS } from '../base/limits.ts';
import type { ClaimRequest, CommitRequest } from '../ports/backend.ts';
import { STARTED } from '../base/states.ts';
import { document, number, text, timestamp } from './dynamodb-record.ts';
import { type Statement, type StatementOutcome, Statements } from './dynamodb-statements.ts';
import { resultKey } from './keys.ts';

export class DynamodbBatch {
  readonly #statements: Statements;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#statements = new Statements(client);
    this.#table = table;
  }

  get supported(): boolean {
    return this.#statements.supported;
  }

  /** First claims only: an item that exists in whatever state is `refused`. */
  claim(requests: readonly ClaimRequest[]): Promise<StatementOutcome[]> {
    return this.#execute(requests.map((request) => this.#insert(request)));
  }

  commit(requests: readonly CommitRequest[]): Promise<StatementOutcome[]> {
    return this.#execute(requests.map((request) => this.#update(request)));
  }

  #insert(request: ClaimRequest): Statement {
    const fields: [string, AttributeValue][] = [
      ['id', text(resultKey(request.id))],
      ['status', text(STARTED)],
      ['owner', text(request.owner)],
      ['attempt', number(request.attempt)],
      ['lease', number(request.leaseMs)],
      ['name', text(request.name)],
      ['queue', text(request.queue)],
      ['started', number(request.nowMs)],
      ['timestamp', timestamp(request.nowMs)],
      ['ttl', number(request.expiresAtSeconds)],
      ['deliveries', number(1)],
      ['result', document(request.meta)],
    ];
    return {
      Statement: `INSERT INTO "${this.#table}" VALUE {${fields.map(([name]) => `'${name}': ?`).join(', ')}}`,
      Parameters: fields.map(([, value]) => value),
    };
  }

  #update(request: CommitRequest): Statement {
    const fields: [string, AttributeValue][] = [
      ['committed', number(request.attempt)],
      ['status', text(request.status)],
      ['timestamp', timestamp(request.nowMs)],
      ['ttl', number(request.expiresAtSeconds)],
    ];
    if (request.meta !== undefined) fields.push(['result', document(request.meta)]);
    if (request.settlement !== undefined) fields.push(['settlement', text(request.settlement)]);
    if (request.ignored) fields.push(['ignored', { BOOL: true }]);
    if (request.final) fields.push(['finished', number(request.nowMs)]);
    else fields.push(['deliveries', number(0)], ['requeues', number(0)]);
    // An owner is one delivery, and whoever ends a task otherwise removes it: this alone says "still ours".
    const condition = `"id" = ? AND "owner" = ? AND "attempt" = ?`;
    return {
      Statement: `UPDATE "${this.#table}" ${fields.map(([name]) => `SET "${name}" = ?`).join(' ')} WHERE ${condition}`,
      Parameters: [
        ...fields.map(([, value]) => value),
        text(resultKey(request.id)),
        text(request.owner),
        number(request.attempt),
      ],
    };
  }

  async #execute(statements: readonly Statement[]): Promise<StatementOutcome[]> {
    const outcomes: StatementOutcome[] = [];
    for (let start = 0; start < statements.length; start += DYNAMODB_MAX_BATCH_STATEMENTS) {
      const page = statements.slice(start, start + DYNAMODB_MAX_BATCH_STATEMENTS);
      outcomes.push(...(await this.#statements.execute(page)));
    }
    return outcomes;
  }
}
