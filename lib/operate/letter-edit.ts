/** What the task of a dead letter does otherwise, checked. Pure. */
import { InvalidOption } from '../base/errors.ts';
import { shown } from '../base/checks.ts';
import type { LetterEdit } from './redriven-message.ts';

const EDIT_KEYS: ReadonlySet<string> = new Set<keyof LetterEdit>(['args', 'kwargs', 'queue', 'expires']);

/** @throws InvalidOption */
export function checkedEdit(edit: LetterEdit): LetterEdit {
  if (typeof edit !== 'object' || edit === null)
    throw new InvalidOption(`edit of redrive(): ${shown(edit)} given; an object such as { args: [1] } is allowed.`);
  const key = Object.keys(edit).find((each) => !EDIT_KEYS.has(each));
  const { args, kwargs, queue, expires } = edit;
  const wrong =
    key !== undefined
      ? `'${key}' is no field`
      : args !== undefined && !Array.isArray(args)
        ? `args: ${shown(args)} given; an array is allowed`
        : kwargs !== undefined && (typeof kwargs !== 'object' || kwargs === null || Array.isArray(kwargs))
          ? `kwargs: ${shown(kwargs)} given; an object is allowed`
          : queue !== undefined && typeof queue !== 'string'
            ? `queue: ${shown(queue)} given; a name is allowed`
            : expires !== undefined && expires !== null
              ? `expires: ${shown(expires)} given; null, which takes it away, is allowed`
              : undefined;
  if (wrong !== undefined)
    throw new InvalidOption(`edit of redrive(): ${wrong}. There are args, kwargs, queue and expires.`);
  return edit;
}
