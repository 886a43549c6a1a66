/** The tree of tasks that followed from one (celery/result.py, `iterdeps` and `collect`). */
import { IncompleteStream } from '../base/errors.ts';
import type { AsyncResult, GetOptions } from './result.ts';

/** What `iterdeps()` does at a task that is not finished. */
export interface IterdepsOptions {
  /** Go on past tasks that are not finished. Default false. */
  readonly intermediate?: boolean;
}

/** The task that it followed from, undefined for the first one; and itself. */
export type ResultPair = readonly [parent: AsyncResult | undefined, result: AsyncResult];

/** Breadth first. A task that two others have started, as a chord's body is, comes once. */
export async function* iterdeps(
  root: AsyncResult,
  { intermediate = false }: IterdepsOptions,
): AsyncGenerator<ResultPair> {
  const seen = new Set([root.id]);
  const open: ResultPair[] = [[undefined, root]];
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

export async function* collect(
  root: AsyncResult,
  options: GetOptions,
): AsyncGenerator<readonly [result: AsyncResult, value: unknown]> {
  for await (const [, result] of iterdeps(root, {})) yield [result, await result.get(options)];
}
