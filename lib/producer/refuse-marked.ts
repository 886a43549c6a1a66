/** Where no other task can stand for a call, tasks that say so are refused: somebody waits for that very id. */
import { shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { MARKS } from '../options/apply-options.ts';
import { type Signature, signaturesIn } from '../wire/signature.ts';
import type { App } from './app.ts';

type Option = (typeof MARKS)[number];

/** What a signature's options or its task say, the first of them; undefined for nothing. */
export function markOption({ registry }: Pick<App, 'registry'>, { task, options }: Signature): Option | undefined {
  const flow = registry.find(task)?.options.flow;
  return MARKS.find((name) => {
    const own = options[name];
    return own === undefined ? flow?.marked === true && flow.given[name] !== undefined : own !== false;
  });
}

/** Everything within a signature, its links too; a task that is sent by itself is not a part. @throws InvalidOption */
export function refuseMarkedParts(app: Pick<App, 'registry'>, sig: Signature): void {
  for (const part of signaturesIn(sig)) {
    if (part === sig) continue;
    const option = markOption(app, part);
    if (option !== undefined)
      throw new InvalidOption(
        `${option} of task '${part.task}': it is a member, a step, a body or a link here, and runs under an id that others wait for; another task cannot stand for it. Send it by itself, from a task of its own for example, or give it ${option}: false.`,
      );
  }
}

/** @throws InvalidOption */
export function refuseMarkedLinks(
  app: Pick<App, 'registry'>,
  options: { readonly link?: unknown; readonly linkError?: unknown },
): void {
  // The first that asks for any of them; what is spread over others would be gone.
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new InvalidOption(
      `options of the call: ${shown(options)} given; an object is allowed, such as { countdown: 10 }.`,
    );
  for (const link of [options.link, options.linkError])
    refuseMarkedParts(app, { task: '', args: [], kwargs: {}, options: { link }, subtask_type: null, immutable: false });
}

/** @throws InvalidOption for the task of a schedule entry */
export function refuseMarkedEntry(app: Pick<App, 'registry'>, sig: Signature): void {
  const option = markOption(app, sig);
  if (option === undefined) return;
  throw new InvalidOption(
    `${option} of task '${sig.task}': a schedule sends its ticks before they are due, when nobody can tell what will stand then. Give the entry options: { ${option}: false }; that runs do not overlap is said by oneInstance of the task.`,
  );
}
