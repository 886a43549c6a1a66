/** Saves an order and sends its task in one transaction: `outbox-caller.ts TABLE ORDER TASK_ID`. */
import { DynamoDBClient, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';

import { first } from './first.ts';

const [TableName, order = '', taskId] = process.argv.slice(2);
const outbox = await first.repeat.s(order, 2).toTransactItem([], { taskId });
const saved = { Put: { TableName, Item: { pk: { S: 'orders' }, sk: { S: order } } } };
await new DynamoDBClient({}).send(new TransactWriteItemsCommand({ TransactItems: [saved, outbox] }));
await outbox.flush();
