/** The tree of tasks that followed from one (celery/result.py, `iterdeps` and `collect`). */
import { IncompleteStream } from '../base/errors.ts';

/** A result that knows what followed from its task. */
interface Followed<R> {
  readonly id: string;
  ready(): Promise<boolean>;
  children(): Promise<readonly R[]>;
}

/** What `iterdeps()` does at a task that is not finished. */
export interface IterdepsOptions {
  /** Go on past tasks that are not finished. Default false. */
  readonly intermediate?: boolean;
}

/** Breadth first. A task that two others have started, as a chord's body is, comes once. */
export async function* iterdeps<R extends Followed<R>>(
  root: R,
  { intermediate = false }: IterdepsOptions,
): AsyncGenerator<readonly [parent: R | undefined, result: R]> {
  const seen = new Set([root.id]);
  const open: (readonly [R | undefined, R])[] = [[undefined, root]];
  for (let pair = open.shift(); pair !== undefined; pair = open.shift()) {
    yield pair;
    const [, result] = pair;
    // After the yield: who collects has waited for it by then.
    if (!(await result.ready())) {
      if (intermediate) continue;
      throw new IncompleteStream(`Task ${result.id} is not finished, so what follows from it is not known yet.`);
    }
    for (const child of await result.children()) {
      if (seen.has(child.id)) continue;
      seen.add(child.id);
      open.push([result, child]);
    }
  }
}

export async function* collect<R extends Followed<R>>(
  root: R,
  valueOf: (result: R) => Promise<unknown>,
): AsyncGenerator<readonly [result: R, value: unknown]> {
  for await (const [, result] of iterdeps(root, {})) yield [result, await valueOf(result)];
}
