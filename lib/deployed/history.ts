/** What a worker loads when its first task has ended, to write that down: apart from the rest, and small. */
export { DynamodbHistory } from '../aws/dynamodb-history.ts';
export { notesOf } from '../worker/history-notes.ts';
