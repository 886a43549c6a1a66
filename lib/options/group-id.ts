/** Message groups of SQS, as people name them. */
import { shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { SQS_MAX_GROUP_ID_CHARACTERS } from '../base/limits.ts';
import { isGroupId } from '../base/sqs-text.ts';

/** What a task says of its calls' groups. */
export type GroupKey = string | ((...args: never[]) => string);

/** @throws InvalidOption */
export function groupIdOption(value: unknown, field: string, orElse = ''): string | undefined {
  if (value === undefined || (typeof value === 'string' && isGroupId(value))) return value;
  throw new InvalidOption(
    `${field}: ${shown(value)} given; SQS takes 1 to ${SQS_MAX_GROUP_ID_CHARACTERS} letters, digits and punctuation of ASCII, without spaces. Give an id, or a hash of the name${orElse}.`,
  );
}
