/** Linear passes over JSON text, for what JSON.parse cannot be asked: depth before parsing, and Python's NaN. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The index behind the string that opens at `start`. */
function skipString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === BACKSLASH) index += 1;
    else if (code === QUOTE) return index + 1;
  }
  return text.length;
}

/**
 * What there is too much of, without making any of it: levels of containers, or values (counted as brackets and commas,
 * so that an array of n numbers counts n). Text that is no JSON gets an answer too.
 */
export function findExcess(text: string, limits: JsonLimits): Excess | undefined {
  return mayExceed(text, limits) ? scanForExcess(text, limits) : undefined;
}

export interface JsonLimits {
  readonly depth: number;
  readonly values: number;
}

type Excess = 'depth' | 'values';

/**
 * Whether a scan can find anything. Most text has fewer brackets than levels are allowed, strings and siblings counted, and to
 * look for a character takes a tenth of the time that looking at each does.
 */
function mayExceed(text: string, { depth, values }: JsonLimits): boolean {
  // Each level and each value has a character at least.
  if (text.length <= depth && text.length <= values) return false;
  const containers = countUpTo(text, '[', depth) + countUpTo(text, '{', depth);
  return containers > depth || (text.length > values && containers + countUpTo(text, ',', values) > values);
}

/** How often a character stands in the text; counting ends beyond `limit`. */
function countUpTo(text: string, character: string, limit: number): number {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0 && count <= limit; at = text.indexOf(character, at + 1)) count += 1;
  return count;
}

function scanForExcess(text: string, limits: JsonLimits): Excess | undefined {
  let depth = 0;
  let values = 0;
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = skipString(text, index);
      continue;
    }
    if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      depth += 1;
      values += 1;
      if (depth > limits.depth) return 'depth';
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) {
      depth -= 1;
    } else if (code === COMMA) {
      values += 1;
    }
    if (values > limits.values) return 'values';
    index += 1;
  }
  return undefined;
}

// A spelling of zero that no encoder writes: JSON has none for NaN. It has one for Infinity, a number too large.
const NAN_TOKEN = '-0e-7999';
// Spaces keep a token apart from its neighbours: `1Infinity` must not become a number.
const TOKENS: readonly (readonly [token: string, replacement: string])[] = [
  ['NaN', ` ${NAN_TOKEN} `],
  ['-Infinity', ' -1e999 '],
  ['Infinity', ' 1e999 '],
];

/** JSON.parse for text with Python's bare NaN, Infinity and -Infinity. Throws SyntaxError. */
export function parseWithNonFinite(text: string): unknown {
  const pieces: string[] = [];
  let copied = 0;
  let index = 0;
  while (index < text.length) {
    if (text.charCodeAt(index) === QUOTE) {
      index = skipString(text, index);
      continue;
    }
    const found = TOKENS.find(([token]) => text.startsWith(token, index));
    if (found === undefined) {
      index += 1;
      continue;
    }
    const [token, replacement] = found;
    pieces.push(text.slice(copied, index), replacement);
    index += token.length;
    copied = index;
  }
  pieces.push(text.slice(copied));
  return JSON.parse(pieces.join(''), (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    context?.source === NAN_TOKEN ? Number.NaN : value,
  );
}
