/** What strangers wrote, as text that does in a mail nothing but stand there. Pure. */
import { SNS_MAX_SUBJECT_CHARACTERS } from '../base/limits.ts';

// Controls, what turns the direction of text or is not seen, halves of surrogate pairs, and separators of lines; tabs and
// line feeds stay, and what joins letters and pictures.
const CONTROLS = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Several lines. Each sign that shows nothing, or changes what others show, stands there by its number. */
export function plainLines(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(CONTROLS, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
}

/** One line: what follows a line break could pass for something else. */
export function plainLine(text: string): string {
  return plainLines(text).replaceAll(/[\n\t]+/g, ' ');
}

/** What SNS and every mail server take for a subject: one line of printable ASCII that does not begin with a space. */
export function subjectLine(text: string): string {
  const line = plainLine(text)
    .replaceAll(/[^\x20-\x7e]/gu, '?')
    .replaceAll(/ +/g, ' ')
    .trim();
  if (line.length <= SNS_MAX_SUBJECT_CHARACTERS) return line;
  return `${line.slice(0, SNS_MAX_SUBJECT_CHARACTERS - 3)}...`;
}

/** At most so many bytes of UTF-8, whole characters. */
export function boundedBytes(text: string, longest: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= longest) return text;
  const mark = '\n...';
  let end = longest - mark.length;
  // Not through the middle of a character: what continues one begins with the bits 10.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.subarray(0, end).toString()}${mark}`;
}
