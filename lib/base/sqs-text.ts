/** What SQS takes as text, told without asking: a refused message circles, and one bad entry fails its whole request. */
import { SQS_MAX_DEDUPLICATION_ID_CHARACTERS, SQS_MAX_GROUP_ID_CHARACTERS } from './limits.ts';
import { derivedId } from './ids.ts';

/** Letters, digits and punctuation of ASCII: the characters of a MessageGroupId and of a MessageDeduplicationId. */
const ID_CHARACTERS = /^[\x21-\x7e]+$/;
// XML 1.0, which bodies and values of attributes have to fit.
const NOT_XML = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

export function isGroupId(value: string): boolean {
  return value.length <= SQS_MAX_GROUP_ID_CHARACTERS && ID_CHARACTERS.test(value);
}

export function isDeduplicationId(value: string): boolean {
  return value.length <= SQS_MAX_DEDUPLICATION_ID_CHARACTERS && ID_CHARACTERS.test(value);
}

/** The MessageGroupId of a name: itself, or one that stands for it. */
export function groupIdOf(name: string): string {
  return isGroupId(name) ? name : derivedId(`group:${name}`);
}

/** The MessageDeduplicationId of a name: itself, or one that stands for it. */
export function deduplicationIdOf(name: string): string {
  return isDeduplicationId(name) ? name : derivedId(`deduplication:${name}`);
}

/** Whether SQS takes a body, or the value of an attribute, with these characters. */
export function isMessageText(text: string): boolean {
  // Not `test`, which remembers where it was.
  return text.search(NOT_XML) < 0;
}

/** The same text with a question mark for each character that SQS refuses. */
export function asMessageText(text: string): string {
  return text.replace(NOT_XML, '?');
}
