import type * as Whole from '../../aws/history-over.ts';
import { lazy, once } from '../../base/lazy.ts';
import { historyChunk } from '../history-chunk.ts';

export const historyOver: typeof Whole.historyOver = (options) =>
  lazy(
    'history',
    once(async () => new (await historyChunk()).DynamodbHistory(options)),
  );
