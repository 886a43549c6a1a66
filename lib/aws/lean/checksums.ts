/** What SQS says that it took, and what it gives, against what it is: the SDK's checks. */
import { createHash } from 'node:crypto';

import type { Command } from './command.ts';

interface Entry {
  readonly Id?: string;
  readonly MessageId?: string;
  readonly MessageBody?: string;
  readonly Body?: string;
  readonly MD5OfMessageBody?: string;
  readonly MD5OfBody?: string;
}

/** @throws Error in the SDK's words. */
export function checkMd5({ operation, input }: Command, output: Readonly<Record<string, unknown>>): void {
  const sent = input as Entry & { readonly Entries?: readonly Entry[] };
  if (operation === 'SendMessage') {
    if (differs((output as Entry).MD5OfMessageBody, sent.MessageBody)) throw new Error('InvalidChecksumError');
  } else if (operation === 'SendMessageBatch') {
    const bodies = new Map((sent.Entries ?? []).map(({ Id, MessageBody }) => [Id, MessageBody]));
    refuse(listOf(output['Successful']).filter((entry) => differs(entry.MD5OfMessageBody, bodies.get(entry.Id))));
  } else if (operation === 'ReceiveMessage')
    refuse(listOf(output['Messages']).filter((message) => differs(message.MD5OfBody, message.Body)));
}

function refuse(wrong: readonly Entry[]): void {
  if (wrong.length > 0)
    throw new Error(`Invalid MD5 checksum on messages: ${wrong.map(({ MessageId }) => MessageId).join(', ')}`);
}

function listOf(value: unknown): readonly Entry[] {
  return (value as readonly Entry[] | undefined) ?? [];
}

function differs(told: string | undefined, body = ''): boolean {
  try {
    return told !== createHash('md5').update(body).digest('hex');
  } catch {
    // A Node that is kept to FIPS has no MD5; TLS guards the bytes there, too.
    return false;
  }
}
