/** Notes of which keys somebody waits for, as items. */
import { byBytes } from '../base/ids.ts';
import {
  firstLineNote,
  LINE_NOTE_PARTS,
  LINE_NOTE_RETENTION_SECONDS,
  lineNoteAt,
  lineNotesOf,
  lineNotesRead,
} from '../ports/line-notes.ts';
import type { Lines, LinesQuery } from '../ports/slots.ts';
import { queryItems } from './dynamodb-query.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import type { DynamodbTable } from './dynamodb-writes.ts';

export function noteOf(key: string, nowMs: number): Item {
  const { partition, sort } = lineNoteAt(key, nowMs);
  const ttl = Math.ceil(nowMs / 1000) + LINE_NOTE_RETENTION_SECONDS;
  return { pk: text(partition), sk: text(sort), key: text(key), ttl: number(ttl) };
}

/** A range of each part, the newest first: what is older is not read, whether it has been deleted or not. */
export async function linesIn(store: DynamodbTable, { nowMs, limit }: LinesQuery): Promise<Lines> {
  const most = lineNotesRead(limit);
  const parts = await Promise.all(
    Array.from({ length: LINE_NOTE_PARTS }, (_, part) =>
      queryItems(
        store,
        {
          KeyConditionExpression: '#pk = :pk AND #sk >= :first',
          ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
          ExpressionAttributeValues: { ':pk': text(lineNotesOf(part)), ':first': text(firstLineNote(nowMs)) },
          ScanIndexForward: false,
        },
        { most },
      ),
    ),
  );
  const keys = [...new Set(parts.flat().map(({ key }) => key?.S ?? ''))].toSorted(byBytes);
  return { keys: keys.slice(0, limit), more: keys.length > limit || parts.some(({ length }) => length >= most) };
}
