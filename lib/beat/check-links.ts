/** `link` and `linkError` of an entry: they come from a page or a file as often as from code, and are sent long after somebody wrote them. */
import { didYouMean } from '../base/nearest.ts';
import { InvalidOption } from '../base/errors.ts';
import { shown } from '../base/checks.ts';
import { listOf } from '../wire/links.ts';
import { readSignature, type Signature } from '../wire/signature.ts';

const FIELDS: ReadonlySet<string> = new Set(['task', 'args', 'kwargs', 'options', 'subtask_type', 'immutable']);
const LINKS = ['link', 'link_error'] as const;
// Links of links of links: a chain says that better.
const MOST_LEVELS = 20;

/**
 * What is left out is empty: `{ task: 'mail.send', args: [] }`, and what does not fit is refused by its place.
 *
 * @param field `link` or `linkError`
 * @throws InvalidOption
 */
export function checkedLinks(value: unknown, field: string): readonly Signature[] {
  const isList = Array.isArray(value);
  return listOf(value).map((each, index) => checkedLink(each, isList ? `${field}[${index}]` : field, MOST_LEVELS));
}

function checkedLink(value: unknown, field: string, levels: number): Signature {
  if (!isRecord(value))
    throw new InvalidOption(
      `${field}: ${shown(value)} given; a signature is allowed, such as task.s(1), or as data { task: 'mail.send', args: [1] }.`,
    );
  const { task, args = [], kwargs = {}, options = {}, subtask_type: kind = null, immutable = false } = value;
  const stray = Object.keys(value).find((key) => !FIELDS.has(key));
  if (stray !== undefined)
    throw new InvalidOption(
      `${field}: '${stray}' is no field of a signature. Allowed are ${[...FIELDS].join(', ')}.${didYouMean(stray, FIELDS)}`,
    );
  if (typeof task !== 'string' || task === '') throw refused(`${field}.task`, task, 'the name of a task');
  if (!Array.isArray(args)) throw refused(`${field}.args`, args, 'an array of arguments');
  if (!isRecord(kwargs)) throw refused(`${field}.kwargs`, kwargs, 'an object');
  if (!isRecord(options)) throw refused(`${field}.options`, options, 'an object such as {}');
  if (typeof immutable !== 'boolean') throw refused(`${field}.immutable`, immutable, 'true or false');
  if (kind !== null && typeof kind !== 'string') throw refused(`${field}.subtask_type`, kind, "'chain' or null, say,");
  if (levels === 0) throw new InvalidOption(`${field}: links of links, ${MOST_LEVELS} levels deep; use a chain.`);
  for (const name of LINKS)
    for (const [index, inner] of listOf(options[name]).entries())
      checkedLink(inner, `${field}.options.${name}[${index}]`, levels - 1);
  // With everything else a reader expects to find.
  return readSignature(value) as Signature;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(field: string, given: unknown, allowed: string): InvalidOption {
  return new InvalidOption(`${field}: ${shown(given)} given; ${allowed} is allowed.`);
}
