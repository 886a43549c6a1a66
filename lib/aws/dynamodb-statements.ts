/** Many conditional writes in one request: BatchExecuteStatement answers for each of its statements. */
import type { AttributeValue, BatchStatementResponse, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchExecuteStatementCommand } from '#aws-sdk';

/** `refused`: its condition does not hold. `unknown`: nothing is known of it, and the single way is to be gone. */
export type StatementOutcome = 'done' | 'refused' | 'unknown';

export interface Statement {
  readonly Statement: string;
  readonly Parameters: AttributeValue[];
}

// What a service without PartiQL answers (dynalite, old emulators): ask no more.
const UNSUPPORTED = new Set(['UnknownOperationException', 'UnknownOperation', 'InvalidAction', 'NotImplemented']);

export class Statements {
  readonly #client: DynamoDBClient;
  #supported = true;

  constructor(client: DynamoDBClient) {
    this.#client = client;
  }

  get supported(): boolean {
    return this.#supported;
  }

  /** One request: at most 25 statements, each on another item. */
  async execute(statements: readonly Statement[]): Promise<StatementOutcome[]> {
    if (!this.#supported) return statements.map(() => 'unknown');
    try {
      const { Responses } = await this.#client.send(new BatchExecuteStatementCommand({ Statements: [...statements] }));
      // HTTP 200 does not mean that every statement was done: each has its own answer.
      return statements.map((_, index) => outcomeOf(Responses?.[index]));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (UNSUPPORTED.has(error.name)) this.#supported = false;
      // Nothing is known of any of them, and the single way asks again under the same condition.
      return statements.map(() => 'unknown');
    }
  }
}

function outcomeOf(response: BatchStatementResponse | undefined): StatementOutcome {
  if (response === undefined) return 'unknown';
  if (response.Error === undefined) return 'done';
  const { Code } = response.Error;
  return Code === 'DuplicateItem' || Code === 'ConditionalCheckFailed' ? 'refused' : 'unknown';
}
