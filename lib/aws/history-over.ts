/** The history's store, which a deployed worker loads with what writes to it. */
import type { History } from '../ports/history.ts';
import { DynamodbHistory, type DynamodbHistoryOptions } from './dynamodb-history.ts';

export function historyOver(options: DynamodbHistoryOptions): History {
  return new DynamodbHistory(options);
}
