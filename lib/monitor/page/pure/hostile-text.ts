/** Text that tasks wrote: names, errors, reprs. It is hostile: cut, and without characters that change how others are shown. */

/** A piece of text, or a control character by its code point. */
export type Piece = { readonly text: string } | { readonly codePoint: string };

// Controls, formats and what breaks lines where no line ends; lone surrogates. Joiners belong to words and to pictures.
const CONTROLS = /(?![\t\n\r\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

// A text of nothing but control characters would be as many elements.
const MOST_MARKS = 200;

export interface SafeText {
  readonly pieces: readonly Piece[];
  /** How many UTF-16 units were left out at the end. */
  readonly left: number;
}

/** @param most characters that are shown */
export function safeText(text: string, most: number): SafeText {
  let end = Math.min(text.length, most);
  // Not through the middle of a pair, half of which would look like a control character.
  if (end < text.length && /[\ud800-\udbff]/.test(text.charAt(end - 1))) end -= 1;
  const shown = text.slice(0, end);
  const pieces: Piece[] = [];
  let from = 0;
  let marks = 0;
  for (const match of shown.matchAll(CONTROLS)) {
    if (marks === MOST_MARKS) return { pieces, left: text.length - from };
    if (match.index > from) pieces.push({ text: shown.slice(from, match.index) });
    pieces.push({ codePoint: codePointName(match[0]) });
    from = match.index + match[0].length;
    marks += 1;
  }
  if (from < shown.length) pieces.push({ text: shown.slice(from) });
  return { pieces, left: text.length - end };
}

function codePointName(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The same where no element can stand: titles, labels. */
export function plainText(text: string, most = 200): string {
  const { pieces, left } = safeText(text, most);
  const shown = pieces.map((piece) => ('text' in piece ? piece.text : `[${piece.codePoint}]`)).join('');
  return left > 0 ? `${shown}…` : shown;
}
