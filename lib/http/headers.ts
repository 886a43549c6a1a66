/** Headers that an app gives its requests: names and values as HTTP has them, and none of the library's own. */
import { shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { MAX_HTTP_HEADERS_BYTES } from '../base/limits.ts';

const NAME = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
// Whoever could break a line could write headers, and a request of their own.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Of the connection, and those that are sent by the library. */
const OWN =
  /^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|keep-alive|accept-encoding|proxy-.*|webhook-.*)$/i;

/** @throws InvalidOption without values, which may be secret */
export function checkHeaders(headers: unknown, field: string): asserts headers is Readonly<Record<string, string>> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers))
    throw new InvalidOption(`${field}: an object of header names and texts is allowed.`);
  let bytes = 0;
  for (const [name, value] of Object.entries(headers as Readonly<Record<string, unknown>>)) {
    if (!NAME.test(name)) throw new InvalidOption(`${field}: ${shown(name)} is no name of a header.`);
    if (OWN.test(name)) throw new InvalidOption(`${field}: '${name}' is written by the library. Leave it out.`);
    if (typeof value !== 'string' || !VALUE.test(value))
      throw new InvalidOption(`${field}: the value of '${name}' is no text without line breaks.`);
    bytes += name.length + value.length + 4;
  }
  if (bytes > MAX_HTTP_HEADERS_BYTES)
    throw new InvalidOption(`${field}: ${bytes} bytes given; at most ${MAX_HTTP_HEADERS_BYTES} are allowed.`);
}
