/**
 * Many conditional writes in one request: DynamoDB's BatchExecuteStatement takes a condition for each
 * statement and answers for each, at one write unit an item. What it cannot say in a statement (taking
 * over a lapsed lease, say) goes the single way.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DYNAMODB_MAX_BATCH_STATEMENTS } from '../base/limits.ts';
import type { ClaimRequest, CommitRequest } from '../ports/backend.ts';
import { claimFields, commitFields, type Fields } from './dynamodb-fields.ts';
import { document, number, text } from './dynamodb-record.ts';
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
    const fields: Fields = [
      ['id', text(resultKey(request.id))],
      ...claimFields(request),
      ['deliveries', number(1)],
      ['result', document(request.meta)],
    ];
    return {
      Statement: `INSERT INTO "${this.#table}" VALUE {${fields.map(([name]) => `'${name}': ?`).join(', ')}}`,
      Parameters: fields.map(([, value]) => value),
    };
  }

  #update(request: CommitRequest): Statement {
    const fields = commitFields(request);
    // An owner is one delivery, and whoever ends a task otherwise removes it: this alone says "still ours".
    const ours: Fields = [
      ['id', text(resultKey(request.id))],
      ['owner', text(request.owner)],
      ['attempt', number(request.attempt)],
    ];
    const [sets, condition] = [fields, ours].map((list) => list.map(([name]) => `"${name}" = ?`)) as [
      string[],
      string[],
    ];
    return {
      Statement: `UPDATE "${this.#table}" SET ${sets.join(' SET ')} WHERE ${condition.join(' AND ')}`,
      Parameters: [...fields, ...ours].map(([, value]) => value),
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
